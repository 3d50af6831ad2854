"""POST /auth/register, and the mail's link."""

import pytest

NEW = {"email": "ann@example.com", "password": "correct horse battery", "display_name": "Ann"}


def test_an_account_is_there_when_the_mails_link_was_opened(api, mailed_token):
    assert api.post("/auth/register", json=NEW).status_code == 202
    confirmed = api.post("/auth/email/verify", json={"token": mailed_token("registration")})
    assert confirmed.json == {"confirmed": "registration", "email": "ann@example.com"}
    signed_in = api.post("/auth/login", json={"email": NEW["email"], "password": NEW["password"]})
    user = signed_in.json["user"]
    assert (user["display_name"], user["role"], user["email_verified"]) == ("Ann", "user", True)


def test_there_is_no_account_before(api, problem):
    api.post("/auth/register", json=NEW)
    answer = api.post("/auth/login", json={"email": NEW["email"], "password": NEW["password"]})
    assert problem(answer) == (401, "wrong-credentials")


def test_the_answer_is_the_same_for_an_address_that_has_an_account(api, accounts):
    accounts.create(email="known@example.com")
    known = api.post("/auth/register", json={**NEW, "email": "known@example.com"})
    unknown = api.post("/auth/register", json=NEW)
    assert (known.status_code, known.json) == (unknown.status_code, unknown.json)


def test_as_many_statements_are_sent_for_either(api, accounts, queries):
    accounts.create(email="known@example.com")
    known, unknown = (
        queries.count(lambda email=email: api.post("/auth/register", json={**NEW, "email": email}))
        for email in ("known@example.com", "unknown@example.com")
    )
    assert known == unknown > 0


def test_neither_the_password_nor_a_token_is_stored_or_in_the_queue(api, database_cursor, mailed_token):
    api.post("/auth/register", json=NEW)
    token = mailed_token("registration")
    database_cursor.execute("SELECT row_to_json(mails)::text FROM mails")
    (row,) = database_cursor.fetchone()
    database_cursor.execute("SELECT args::text FROM procrastinate_jobs WHERE task_name = 'api:mail'")
    (arguments,) = database_cursor.fetchone()
    assert not any(secret in text for secret in (NEW["password"], token) for text in (row, arguments))
    assert NEW["email"] not in arguments


def test_a_link_works_once(api, mailed_token, problem):
    api.post("/auth/register", json=NEW)
    token = mailed_token("registration")
    assert api.post("/auth/email/verify", json={"token": token}).status_code == 200
    assert problem(api.post("/auth/email/verify", json={"token": token})) == (400, "link-not-valid")


def test_a_link_works_for_an_hour(api, mailed_token, problem, database_cursor):
    api.post("/auth/register", json=NEW)
    token = mailed_token("registration")
    database_cursor.execute("SELECT expires_at - now() FROM mails")
    assert 3590 < database_cursor.fetchone()[0].total_seconds() <= 3600
    database_cursor.execute("UPDATE mails SET expires_at = now()")
    assert problem(api.post("/auth/email/verify", json={"token": token})) == (400, "link-not-valid")


def test_of_two_registrations_of_one_address_the_first_confirmed_is_the_account(
    api, mailed_token, problem, database_cursor
):
    api.post("/auth/register", json={**NEW, "password": "somebody else's guess"})
    theirs = mailed_token("registration")
    database_cursor.execute("UPDATE mails SET created_at = created_at - interval '1 minute'")
    api.post("/auth/register", json=NEW)
    own = mailed_token("registration")
    assert api.post("/auth/email/verify", json={"token": own}).status_code == 200
    assert problem(api.post("/auth/email/verify", json={"token": theirs})) == (400, "link-not-valid")
    database_cursor.execute("SELECT count(*) FROM mails WHERE password_hash IS NOT NULL")
    assert database_cursor.fetchone() == (0,)


def test_a_reset_link_confirms_no_registration(api, accounts, mailed_token, problem):
    account = accounts.create()
    api.post("/auth/password/reset", json={"email": account.email})
    answer = api.post("/auth/email/verify", json={"token": mailed_token("reset")})
    assert problem(answer) == (400, "link-not-valid")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", "ann@localhost"),
        ("email", "ann@example.com\n"),
        ("email", ""),
        ("password", "too short"),
        ("password", "x" * 257),
        ("display_name", ""),
        ("display_name", " Ann"),
        ("display_name", "Ann\nBcc: all@example.com"),
        ("display_name", "x" * 81),
        ("role", "admin"),
    ],
)
def test_a_wrong_field_is_named(api, field, value, problem):
    answer = api.post("/auth/register", json={**NEW, field: value})
    assert problem(answer) == (400, "invalid-body")
    assert [one["field"] for one in answer.json["errors"]] == [field]


@pytest.mark.parametrize(
    "password", ["ann@example.com", "Ann@Example.com1", "aaaaaaaaaaaa", "ANN@example.com!!"]
)
def test_a_password_that_is_tried_first_is_refused(api, password, problem):
    answer = api.post("/auth/register", json={**NEW, "password": password})
    assert problem(answer) == (400, "weak-password")


@pytest.mark.parametrize(
    ("settings", "is_open"),
    [
        ({}, True),
        ({"registration": False}, False),
        ({"host": "0.0.0.0"}, False),
        ({"public_url": "https://movies.example.com"}, False),
        ({"public_url": "http://localhost:5000"}, True),
        ({"trusted_proxies": "127.0.0.1"}, False),
        ({"public_url": "https://movies.example.com", "smtp_host": "mail.example.com"}, True),
        ({"host": "0.0.0.0", "smtp_host": "mail.example.com"}, False),
        (
            {"host": "0.0.0.0", "smtp_host": "mail.example.com", "public_url": "https://movies.example.com"},
            True,
        ),
    ],
)
def test_registration_needs_mails_that_arrive(make_app, settings, is_open, problem):
    answer = make_app(**settings).test_client().post("/auth/register", json=NEW)
    assert answer.status_code == 202 if is_open else problem(answer) == (403, "registration-closed")
