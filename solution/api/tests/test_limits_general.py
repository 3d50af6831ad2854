"""The limits on all requests, of who has an account and of who has none."""

import re
import subprocess
import sys

import pytest

ANN = {"REMOTE_ADDR": "203.0.113.7"}
BOB = {"REMOTE_ADDR": "198.51.100.4"}


@pytest.fixture
def anonymous(make_app):
    """A caller of a server that answers two anonymous requests a minute."""
    return make_app(anonymous_limit="2/1m").test_client()


def test_there_is_none_unless_it_is_set(api, queries):
    assert "RateLimit" not in api.get("/genres", environ_overrides=ANN).headers
    assert "limiter" not in api.application.extensions
    assert queries.count(lambda: api.get("/healthz")) == 0


def test_without_one_its_library_is_not_even_loaded():
    program = (
        "import sys, movie_api; from movie_database.settings import given_settings;"
        " movie_api.create_app(given_settings(database_url='postgresql://h/d'));"
        " print('flask_limiter' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_so_many_anonymous_requests_are_answered_and_the_next_is_refused(anonymous):
    answers = [anonymous.get(path, environ_overrides=ANN) for path in ("/genres", "/dataset", "/movies")]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json["type"] == "/docs/errors/too-many-requests"
    assert 55 <= int(answers[2].headers["Retry-After"]) <= 60


def test_each_answer_tells_what_is_left(anonymous):
    answers = [anonymous.get("/genres", environ_overrides=ANN) for _ in range(3)]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"anonymous";q=2;w=60'}
    left = [re.fullmatch(r'"anonymous";r=(\d);t=\d+', answer.headers["RateLimit"])[1] for answer in answers]
    assert left == ["1", "0", "0"]


def test_another_address_is_answered(anonymous):
    for _ in range(3):
        anonymous.get("/genres", environ_overrides=ANN)
    assert anonymous.get("/genres", environ_overrides=BOB).status_code == 200


def test_a_window_that_is_over_begins_anew(anonymous, database_cursor):
    for _ in range(3):
        anonymous.get("/genres", environ_overrides=ANN)
    database_cursor.execute("UPDATE rate_limits SET expires_at = now()")
    assert anonymous.get("/genres", environ_overrides=ANN).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/account/sign-in"])
def test_pages_and_states_are_never_counted(anonymous, path):
    answers = [anonymous.get(path, environ_overrides=ANN) for _ in range(4)]
    assert 429 not in {answer.status_code for answer in answers}
    assert "RateLimit" not in answers[-1].headers


def test_what_a_browser_asks_before_it_asks_is_never_counted(anonymous):
    assert {anonymous.options("/movies", environ_overrides=ANN).status_code for _ in range(4)} == {204}


def test_an_answer_that_is_known_already_is_counted_too(anonymous):
    tag = anonymous.get("/genres", environ_overrides=ANN).headers["ETag"]
    asked = [
        anonymous.get("/genres", headers={"If-None-Match": tag}, environ_overrides=ANN).status_code
        for _ in range(2)
    ]
    assert asked == [304, 429]


def test_who_has_an_account_is_not_counted_as_anonymous(make_app, accounts):
    api = make_app(anonymous_limit="1/1m").test_client()
    headers = {"Authorization": f"Bearer {accounts.key(accounts.create())}"}
    answers = [api.get("/genres", headers=headers, environ_overrides=ANN) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}


def test_an_account_is_counted_whatever_its_address_and_its_key(make_app, accounts):
    api = make_app(signed_in_limit="2/1m").test_client()
    account = accounts.create()
    answers = [
        api.get(
            "/genres",
            headers={"Authorization": f"Bearer {accounts.key(account)}"},
            environ_overrides={"REMOTE_ADDR": f"198.51.100.{number}"},
        )
        for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"signed-in";q=2;w=60'


def test_one_account_takes_nothing_from_another(make_app, accounts):
    api = make_app(signed_in_limit="1/1m").test_client()
    for account in (accounts.create(), accounts.create()):
        headers = {"Authorization": f"Bearer {accounts.key(account)}"}
        assert api.get("/genres", headers=headers).status_code == 200


def test_both_may_hold_with_the_same_numbers(make_app, accounts):
    api = make_app(signed_in_limit="1/1m", anonymous_limit="1/1m").test_client()
    headers = {"Authorization": f"Bearer {accounts.key(accounts.create())}"}
    asked = [
        api.get("/genres", headers=given, environ_overrides=ANN).status_code
        for given in ({}, headers, {}, headers)
    ]
    assert asked == [200, 200, 429, 429]


def test_a_sign_in_tells_of_the_limit_on_all_requests_too(anonymous):
    answer = anonymous.post("/auth/login", json={"email": "ann@example.com", "password": "not the password"})
    assert answer.headers["RateLimit-Policy"] == (
        '"anonymous";q=2;w=60, "sign-in";q=10;w=900, "sign-in-address";q=50;w=900'
    )


def test_without_the_database_it_is_a_problem_of_its_own(make_app):
    api = make_app(database_url="postgresql://127.0.0.1:1/none", anonymous_limit="2/1m").test_client()
    answer = api.get("/genres")
    assert (answer.status_code, answer.json["type"]) == (503, "/docs/errors/database-away")
    assert api.get("/healthz").status_code == 200
