"""How a mail is written: its headers, its links, and what can't get into it."""

import pytest
from movie_api.accounts.links import account_link
from movie_api.accounts.mail_texts import TEXTS
from movie_api.accounts.mailing import send_mail, write
from movie_api.accounts.queries.mails import Letter
from movie_jobs.tasks import JobError, Run

TOKEN = "t" * 43
LETTER = Letter("registration", "ann@example.com", TOKEN)


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_is_plain_and_holds_a_link_only_where_there_is_a_token(make_settings, name):
    settings = make_settings(public_url="https://films.example/api")
    mail = write(Letter(name, "ann@example.com", TOKEN if TEXTS[name].page else None), settings)
    text = mail.get_content()
    assert (mail.get_content_type(), mail.get_content_charset()) == ("text/plain", "utf-8")
    assert text.startswith("Hello,\n")
    assert "If it wasn't you" in text
    assert "{" not in text
    assert "https://films.example/api" in text
    assert text.count(TOKEN) == (1 if TEXTS[name].page else 0)


def test_headers_say_who_when_and_that_a_program_wrote_it(make_settings):
    settings = make_settings(public_url="https://films.example", mail_from="movies@films.example")
    mail = write(LETTER, settings)
    assert mail["From"] == "Movie API <movies@films.example>"
    assert mail["To"] == "ann@example.com"
    assert mail["Subject"] == "Confirm your e-mail address"
    assert mail["Date"].datetime.tzinfo is not None
    assert mail["Message-ID"].endswith("@films.example>")
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("settings", "sender"),
    [
        ({"mail_from": "a@films.example", "smtp_user": "b@films.example"}, "a@films.example"),
        ({"smtp_user": "b@films.example"}, "b@films.example"),
        ({"smtp_user": "b"}, "movies@localhost"),
        ({}, "movies@localhost"),
    ],
)
def test_a_mail_comes_from_the_address_that_was_said_or_that_signs_in(make_settings, settings, sender):
    assert write(LETTER, make_settings(**settings))["From"].addresses[0].addr_spec == sender


@pytest.mark.parametrize(
    ("site", "domain"),
    [
        ("http://[2001:db8::7]:8080", "[IPv6:2001:db8::7]"),
        ("https://bücher.example/kino", "xn--bcher-kva.example"),
        (None, "localhost"),
    ],
)
def test_a_message_id_is_of_our_host(make_settings, site, domain):
    assert write(LETTER, make_settings(public_url=site))["Message-ID"].endswith(f"@{domain}>")


def test_a_long_message_id_is_one_word(make_settings):
    """Python 3.11 would write it as an encoded one, where a line's length is limited to 78 characters."""
    host = ".".join(["films" * 10] * 4)
    mail = write(LETTER, make_settings(public_url=f"https://{host}"))
    assert f"@{host}>".encode() in mail.as_bytes()


def test_a_link_is_one_line_of_the_very_mail_however_long_it_is(make_settings):
    settings = make_settings(public_url="https://films.example/" + "path/" * 40)
    lines = write(LETTER, settings).as_bytes().decode("ascii").splitlines()
    assert "    " + account_link(settings, "verify", TOKEN) in lines


def test_an_address_of_another_script_is_written_too(make_settings):
    settings = make_settings(public_url="https://bücher.example")
    mail = write(LETTER, settings)
    assert mail.as_bytes().isascii()
    assert account_link(settings, "verify", TOKEN) in mail.get_content()


@pytest.mark.parametrize(
    "made_of", ["ann@example.com\nBcc: eve@example.com", "ann@example.com\r\n\r\nHi", "ann"]
)
def test_an_address_that_would_be_a_header_of_its_own_is_refused_and_not_told(make_settings, made_of):
    with pytest.raises(JobError) as caught:
        write(Letter("registration", made_of, TOKEN), make_settings())
    assert str(caught.value) == "the recipient's address is none that a mail can have"
    assert not caught.value.is_transient


def test_a_name_that_would_be_a_header_of_its_own_gets_nowhere(make_settings, database_url, database_cursor):
    database_cursor.execute(
        "INSERT INTO mails (kind, address, display_name) VALUES"
        " ('registration', 'ann@example.com', E'Ann\\r\\nBcc: eve@example.com') RETURNING id::text"
    )
    settings = make_settings()
    send_mail(Run(database_url, settings, 0, {"mail": database_cursor.fetchone()[0]}))
    (file,) = (settings.data_dir / "mails").iterdir()
    assert "eve@" not in file.read_text()


def test_a_sender_that_no_header_can_hold_is_told_by_its_setting(make_settings):
    with pytest.raises(JobError, match="MAIL_FROM is no address"):
        write(LETTER, make_settings(mail_from="<>@films.example"))


def test_a_notice_that_nobody_wrote_is_told(make_settings):
    with pytest.raises(JobError, match="no text"):
        write(Letter("surprise", "ann@example.com"), make_settings())


@pytest.mark.parametrize("host", ["0.0.0.0", "films.example"])
def test_without_an_address_of_ours_nothing_is_sent_where_others_can_ask_for_mails(make_settings, host):
    run = Run("", make_settings(host=host, smtp_host="127.0.0.1"), 0, {"mail": "x"})
    with pytest.raises(JobError, match="PUBLIC_URL is not set") as caught:
        send_mail(run)
    assert not caught.value.is_transient
