"""Mails from the request to the mailbox, by the worker as it runs; and where none of their secrets is."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from movie_database.settings import Settings
from movie_testing.factories.accounts import PASSWORD
from movie_testing.mail_server import MailServer, certificate_file

pytestmark = pytest.mark.slow

ADDRESS = "new.person@example.com"
SMTP_PASSWORD = "correct horse battery"


def wait_until(condition):
    give_up_at = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    return found


@pytest.fixture
def server(tmp_path):
    certificate = certificate_file(tmp_path / "server.pem", "127.0.0.1")
    with MailServer("starttls", certificate, "mailer", SMTP_PASSWORD) as running:
        yield running


@pytest.fixture
def worker_log(server, database_url, tmp_path):
    """The log of a worker that sends by the server, and tells all that it does."""
    log = tmp_path / "log"
    environment = {
        name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields
    }
    environment |= {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path / "data"),
        "LOG_LEVEL": "DEBUG",
        "PYTHONDONTWRITEBYTECODE": "",
        "PUBLIC_URL": "https://films.example",
        "RELOAD_CRON": "never",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(server.port),
        "SMTP_USER": "mailer",
        "SMTP_PASSWORD": SMTP_PASSWORD,
        "SSL_CERT_FILE": str(server.certificate),
    }
    program = Path(sys.executable).with_name("movie-jobs")
    with log.open("w") as file:
        worker = subprocess.Popen([program, "worker"], env=environment, stderr=file)
    yield log
    worker.terminate()
    try:
        worker.wait(10)
    finally:
        worker.kill()


@pytest.fixture
def job(database_cursor):
    """The row of the mail's job, once it has this status."""

    def find(status):
        database_cursor.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = 'api:mail' AND status = %s", (status,)
        )
        return database_cursor.fetchone()

    return lambda status: wait_until(lambda: find(status))[0]


def register(api):
    body = {"email": ADDRESS, "password": PASSWORD, "display_name": "Ann"}
    assert api.post("/auth/register", json=body).status_code == 202


def test_a_registration_reaches_the_mailbox_and_its_secrets_nothing_else(
    api, server, worker_log, job, database_cursor
):
    register(api)
    (mail,) = wait_until(lambda: server.mails)
    assert (mail.recipients, mail.is_encrypted, mail.user) == ([ADDRESS], True, "mailer")
    token = mail.message.get_content().partition("https://films.example/account/verify#token=")[2].split()[0]
    args = job("succeeded")
    database_cursor.execute("SELECT id::text, sent_at IS NOT NULL, mails::text FROM mails")
    mail_id, is_sent, row = database_cursor.fetchone()
    assert (args, is_sent) == ({"mail": mail_id}, True)
    told = worker_log.read_text()
    assert "Sent a mail" in told
    for secret in (token, ADDRESS, SMTP_PASSWORD, PASSWORD):
        assert secret not in told
    assert token not in row


def test_what_a_server_says_of_an_address_is_kept_and_told_nowhere(
    api, server, worker_log, job, database_cursor
):
    server.refuse("data", f"554 5.6.0 <{ADDRESS}> gets no such mail")
    register(api)
    args = job("failed")
    assert args.keys() == {"mail", "error", "failures"}
    assert args["error"] == "the mail server refuses the mail (554 5.6.0)"
    database_cursor.execute("SELECT cause, message FROM alerts")
    assert database_cursor.fetchall() == [("job:api:mail", f"api:mail failed: {args['error']}")]
    assert ADDRESS not in worker_log.read_text()


def test_a_wrong_address_fails_its_job_and_alerts_nobody(api, server, worker_log, job, database_cursor):
    server.refuse("recipient", "550 5.1.1 No such user")
    register(api)
    assert job("failed")["error"] == "the mail server refuses the recipient (550 5.1.1)"
    # What comes next is sent: the worker is done with the first by then.
    register(api)
    wait_until(lambda: server.mails)
    database_cursor.execute("SELECT count(*) FROM alerts")
    assert database_cursor.fetchone() == (0,)
    assert "Alert" not in worker_log.read_text()
