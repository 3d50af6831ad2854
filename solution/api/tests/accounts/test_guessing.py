"""Guessing passwords, and finding out who has an account."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from movie_api.accounts import passwords
from movie_testing.api_server import running_api
from movie_testing.factories.accounts import PASSWORD

WRONG = "nine lives of a chess club"


@pytest.fixture
def server(database_url, tmp_path):
    """Four workers behind a proxy that names its callers."""
    with running_api(
        database_url, tmp_path, web_concurrency=4, trusted_proxies="127.0.0.1", database_pool_size=1
    ) as api:
        yield api


def sign_in(server, email, password, address):
    return httpx.post(
        f"{server.url}/auth/login",
        json={"email": email, "password": password},
        headers={"X-Forwarded-For": address},
        timeout=60,
    )


@pytest.mark.slow
def test_of_sixty_guesses_at_once_ten_are_looked_at_and_nobody_is_locked_out(server, accounts):
    account = accounts.create()
    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda _: sign_in(server, account.email, WRONG, "203.0.113.7"), range(60)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (10, 50)
    # Even the right one: or the fiftieth guess would be as good as the first.
    assert sign_in(server, account.email, PASSWORD, "203.0.113.7").status_code == 429
    assert sign_in(server, account.email, PASSWORD, "198.51.100.4").status_code == 200


@pytest.mark.slow
def test_right_passwords_at_once_are_all_given_back(server, accounts):
    account = accounts.create()
    for _ in range(20):
        assert sign_in(server, account.email, PASSWORD, "203.0.113.7").status_code == 200
    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(lambda _: sign_in(server, account.email, PASSWORD, "203.0.113.7"), range(8)))
    assert {answer.status_code for answer in at_once} == {200}
    last = sign_in(server, account.email, WRONG, "203.0.113.7")
    assert last.headers["RateLimit"].startswith('"sign-in";r=9;')


def test_guesses_at_a_changed_password_are_counted(make_app, accounts, session_headers):
    account = accounts.create()
    api = make_app().test_client()
    headers = session_headers(account)
    body = {"current_password": WRONG, "new_password": "a whole new set of words"}
    statuses = [api.post("/auth/password/change", json=body, headers=headers).status_code for _ in range(11)]
    assert statuses == [403] * 10 + [429]


def test_an_unknown_address_takes_as_long_as_a_known_one(make_app, accounts):
    known = accounts.create(password=None)
    # As the program makes it: the factory's own is made in no time.
    with make_app().app_context():
        password_hash = passwords.hash_of(PASSWORD)
    accounts._row("UPDATE users SET password_hash = %s WHERE id = %s RETURNING id", password_hash, known.id)
    provider_only = accounts.create(password=None)
    api = make_app(sign_in_limit="off", sign_in_address_limit="off").test_client()
    api.post("/auth/login", json={"email": "warm@example.com", "password": WRONG})
    seconds = {known.email: [], "unknown@example.com": [], provider_only.email: []}
    # Of the processor, which the hash needs and nothing else does: the clock would count what else runs here.
    for _ in range(5):
        for email, took in seconds.items():
            began = time.process_time()
            api.post("/auth/login", json={"email": email, "password": WRONG})
            took.append(time.process_time() - began)
    medians = [statistics.median(took) for took in seconds.values()]
    # Without the hash of nobody it would be one in twenty.
    assert min(medians) > 0.6 * max(medians)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/auth/login", {"password": WRONG}),
        ("/auth/register", {"password": PASSWORD, "display_name": "Ann"}),
        ("/auth/password/reset", {}),
    ],
)
def test_an_unknown_address_is_answered_with_the_same_statements_and_words(
    api, queries, accounts, path, more
):
    known = accounts.create().email
    api.post(path, json={"email": "warm@example.com", **more})
    sent, answers = [], []
    for email in (known, "unknown@example.com"):
        before = len(queries.statements)
        answers.append(api.post(path, json={"email": email, **more}))
        # The first words: values differ.
        sent.append([statement[:60] for statement in queries.statements[before:]])
    assert sent[0] == sent[1]
    assert len(sent[0]) > 1
    known_answer, unknown_answer = answers
    assert known_answer.status_code == unknown_answer.status_code
    assert known_answer.json | {"instance": ""} == unknown_answer.json | {"instance": ""}
    assert [name for name, _ in known_answer.headers] == [name for name, _ in unknown_answer.headers]
