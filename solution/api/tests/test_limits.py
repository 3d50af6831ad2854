"""How often somebody may do something that is counted before it is done."""

import re

import pytest
import structlog
from movie_api import limits
from movie_api.http.problems import Problem
from movie_api.limits import spending

ANN = "203.0.113.7"
BOB = "198.51.100.4"


@pytest.fixture
def make_spend(make_app):
    """Makes what spends as a request from an address does, under settings of the test's choice."""

    def make(**settings):
        app = make_app(**settings)

        def spend(kind="sign_in", account=None, address=ANN):
            with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
                spent = limits.spend(kind, account)
                headers = app.process_response(app.response_class()).headers
            return spent, headers

        def refusal(*arguments, **named):
            with pytest.raises(Problem) as refused:
                spend(*arguments, **named)
            return refused.value

        spend.refusal = refusal
        spend.app = app
        return spend

    return make


@pytest.fixture
def spend(make_spend):
    return make_spend()


def give_back(spend, spent, address=ANN):
    with spend.app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        spent.give_back()


@pytest.mark.parametrize(
    ("kind", "account", "times"),
    [
        ("sign_in", "ann@example.com", 10),
        ("sign_in", None, 50),
        ("registration", None, 5),
        ("reset", "ann@example.com", 3),
        ("reset", None, 30),
        ("nonce", None, 60),
    ],
)
def test_so_many_are_allowed_and_the_next_is_refused(spend, kind, account, times):
    for _ in range(times):
        spend(kind, account)
    assert spend.refusal(kind, account).kind.code == "too-many-requests"


def test_another_address_is_not_refused(spend):
    for _ in range(10):
        spend("sign_in", "ann@example.com")
    spend("sign_in", "ann@example.com", address=BOB)


def test_another_account_is_not_refused(spend):
    for _ in range(10):
        spend("sign_in", "ann@example.com")
    spend("sign_in", "bob@example.com")


def test_an_address_is_refused_that_tries_many_accounts(spend):
    for number in range(50):
        spend("sign_in", f"user{number}@example.com")
    assert spend.refusal("sign_in", "another@example.com").kind.code == "too-many-requests"


def test_whoever_is_refused_for_one_account_may_try_others_as_often(spend):
    for _ in range(10):
        spend("sign_in", "ann@example.com")
    for _ in range(60):
        spend.refusal("sign_in", "ann@example.com")
    for number in range(40):
        spend("sign_in", f"user{number}@example.com")
    spend.refusal("sign_in", "another@example.com")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("203.0.113.7", "::ffff:203.0.113.7"),
    ],
)
def test_these_are_one_address(make_spend, one, other):
    spend = make_spend(registration_limit="1/1h")
    spend("registration", address=one)
    spend.refusal("registration", address=other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        ("203.0.113.7", "203.0.113.8"),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8"),
    ],
)
def test_these_are_two_addresses(make_spend, one, other):
    spend = make_spend(registration_limit="1/1h")
    spend("registration", address=one)
    spend("registration", address=other)


def test_what_is_given_back_was_never_counted(spend):
    for _ in range(60):
        give_back(spend, spend("sign_in", "ann@example.com")[0])


def test_what_is_given_back_twice_leaves_the_tries_of_others(make_spend):
    spend = make_spend(sign_in_limit="2/15m")
    spent, _ = spend("sign_in", "ann@example.com")
    give_back(spend, spent)
    give_back(spend, spent)
    spend("sign_in", "ann@example.com")
    spend("sign_in", "ann@example.com")
    spend.refusal("sign_in", "ann@example.com")


def test_a_window_that_is_over_begins_anew(make_spend, database_cursor):
    spend = make_spend(registration_limit="1/1h")
    spend("registration")
    database_cursor.execute("UPDATE rate_limits SET expires_at = now()")
    spend("registration")
    spend.refusal("registration")


def test_what_was_counted_in_a_window_that_is_over_is_not_given_back_to_the_next(make_spend, database_cursor):
    spend = make_spend(registration_limit="1/1h")
    spent, _ = spend("registration")
    database_cursor.execute("UPDATE rate_limits SET expires_at = now()")
    spend("registration")
    give_back(spend, spent)
    spend.refusal("registration")


def test_a_refusal_does_not_make_the_window_longer(make_spend, database_cursor):
    spend = make_spend(registration_limit="1/1h")
    spend("registration")
    database_cursor.execute("SELECT expires_at FROM rate_limits")
    before = database_cursor.fetchall()
    spend.refusal("registration")
    database_cursor.execute("SELECT expires_at FROM rate_limits")
    assert database_cursor.fetchall() == before


def test_a_limit_that_is_off_counts_nothing(make_spend, database_cursor):
    spend = make_spend(registration_limit="off")
    for _ in range(10):
        _, headers = spend("registration")
    database_cursor.execute("SELECT count(*) FROM rate_limits")
    assert database_cursor.fetchone() == (0,)
    assert "RateLimit" not in headers


