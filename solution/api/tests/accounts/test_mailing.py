"""What the worker does about mails: to whom which is sent, and what its link is good for."""

import email
import re
from concurrent.futures import ThreadPoolExecutor
from email.policy import default as default_policy

import pytest
from movie_api import work
from movie_api.accounts.mailing import send_mail
from movie_api.accounts.queries.mails import MAXIMUM_MAILS_AN_HOUR
from movie_api.extensions import db
from movie_jobs.tasks import JobError, NotNowError, Run
from movie_testing.factories.accounts import PASSWORD
from movie_testing.mail_server import MailServer

ADDRESS = "new@example.com"
OTHER_PASSWORD = "ten lives of a film club"
TOKEN = re.compile(r"#token=([\w-]+)")


class Mailroom:
    """Runs the jobs that wait, as the worker does, and reads what became of them."""

    def __init__(self, url, make_settings, cursor):
        self.url, self.make_settings, self.cursor = url, make_settings, cursor
        self.settings = make_settings()

    def jobs(self):
        """The ids of mails whose jobs wait, in order."""
        self.cursor.execute(
            "SELECT args ->> 'mail' FROM procrastinate_jobs"
            " WHERE task_name = 'api:mail' AND status = 'todo' ORDER BY id"
        )
        return [mail for (mail,) in self.cursor.fetchall()]

    def run(self, *mail_ids, **settings):
        """The mails that these jobs write into the folder."""
        before = set(self.files())
        if settings:
            self.settings = self.make_settings(**settings)
        for mail_id in mail_ids or self.jobs():
            send_mail(Run(self.url, self.settings, 0, {"mail": mail_id}))
        return [
            email.message_from_bytes(file.read_bytes(), policy=default_policy)
            for file in self.files()
            if file not in before
        ]

    def files(self):
        return sorted((self.settings.data_dir / "mails").glob("*.eml"))

    def row(self, mail_id):
        self.cursor.execute(
            "SELECT token_hash, password_hash, display_name, sent_at, used_at FROM mails WHERE id = %s",
            (mail_id,),
        )
        return self.cursor.fetchone()

    def count(self):
        self.cursor.execute("SELECT count(*) FROM mails")
        return self.cursor.fetchone()[0]


@pytest.fixture
def mailroom(database_url, make_settings, database_cursor):
    yield (room := Mailroom(database_url, make_settings, database_cursor))
    if work._app.cache_info().currsize:
        with work._app(room.url, room.settings).app_context():
            db.engine.dispose()
    work._app.cache_clear()


@pytest.fixture
def put(app):
    """Puts a mail there, and gives the id of its row."""

    def put(kind, address, cursor, **values):
        row = {"kind": kind, "address": address} | values
        cursor.execute(
            f"INSERT INTO mails ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))}) RETURNING id",
            list(row.values()),
        )
        return str(cursor.fetchone()[0])

    return put


def register(api, address=ADDRESS, name="Ann"):
    answer = api.post("/auth/register", json={"email": address, "password": PASSWORD, "display_name": name})
    assert answer.status_code == 202, answer.text


def ask_reset(api, address):
    assert api.post("/auth/password/reset", json={"email": address}).status_code == 202


def token_of(mail):
    (token,) = TOKEN.findall(mail.get_content())
    return token


def confirm(api, mail):
    return api.post("/auth/email/verify", json={"token": token_of(mail)})


def set_password(api, mail):
    body = {"token": token_of(mail), "password": OTHER_PASSWORD}
    return api.post("/auth/password/reset/confirm", json=body).status_code


# ── Registration ──


def test_the_link_of_a_registration_makes_the_account(api, mailroom):
    register(api)
    (mail,) = mailroom.run()
    assert (mail["To"], mail["Subject"]) == (ADDRESS, "Confirm your e-mail address")
    assert "http://localhost:5000/account/verify#token=" in mail.get_content()
    answer = confirm(api, mail)
    assert (answer.status_code, answer.json) == (200, {"confirmed": "registration", "email": ADDRESS})


