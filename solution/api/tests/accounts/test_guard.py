"""Who asks, before any view: in headers and in cookies."""

import base64
import json
import time
from datetime import timedelta

import jwt
import pytest
from flask_jwt_extended import create_access_token
from movie_api.http.access import rule_of


@pytest.fixture
def cookies(api, accounts, sign_in):
    """Signs in with cookies; gives the account, and what the browser's scripts can read."""
    account = accounts.create(role="editor")
    told = sign_in(account, cookies=True)
    assert (told["access_token"], told["refresh_token"]) == (None, None)
    return {name: api.get_cookie(name, domain="127.0.0.1", path=path) for name, path in COOKIES.items()}


COOKIES = {"movie_access": "/", "movie_csrf": "/", "movie_refresh": "/auth", "movie_refresh_csrf": "/"}


def test_every_view_says_whom_it_is_for(app):
    assert [name for name, view in app.view_functions.items() if rule_of(view) is None] == []


def test_a_view_that_does_not_say_is_refused_to_everybody(app, session_headers):
    app.add_url_rule("/secret", "secret", lambda: "secret")
    answer = app.test_client().get("/secret", headers=session_headers(role="admin"))
    assert answer.status_code == 500


@pytest.mark.parametrize("path", ["/movies", "/genres", "/dataset", "/healthz", "/", "/auth/user"])
@pytest.mark.parametrize(
    "header",
    [
        "Bearer x",
        "Bearer ",
        "Bearer a.b.c",
        "Bearer movies_nobody",
        "Bearer movies_",
        "Basic YTpi",
        "Bearer",
        "",
        "Bearer x y",
        "Bearer \xff\xfe",
        "Bearer " + "x" * 5_000,
    ],
)
def test_a_bad_token_is_refused_everywhere_public_reads_included(api, path, header, problem):
    answer = api.get(path, headers={"Authorization": header})
    assert problem(answer) == (401, "bad-token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="movie-api", error="invalid_token"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_token_a_sign_in_is_asked_for(api, problem):
    answer = api.get("/auth/user")
    assert problem(answer) == (401, "sign-in-needed")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="movie-api"'


def forged(token: str, key: str = "", algorithm: str = "HS256", **claims) -> str:
    """The token with other claims, signed anew by another key."""
    old = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode({**old, **claims}, key, algorithm=algorithm)


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_a_token_signed_by_others_is_refused(api, session_headers, algorithm, problem):
    token = session_headers()["Authorization"].removeprefix("Bearer ")
    fake = forged(token, "k" * 32 if algorithm == "HS256" else "", algorithm)
    answer = api.get("/auth/user", headers={"Authorization": f"Bearer {fake}"})
    assert problem(answer) == (401, "bad-token")


def test_a_token_whose_claims_were_changed_is_refused(api, session_headers, accounts, problem):
    head, body, signature = session_headers()["Authorization"].removeprefix("Bearer ").split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = accounts.create(role="admin").id
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    answer = api.get("/auth/user", headers={"Authorization": f"Bearer {head}.{changed}.{signature}"})
    assert problem(answer) == (401, "bad-token")


def test_a_token_of_another_server_is_refused(make_app, api, accounts, problem):
    account = accounts.create()
    other = make_app(secret_key="another key that is long enough 0123").test_client()
    login = {"email": account.email, "password": account.password}
    token = other.post("/auth/login", json=login).json["access_token"]
    answer = api.get("/auth/user", headers={"Authorization": f"Bearer {token}"})
    assert problem(answer) == (401, "bad-token")


def test_a_token_that_is_out_of_date_is_refused(app, api, accounts, problem):
    account = accounts.create()
    session_id, _ = accounts.session(account)
    with app.app_context():
        token = create_access_token(
            account.id, expires_delta=timedelta(seconds=-1), additional_claims={"sid": session_id}
        )
    answer = api.get("/movies", headers={"Authorization": f"Bearer {token}"})
    assert (problem(answer), answer.json["detail"]) == ((401, "bad-token"), "It is out of date.")


def test_a_token_that_was_good_a_moment_ago_is_refused_when_its_time_is_over(app, api, accounts, problem):
    account = accounts.create()
    session_id, _ = accounts.session(account)
    with app.app_context():
        token = create_access_token(
            account.id, expires_delta=timedelta(seconds=2), additional_claims={"sid": session_id}
        )
    headers = {"Authorization": f"Bearer {token}"}
    assert api.get("/auth/user", headers=headers).status_code == 200
    time.sleep(2.1)
    assert problem(api.get("/auth/user", headers=headers)) == (401, "bad-token")


def test_how_long_a_token_is_good_is_a_setting(make_app, accounts):
    client = make_app(access_token_lifetime="10s", refresh_token_lifetime="1h").test_client()
    account = accounts.create()
    told = client.post("/auth/login", json={"email": account.email, "password": account.password}).json
    lifetimes = []
    for name in ("access_token", "refresh_token"):
        claims = jwt.decode(told[name], options={"verify_signature": False})
        lifetimes.append(claims["exp"] - claims["iat"])
    assert lifetimes == [told["expires_in"], told["refresh_expires_in"]] == [10, 3600]


def test_a_disabled_account_is_refused_at_once(api, accounts, session_headers, problem):
    account = accounts.create(role="editor")
    headers = session_headers(account)
    key = {"Authorization": f"Bearer {accounts.key(account)}"}
    accounts.disable(account)
    for one in (headers, key):
        answer = api.get("/movies", headers=one)
        assert (problem(answer), answer.json["detail"]) == ((401, "bad-token"), "The account is disabled.")


def test_a_token_costs_one_statement(api, session_headers, accounts, queries):
    key = {"Authorization": f"Bearer {accounts.key(accounts.create())}"}
    for headers in (session_headers(), key):
        api.get("/healthz", headers=headers)
        assert queries.count(lambda headers=headers: api.get("/healthz", headers=headers)) == 1
    assert queries.count(lambda: api.get("/healthz")) == 0


def test_a_role_holds_from_the_next_request_on(api, accounts, session_headers, database_cursor, problem):
    account = accounts.create(role="editor")
    headers = session_headers(account)
    assert api.post("/movies", json={"title": "A"}, headers=headers).status_code == 201
    database_cursor.execute("UPDATE users SET role = 'user' WHERE id = %s", (account.id,))
    answer = api.post("/movies", json={"title": "B"}, headers=headers)
    assert problem(answer) == (403, "not-allowed")


def test_tokens_in_cookies_are_out_of_reach_of_scripts(cookies):
    assert {name: cookie.http_only for name, cookie in cookies.items()} == {
        "movie_access": True,
        "movie_csrf": False,
        "movie_refresh": True,
        "movie_refresh_csrf": False,
    }
    assert {cookie.same_site for cookie in cookies.values()} == {"Lax"}


@pytest.mark.parametrize(
    ("settings", "is_secure"),
    [
        ({}, False),
        ({"public_url": "https://movies.example.com"}, True),
        ({"public_url": "http://movies.example.com"}, True),
        ({"public_url": "http://localhost:5000"}, False),
        ({"public_url": "http://[::1]:5000/api"}, False),
        ({"public_url": "http://localhost.example.com"}, True),
    ],
)
def test_cookies_are_for_tls_alone_but_on_this_machine(make_app, accounts, settings, is_secure):
    account = accounts.create()
    client = make_app(**settings).test_client()
    login = {"email": account.email, "password": account.password, "cookies": True}
    answer = client.post("/auth/login", json=login)
    set_cookies = answer.headers.getlist("Set-Cookie")
    assert len(set_cookies) == 4
    assert {"Secure" in one for one in set_cookies} == {is_secure}


def test_cookies_go_where_a_proxy_has_us(make_app, accounts):
    account = accounts.create()
    client = make_app(public_url="https://example.com/films").test_client()
    login = {"email": account.email, "password": account.password, "cookies": True}
    answer = client.post("/auth/login", json=login)
    paths = {
        one.partition("=")[0]: one.partition("Path=")[2].partition(";")[0]
        for one in answer.headers.getlist("Set-Cookie")
    }
    assert paths == {
        "movie_access": "/films",
        "movie_csrf": "/films",
        "movie_refresh": "/films/auth",
        "movie_refresh_csrf": "/films",
    }


def test_a_cookie_reads(api, cookies):
    assert api.get("/auth/user").status_code == 200
    assert api.get("/movies").status_code == 200


def test_a_cookie_writes_only_with_the_csrf_token(api, cookies, problem):
    change = {"display_name": "B"}
    assert problem(api.patch("/auth/user", json=change)) == (403, "csrf-token-missing")
    wrong = {"X-CSRF-Token": cookies["movie_refresh_csrf"].value}
    assert problem(api.patch("/auth/user", json=change, headers=wrong)) == (403, "csrf-token-missing")
    right = {"X-CSRF-Token": cookies["movie_csrf"].value}
    assert api.patch("/auth/user", json=change, headers=right).status_code == 200


def test_a_refresh_by_cookie_needs_its_own_csrf_token_and_sets_cookies(api, cookies, problem):
    assert problem(api.post("/auth/token/refresh", json={})) == (403, "csrf-token-missing")
    right = {"X-CSRF-Token": cookies["movie_refresh_csrf"].value}
    answer = api.post("/auth/token/refresh", json={}, headers=right)
    assert (answer.status_code, answer.json["access_token"]) == (200, None)
    assert len(answer.headers.getlist("Set-Cookie")) == 4


def test_a_dead_cookie_keeps_nobody_from_signing_in(api, cookies, accounts, sign_in, database_cursor):
    database_cursor.execute("UPDATE sessions SET ended_at = now()")
    sign_in(accounts.create(), cookies=True)
    assert api.get("/auth/user").status_code == 200


def test_a_header_comes_before_a_cookie(api, cookies, session_headers, accounts):
    account = accounts.create()
    told = api.get("/auth/user", headers=session_headers(account)).json
    assert told["id"] == account.id


def test_a_cookie_of_a_session_that_is_over_is_refused_and_forgotten(api, cookies, database_cursor, problem):
    database_cursor.execute("UPDATE sessions SET ended_at = now()")
    assert problem(api.get("/movies")) == (401, "bad-token")
    assert api.get_cookie("movie_access", domain="127.0.0.1") is None
    assert api.get("/movies").status_code == 200


def test_signing_out_takes_all_cookies_away(api, cookies):
    api.post("/auth/logout", headers={"X-CSRF-Token": cookies["movie_csrf"].value})
    assert [
        name for name, path in COOKIES.items() if api.get_cookie(name, domain="127.0.0.1", path=path)
    ] == []


def test_pages_do_not_look_at_what_a_browser_sends(api):
    for path in ("/docs", "/docs/openapi.json", "/docs/errors"):
        assert api.get(path, headers={"Cookie": "movie_access=x"}).status_code == 200


def test_other_cookies_are_none_of_our_business(api):
    assert api.get("/movies", headers={"Cookie": "theme=dark"}).status_code == 200


def test_nobody_is_looked_at_where_nothing_is(api, problem):
    assert problem(api.get("/nothing", headers={"Authorization": "Bearer x"})) == (404, "no-such-address")


def test_what_is_over_is_pruned(app, accounts, session_headers, database_cursor, make_settings, database_url):
    from movie_api.accounts.jobs import prune  # noqa: PLC0415
    from movie_jobs.tasks import Run  # noqa: PLC0415

    account = accounts.create()
    for _ in range(2):
        accounts.session(account)
        accounts.key(account)
    one_of = "WHERE id = (SELECT id FROM {0} LIMIT 1)"
    statements = (
        f"UPDATE sessions SET expires_at = now() - interval '31 days' {one_of.format('sessions')}",
        f"UPDATE api_keys SET revoked_at = now() - interval '91 days' {one_of.format('api_keys')}",
        "INSERT INTO mails (kind, address) VALUES ('registration', 'a@b.example'), ('reset', 'c@b.example')",
        "UPDATE mails SET created_at = now() - interval '3 days'",
        "INSERT INTO nonces VALUES ('x', now() - interval '1 s'), ('y', now() + interval '1 min')",
    )
    for statement in statements:
        database_cursor.execute(statement)
    prune(Run(database_url, make_settings()))
    counts = {}
    for table in ("sessions", "refresh_tokens", "api_keys", "mails", "nonces"):
        database_cursor.execute(f"SELECT count(*) FROM {table}")
        (counts[table],) = database_cursor.fetchone()
    assert counts == {"sessions": 1, "refresh_tokens": 1, "api_keys": 1, "mails": 1, "nonces": 1}