def test_one_of_two_limits_may_be_off(make_spend):
    spend = make_spend(sign_in_limit="off", sign_in_address_limit="2/1h")
    spend("sign_in", "ann@example.com")
    _, headers = spend("sign_in", "ann@example.com")
    assert headers["RateLimit-Policy"] == '"sign-in-address";q=2;w=3600'
    spend.refusal("sign_in", "ann@example.com")


def test_no_address_and_no_account_is_in_the_table(spend, database_cursor):
    spend("sign_in", "ann@example.com")
    database_cursor.execute("SELECT key FROM rate_limits")
    keys = [key for (key,) in database_cursor.fetchall()]
    assert len(keys) == 2
    assert all(re.fullmatch(r"[\w-]{43}", key) for key in keys)


def test_what_is_in_the_table_can_not_be_guessed_without_the_secret(make_spend, database_cursor):
    keys = []
    for secret in ("a key of the one server, 83b1f06ec97a", "a key of the other one, 5d20c7e94f18"):
        make_spend(secret_key=secret)("registration")
        database_cursor.execute("DELETE FROM rate_limits RETURNING key")
        keys += database_cursor.fetchall()
    assert len(set(keys)) == 2


def test_an_answer_tells_what_is_left_of_each_limit(spend):
    _, headers = spend("sign_in", "ann@example.com")
    assert headers["RateLimit-Policy"] == '"sign-in";q=10;w=900, "sign-in-address";q=50;w=900'
    assert headers["RateLimit"] == '"sign-in";r=9;t=900, "sign-in-address";r=49;t=900'


def test_a_refusal_tells_when_it_is_possible_again(make_spend, database_cursor):
    spend = make_spend(registration_limit="1/1h")
    spend("registration")
    database_cursor.execute("UPDATE rate_limits SET expires_at = now() + interval '99.5 s'")
    problem = spend.refusal("registration")
    assert problem.headers == {"Retry-After": "100"}
    assert problem.detail == "That was too often; it is possible again in 100 seconds."


def test_the_time_to_wait_is_at_least_a_second(make_spend, database_cursor):
    spend = make_spend(registration_limit="1/1h")
    spend("registration")
    database_cursor.execute("UPDATE rate_limits SET expires_at = now() + interval '0.3 s'")
    assert spend.refusal("registration").headers == {"Retry-After": "1"}


def test_a_refused_sign_in_is_told_like_all_problems(make_app):
    api = make_app(sign_in_limit="1/15m").test_client()
    body = {"email": "ann@example.com", "password": "nine lives of a film club"}
    assert api.post("/auth/login", json=body).status_code == 401
    answer = api.post("/auth/login", json=body)
    assert (answer.status_code, answer.json["type"]) == (429, "/docs/errors/too-many-requests")
    assert answer.headers["RateLimit-Policy"] == '"sign-in";q=1;w=900, "sign-in-address";q=50;w=900'
    assert re.fullmatch(r'"sign-in";r=0;t=(\d+), "sign-in-address";r=49;t=(\d+)', answer.headers["RateLimit"])
    assert 890 <= int(answer.headers["Retry-After"]) <= 900
    assert answer.headers["X-Request-ID"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_right_password_is_given_back_and_the_answer_tells_it(make_app, accounts):
    account = accounts.create()
    api = make_app(sign_in_limit="1/15m").test_client()
    body = {"email": account.email, "password": account.password}
    for _ in range(3):
        answer = api.post("/auth/login", json=body)
        assert answer.status_code == 200
        assert answer.headers["RateLimit"].startswith('"sign-in";r=1;t=')


@pytest.mark.parametrize(("trusted", "warnings"), [("", 1), ("192.0.2.1", 0)])
def test_a_limit_that_a_proxy_reaches_is_told_once_to_who_forgot_to_name_it(make_app, trusted, warnings):
    spending._warn_once.cache_clear()
    api = make_app(sign_in_limit="1/15m", trusted_proxies=trusted).test_client()
    body = {"email": "ann@example.com", "password": "nine lives of a film club"}
    sent = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": ANN}
    with structlog.testing.capture_logs() as lines:
        statuses = [api.post("/auth/login", json=body, environ_overrides=sent).status_code for _ in range(3)]
    assert statuses == [401, 429, 429]
    assert [line["proxy"] for line in lines if "TRUSTED_PROXIES" in line["event"]] == ["192.0.2.1"] * warnings


def test_without_the_database_it_is_a_problem_of_its_own(make_app):
    api = make_app(database_url="postgresql://127.0.0.1:1/none").test_client()
    answer = api.post(
        "/auth/login", json={"email": "ann@example.com", "password": "nine lives of a film club"}
    )
    assert (answer.status_code, answer.json["type"]) == (503, "/docs/errors/database-away")