def test_the_token_is_in_the_database_before_the_mail_leaves(api, mailroom):
    register(api)
    confirmed = []

    def read_at_once(mail):
        confirmed.append(confirm(api, mail).status_code)
        return "250 OK"

    with MailServer(reply_to=read_at_once) as server:
        mailroom.run(smtp_host="127.0.0.1", smtp_port=server.port, smtp_security="none")
    assert confirmed == [200]


def test_a_registration_with_the_address_of_an_account_tells_its_owner_and_holds_no_token(
    api, accounts, mailroom
):
    account = accounts.create(email="Ann@Example.com")
    register(api, "ann@example.COM")
    (mail_id,) = mailroom.jobs()
    (mail,) = mailroom.run()
    assert (mail["To"], mail["Subject"]) == (account.email, "You have an account already")
    assert "http://localhost:5000/account/forgot" in mail.get_content()
    assert not TOKEN.search(mail.get_content())
    assert mailroom.row(mail_id)[:3] == (None, None, None)


def test_nothing_that_somebody_typed_stands_in_a_mail_to_another(api, mailroom):
    register(api, name="Win at https://casino.example\u2028now")
    (mail,) = mailroom.run()
    assert "casino" not in mail.as_string()


# ── Reset ──


def test_the_link_of_a_reset_sets_the_password(api, accounts, mailroom):
    account = accounts.create()
    ask_reset(api, account.email.upper())
    (mail,) = mailroom.run()
    assert (mail["To"], mail["Subject"]) == (account.email, "Set a new password")
    assert "http://localhost:5000/account/reset#token=" in mail.get_content()
    assert set_password(api, mail) == 204


@pytest.mark.parametrize("is_disabled", [False, True])
def test_a_reset_for_nobody_who_may_sign_in_sends_nothing_and_keeps_nothing(
    api, accounts, mailroom, is_disabled
):
    account = accounts.create(email="gone@example.com", is_disabled=True) if is_disabled else None
    ask_reset(api, account.email if account else ADDRESS)
    assert mailroom.run() == []
    assert mailroom.count() == 0


def test_a_newer_reset_makes_the_link_of_an_older_one_void(api, accounts, mailroom):
    account = accounts.create()
    ask_reset(api, account.email)
    (old,) = mailroom.run()
    ask_reset(api, account.email)
    (new,) = mailroom.run()
    assert [set_password(api, mail) for mail in (old, new)] == [400, 204]


def test_an_older_reset_that_is_late_is_not_sent_after_the_newer_one(api, accounts, mailroom):
    account = accounts.create()
    ask_reset(api, account.email)
    ask_reset(api, account.email)
    old, new = mailroom.jobs()
    (mail,) = mailroom.run(new, old)
    assert set_password(api, mail) == 204


def test_a_reset_that_waits_for_another_try_is_not_sent_to_an_address_that_was_left(
    api, accounts, mailroom, database_cursor
):
    account = accounts.create()
    ask_reset(api, account.email)
    with MailServer() as server:
        server.refuse("data", "451 Later")
        with pytest.raises(JobError):
            mailroom.run(smtp_host="127.0.0.1", smtp_port=server.port, smtp_security="none")
        database_cursor.execute("UPDATE users SET email = 'b@example.com', email_key = 'b@example.com'")
        mailroom.run()
        assert server.mails == []


# ── Change of the address ──


@pytest.fixture
def change(api, session_headers):
    def change(account, address):
        headers = session_headers(account)
        answer = api.post("/auth/email/change", json={"email": address}, headers=headers)
        assert answer.status_code == 202, answer.text

    return change


def test_the_link_of_a_change_gives_the_account_the_address_and_tells_the_old_one(
    api, accounts, mailroom, change
):
    account = accounts.create()
    change(account, ADDRESS)
    (mail,) = mailroom.run()
    assert (mail["To"], mail["Subject"]) == (ADDRESS, "Confirm your new e-mail address")
    assert confirm(api, mail).json == {"confirmed": "email_change", "email": ADDRESS}
    (notice,) = mailroom.run()
    assert (notice["To"], notice["Subject"]) == (account.email, "Your e-mail address was changed")


