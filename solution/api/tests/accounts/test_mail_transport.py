"""How mails leave: to a real mail server, by TLS and without, or into a folder."""

import email
import os
import socket
import stat
import time
import traceback
from email.message import EmailMessage
from email.policy import default as default_policy

import pytest
from movie_api.accounts import mail_transport
from movie_jobs.tasks import JobError
from movie_testing.mail_server import MailServer, certificate_file

USER = "mailer@films.example"
PASSWORD = "correct horse battery"
RECIPIENT = "ann@example.com"
LINK = "https://films.example/account/verify#token=" + "x" * 43


def a_mail(to: str = RECIPIENT) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "movies@films.example"
    message["To"] = to
    message["Subject"] = "Confirm"
    message.set_content(f"Open this:\n\n{LINK}\n", cte="7bit")
    return message


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return certificate_file(tmp_path_factory.mktemp("tls") / "server.pem", "127.0.0.1", "localhost")


@pytest.fixture
def trusted(certificate, monkeypatch):
    """The machine trusts the server's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


@pytest.fixture
def plain_server():
    with MailServer() as server:
        yield server


@pytest.fixture
def send(make_settings):
    """Sends a mail by a server, or into the folder."""

    def send(server=None, message=None, **settings):
        if server is not None:
            settings = {
                "smtp_host": "127.0.0.1",
                "smtp_port": server.port,
                "smtp_security": "none",
            } | settings
        made = make_settings(**settings)
        mail_transport.send(made, message or a_mail())
        return made.data_dir / "mails"

    return send


def failure(send, *arguments, **settings) -> JobError:
    with pytest.raises(JobError) as caught:
        send(*arguments, **settings)
    error = caught.value
    told = "".join(traceback.format_exception(error))
    assert not any(secret in told for secret in (RECIPIENT, PASSWORD, USER, LINK))
    return error


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_goes_by_tls_signed_in(send, trusted, security):
    with MailServer(security, trusted, USER, PASSWORD) as server:
        send(server, smtp_security=security, smtp_user=USER, smtp_password=PASSWORD)
    (mail,) = server.mails
    assert (mail.is_encrypted, mail.user) == (True, USER)
    assert (mail.sender, mail.recipients) == ("movies@films.example", [RECIPIENT])
    assert LINK in mail.message.get_content()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(send, certificate, security):
    with MailServer(security, certificate, USER, PASSWORD) as server:
        error = failure(send, server, smtp_security=security, smtp_user=USER, smtp_password=PASSWORD)
    assert "certificate is not good: self-signed certificate" in str(error)
    assert (error.is_transient, server.mails) == (True, [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_with_the_certificate_of_another_name_gets_nothing(send, tmp_path, monkeypatch, security):
    other = certificate_file(tmp_path / "other.pem", "mail.films.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with MailServer(security, other) as server:
        error = failure(send, server, smtp_security=security)
    assert "certificate is not good: IP address mismatch" in str(error)
    assert server.mails == []


def test_a_server_that_offers_no_starttls_gets_nothing(send, plain_server):
    error = failure(send, plain_server, smtp_security="starttls")
    assert "STARTTLS extension not supported" in str(error)
    assert (error.is_transient, plain_server.mails) == (False, [])


def test_without_tls_a_password_is_sent_on_this_machine_alone(send):
    with MailServer("none", None, USER, PASSWORD) as server:
        send(server, smtp_user=USER, smtp_password=PASSWORD)
    assert server.mails[0].user == USER


def test_without_tls_no_password_is_sent_to_another_machine(send):
    error = failure(
        send, smtp_host="mail.films.example", smtp_security="none", smtp_user=USER, smtp_password=PASSWORD
    )
    assert "SMTP_SECURITY is none" in str(error)
    assert not error.is_transient


def test_a_wrong_password_is_final(send, trusted):
    with MailServer("starttls", trusted, USER, PASSWORD) as server:
        error = failure(
            send, server, smtp_security="starttls", smtp_user=USER, smtp_password="another password"
        )
    assert str(error) == "the mail server refuses SMTP_USER with SMTP_PASSWORD (535 5.7.8)"
    assert (error.is_transient, error.is_told) == (False, False)


def test_a_password_that_no_server_can_be_told_is_final_and_not_shown(send, trusted):
    with MailServer("starttls", trusted, USER, PASSWORD) as server:
        error = failure(send, server, smtp_security="starttls", smtp_user=USER, smtp_password="pässword")
    assert str(error) == "SMTP_USER and SMTP_PASSWORD must be of ASCII characters"
    assert not error.is_transient


@pytest.mark.parametrize(
    ("reply", "numbers", "is_transient", "is_told"),
    [
        (f"550 5.1.1 <{RECIPIENT}> is unknown", "550 5.1.1", False, True),
        (f"550 no {RECIPIENT} here", "550", False, True),
        ("554 5.7.1 Relay access denied", "554 5.7.1", False, False),
        ("451 4.7.1 Greylisted", "451 4.7.1", True, False),
        ("452 4.2.2 Mailbox full", "452 4.2.2", True, True),
    ],
)
def test_a_refused_recipient_is_final_or_not_and_alerted_only_if_it_is_not_the_recipients_fault(
    send, plain_server, reply, numbers, is_transient, is_told
):
    plain_server.refuse("recipient", reply)
    error = failure(send, plain_server)
    assert str(error) == f"the mail server refuses the recipient ({numbers})"
    assert (error.is_transient, error.is_told) == (is_transient, is_told)


def test_a_refused_sender_is_told_as_such(send, plain_server):
    plain_server.refuse("mail", "553 5.7.1 movies@films.example is not yours")
    error = failure(send, plain_server)
    assert str(error) == "the mail server refuses the sender (MAIL_FROM) (553 5.7.1)"
    assert (error.is_transient, error.is_told) == (False, False)


@pytest.mark.parametrize(("reply", "is_transient"), [("554 5.6.0 Spam", False), ("451 Try again", True)])
def test_a_refused_mail_is_final_or_not_as_the_server_says(send, plain_server, reply, is_transient):
    plain_server.refuse("data", reply)
    assert failure(send, plain_server).is_transient == is_transient


def test_a_server_that_is_not_there_is_tried_again(send):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    error = failure(send, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    assert str(error) == "the mail server can't be reached: Connection refused"
    assert error.is_transient


@pytest.mark.parametrize("security", ["none", "tls"])
def test_a_server_that_says_nothing_is_given_up_and_tried_again(send, monkeypatch, security):
    monkeypatch.setattr(mail_transport, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = failure(send, smtp_host="127.0.0.1", smtp_port=port, smtp_security=security)
    assert error.is_transient


def test_an_address_that_the_server_does_not_take_is_final(send, plain_server):
    error = failure(send, plain_server, a_mail("jürgen@example.com"))
    assert "SMTPUTF8" in str(error)
    assert not error.is_transient


def test_without_a_server_a_mail_is_a_file_for_its_owner_alone(send):
    folder = send()
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    message = email.message_from_bytes(file.read_bytes(), policy=default_policy)
    assert message["To"] == RECIPIENT


def test_a_link_stands_in_the_file_as_it_is(send):
    (file,) = send().iterdir()
    assert LINK in file.read_text().splitlines()


def test_a_folder_that_others_could_read_is_closed_to_them(send, make_settings):
    folder = make_settings().data_dir / "mails"
    folder.mkdir(parents=True, mode=0o755)
    send()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_files_of_mails_sort_by_time(send):
    names = []
    for _ in range(5):
        (new,) = {file.name for file in send().iterdir()} - set(names)
        names.append(new)
    assert names == sorted(names)


def test_old_files_of_mails_are_removed(send, make_settings):
    names = []
    for days in (31, 29):
        (new,) = set(send().iterdir()) - set(names)
        os.utime(new, (time.time() - days * 86_400,) * 2)
        names.append(new)
    mail_transport.remove_old(make_settings())
    assert list(names[0].parent.iterdir()) == names[1:]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "films.example"])
def test_without_a_server_nothing_is_written_where_others_can_ask_for_mails(send, make_settings, host):
    error = failure(send, host=host)
    assert "SMTP_HOST is not set" in str(error)
    assert not error.is_transient
    assert not (make_settings().data_dir / "mails").exists()


def test_a_folder_that_cannot_be_written_to_is_tried_again(send, make_settings):
    folder = make_settings().data_dir
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("in the way")
    error = failure(send)
    assert str(error) == f"the mail can't be written to {folder / 'mails'}: Not a directory"
    assert error.is_transient