def test_a_change_to_the_address_of_another_account_tells_that_one_and_holds_no_token(
    accounts, mailroom, change
):
    owner = accounts.create()
    change(accounts.create(), owner.email)
    (mail_id,) = mailroom.jobs()
    (mail,) = mailroom.run()
    assert (mail["To"], mail["Subject"]) == (owner.email, "This e-mail address has an account already")
    assert not TOKEN.search(mail.get_content())
    assert mailroom.row(mail_id)[0] is None


def test_an_account_can_have_its_own_address_in_another_spelling(api, accounts, mailroom, change):
    account = accounts.create(email="ann@example.com")
    change(account, "Ann@example.com")
    (mail,) = mailroom.run()
    assert confirm(api, mail).json["email"] == "Ann@example.com"


def test_a_change_that_another_one_overtook_is_not_sent(accounts, mailroom, change):
    account = accounts.create()
    change(account, ADDRESS)
    change(account, "newest@example.com")
    assert [mail["To"] for mail in mailroom.run()] == ["newest@example.com"]


def test_a_change_of_an_account_that_was_disabled_is_not_sent(accounts, mailroom, change):
    account = accounts.create()
    change(account, ADDRESS)
    accounts.disable(account)
    assert mailroom.run() == []


# ── Notices ──


def test_a_user_is_told_that_the_password_was_changed(api, accounts, mailroom, session_headers):
    account = accounts.create()
    body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert api.post("/auth/password/change", json=body, headers=session_headers(account)).status_code == 200
    (mail,) = mailroom.run()
    assert (mail["To"], mail["Subject"]) == (account.email, "Your password was changed")


def test_a_user_is_told_that_the_account_was_deleted(api, accounts, mailroom, session_headers):
    account = accounts.create()
    assert api.delete("/auth/user", headers=session_headers(account)).status_code == 204
    (mail,) = mailroom.run()
    assert (mail["To"], mail["Subject"]) == (account.email, "Your account was deleted")


def test_what_is_asked_for_an_account_that_is_deleted_is_not_sent(
    api, accounts, mailroom, session_headers, change
):
    account = accounts.create()
    change(account, ADDRESS)
    api.delete("/auth/user", headers=session_headers(account))
    assert [mail["To"] for mail in mailroom.run()] == [account.email]


# ── Once, and again ──


def test_a_mail_that_was_sent_is_not_sent_again(api, mailroom):
    register(api)
    assert [len(mailroom.run()) for _ in range(2)] == [1, 0]


def test_a_mail_whose_row_is_gone_is_not_sent(api, mailroom, database_cursor):
    register(api)
    database_cursor.execute("DELETE FROM mails")
    assert mailroom.run() == []


def test_a_mail_that_is_tried_again_has_a_new_token_and_the_one_before_is_void(api, mailroom):
    register(api)
    seen = []

    def defer_once(mail):
        seen.append(mail)
        return "451 Later" if len(seen) == 1 else "250 OK"

    with MailServer(reply_to=defer_once) as server:
        settings = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none"}
        with pytest.raises(JobError) as caught:
            mailroom.run(**settings)
        mailroom.run()
    assert caught.value.is_transient
    assert [confirm(api, mail).status_code for mail in seen] == [400, 200]


def test_a_mail_that_cannot_be_sent_by_these_settings_makes_no_link_void(api, accounts, mailroom):
    account = accounts.create()
    ask_reset(api, account.email)
    (mail,) = mailroom.run()
    ask_reset(api, account.email)
    with pytest.raises(JobError, match="SMTP_HOST is not set"):
        mailroom.run(host="0.0.0.0", public_url="https://films.example")
    assert set_password(api, mail) == 204


# ── Not too many ──


def fill(mailroom, put, address=ADDRESS):
    """The mailbox got all that it gets in an hour."""
    for _ in range(MAXIMUM_MAILS_AN_HOUR):
        mailroom.run(put("registration", address, mailroom.cursor))


def test_a_mailbox_that_had_enough_gets_no_more_and_nothing_more_is_kept(mailroom, put):
    fill(mailroom, put, ADDRESS.upper())
    assert mailroom.run(put("registration", ADDRESS, mailroom.cursor)) == []
    assert mailroom.count() == MAXIMUM_MAILS_AN_HOUR


def test_a_mailbox_that_had_enough_keeps_the_link_that_it_has(api, accounts, mailroom, put):
    account = accounts.create()
    for _ in range(MAXIMUM_MAILS_AN_HOUR):
        (last,) = mailroom.run(put("reset", account.email, mailroom.cursor))
    assert mailroom.run(put("reset", account.email, mailroom.cursor)) == []
    assert set_password(api, last) == 204


def test_others_get_mails_while_one_had_enough(mailroom, put):
    fill(mailroom, put)
    assert len(mailroom.run(put("registration", "other@example.com", mailroom.cursor))) == 1


def test_who_had_enough_is_told_what_happened_all_the_same(mailroom, put):
    fill(mailroom, put)
    assert len(mailroom.run(put("notice", ADDRESS, mailroom.cursor, told="password.changed"))) == 1


def test_an_hour_later_there_are_mails_again(mailroom, put):
    fill(mailroom, put)
    mailroom.cursor.execute(
        "UPDATE mails SET created_at = created_at - interval '61 min', sent_at = sent_at - interval '61 min',"
        " expires_at = expires_at - interval '61 min'"
    )
    assert len(mailroom.run(put("registration", ADDRESS, mailroom.cursor))) == 1


def test_what_happened_does_not_count_for_what_is_asked_for(mailroom, put):
    for _ in range(MAXIMUM_MAILS_AN_HOUR):
        mailroom.run(put("notice", ADDRESS, mailroom.cursor, told="password.changed"))
    assert len(mailroom.run(put("registration", ADDRESS, mailroom.cursor))) == 1


@pytest.fixture
def slow_updates(database_cursor):
    """What is updated by one is seen by others only a while later."""

    def slow_down():
        database_cursor.execute(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END $$;"
            "CREATE TRIGGER wait BEFORE UPDATE ON mails FOR EACH ROW EXECUTE FUNCTION wait()"
        )

    return slow_down


def test_mails_that_are_written_at_once_are_counted_one_after_the_other(mailroom, put, slow_updates):
    for _ in range(MAXIMUM_MAILS_AN_HOUR - 1):
        mailroom.run(put("registration", ADDRESS, mailroom.cursor))
    mail_ids = [put("registration", ADDRESS, mailroom.cursor) for _ in range(2)]
    slow_updates()
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(mailroom.run, mail_ids))
    assert len(mailroom.files()) == MAXIMUM_MAILS_AN_HOUR


def test_of_resets_that_are_written_at_once_the_newest_works(api, accounts, mailroom, put):
    account = accounts.create()
    mail_ids = [put("reset", account.email, mailroom.cursor) for _ in range(MAXIMUM_MAILS_AN_HOUR)]
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(mailroom.run, reversed(mail_ids)))
    mailroom.cursor.execute("SELECT id::text FROM mails WHERE token_hash IS NOT NULL")
    assert mailroom.cursor.fetchall() == [(mail_ids[-1],)]


def test_mails_that_are_on_their_way_count_too(mailroom, put):
    fill(mailroom, put)
    mailroom.cursor.execute("UPDATE mails SET sent_at = NULL")
    assert mailroom.run(put("registration", ADDRESS, mailroom.cursor)) == []


# ── The database ──


def test_a_job_waits_for_a_database_that_is_away(make_settings):
    work._app.cache_clear()
    run = Run("postgresql+psycopg2://nobody@127.0.0.1:1/none", make_settings(), 0, {"mail": "x"})
    with pytest.raises(NotNowError):
        send_mail(run)
    work._app.cache_clear()


def test_what_the_database_says_of_values_is_not_told(mailroom):
    with pytest.raises(JobError) as caught:
        mailroom.run("ann@example.com")
    assert str(caught.value) == "the database refused take_up: 22P02"
