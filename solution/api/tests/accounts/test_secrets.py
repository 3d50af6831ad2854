"""What is secret is in no log, however it is sent, and nothing large is read for anybody."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest
from movie_testing.api_server import running_api
from movie_testing.factories.accounts import PASSWORD

# Part of everything that is sent as a secret.
MARK = "hunter2"


def send_raw(url, request):
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture
def server(database_url, tmp_path):
    with running_api(
        database_url,
        tmp_path,
        log_level="DEBUG",
        cors_origins="https://app.example.com",
        anonymous_limit="1000/1m",
        secret_key=f"{MARK} is part of this key, 3f9c1b7e5d",
        smtp_host="127.0.0.1",
        smtp_user="films",
        smtp_password=MARK,
    ) as api:
        yield api


@pytest.mark.slow
def test_no_secret_is_in_the_log_however_it_is_sent(server, accounts, database_url):
    account = accounts.create(password=f"{MARK} nine lives of a film club")
    key = accounts.key(account)
    ask = httpx.Client(base_url=server.url, headers={"Origin": "https://app.example.com"}, timeout=30)

    # In bodies: right, wrong, unreadable, too large, and under names that nobody knows.
    signed_in = ask.post("/auth/login", json={"email": account.email, "password": account.password})
    tokens = signed_in.json()
    in_cookies = ask.post(
        "/auth/login", json={"email": account.email, "password": account.password, "cookies": True}
    )
    cookies = dict(in_cookies.cookies)
    ask.cookies.clear()
    ask.post("/auth/login", json={"email": account.email, "password": f"{MARK} wrong"})
    ask.post("/auth/login", content=b'{"password": "hunter2', headers={"Content-Type": "application/json"})
    ask.post("/auth/login", json={"email": account.email, "password": MARK * 10_000})
    ask.post("/auth/login", json={"email": account.email, "password": [MARK], f"p{MARK}": MARK})
    ask.post(
        "/auth/register",
        json={"email": "new@example.com", "password": f"{MARK} and more", "display_name": "x"},
    )
    for path in ("/auth/password/reset/confirm", "/auth/email/verify", "/auth/token/verify"):
        ask.post(path, json={"token": f"{MARK}.token", "password": f"{MARK} and more"})
    ask.post("/auth/token/refresh", json={"refresh_token": f"{MARK}.refresh"})
    for provider in ("google", "apple", "oidc/films"):
        ask.post(f"/auth/{provider}", json={"id_token": MARK, "code": MARK, "code_verifier": MARK})

    # In headers and cookies.
    access = {"Authorization": f"Bearer {tokens['access_token']}"}
    body = {"current_password": account.password, "new_password": f"{MARK} a whole new one"}
    ask.post("/auth/password/change", json=body, headers=access)
    for authorization in (f"Bearer {MARK}", f"Basic {MARK}", f"Bearer movies_{MARK}", f"Bearer {key}"):
        ask.get("/genres", headers={"Authorization": authorization})
    ask.get("/auth/user", headers={"Cookie": f"movie_access={MARK}", "X-CSRF-Token": MARK})
    ask.get("/auth/user", headers={"Cookie": f"movie_access={cookies['movie_access']}"})

    # In addresses that a provider sends browsers back to.
    for path in ("google/callback", "apple/callback", "oidc/films/callback", "nothing", "google/start"):
        ask.get(f"/auth/{path}?code={MARK}&state={MARK}")
    ask.get(f"/account/reset?token={MARK}")

    # In requests that are none.
    post = "POST /auth/login HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
    for request in (
        f"GET /auth/google/callback?code={MARK} HTTP/9\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: h\r\nAuthorization Bearer {MARK}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {MARK * 2_000}\r\n\r\n",
        f"{MARK}\r\n\r\n",
        f"{post}Transfer-Encoding: chunked\r\n\r\n{MARK}\r\n",
        f'{post}Content-Length: 100\r\n\r\n{{"password": "{MARK}',
    ):
        assert send_raw(server.url, request.encode()).startswith(b"HTTP/1.1 ")

    log = server.log.read_text()
    assert signed_in.status_code == 200
    assert "[debug" in log
    assert log.count("address=/auth/login") >= 7
    secrets = [MARK, key, key[8:], tokens["access_token"], tokens["refresh_token"], *cookies.values()]
    secrets += [password] if (password := urlsplit(database_url).password) else []
    assert [secret for secret in secrets if secret in log] == []
    # Nor is there what a password is kept as.
    assert "$argon2" not in log


@pytest.mark.parametrize(
    "path",
    [
        "/auth/login",
        "/auth/register",
        "/auth/password/reset",
        "/auth/password/reset/confirm",
        "/auth/email/verify",
        "/auth/token/refresh",
        "/auth/token/verify",
    ],
)
def test_a_body_that_is_too_large_is_not_read(api, path):
    answer = api.post(path, json={"email": "ann@example.com", "password": "x" * 70_000})
    assert (answer.status_code, answer.json["type"]) == (413, "/docs/errors/body-too-large")


def test_a_password_that_takes_long_to_hash_is_refused(api):
    answer = api.post("/auth/login", json={"email": "ann@example.com", "password": "x" * 60_000})
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/invalid-body")


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/auth/user", {}, 401),
        ("GET", "/genres", {"HTTP_AUTHORIZATION": "Bearer x"}, 401),
        ("GET", "/genres", {"HTTP_COOKIE": "movie_access=x"}, 401),
        ("POST", "/auth/login", {}, 415),
        ("POST", "/movies", {}, 401),
    ],
)
def test_refusals_carry_the_security_headers(app, method, path, sent, status):
    # Cookies that are kept would take the place of those that are sent.
    api = app.test_client(use_cookies=False)
    answer = api.open(path, method=method, environ_overrides=sent)
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/auth/password/reset"])
def test_no_answer_of_accounts_is_kept_by_anybody(api, accounts, path):
    account = accounts.create()
    body = {"email": account.email}
    if path != "/auth/password/reset":
        body["password"] = PASSWORD
    if path == "/auth/register":
        body["display_name"] = "Ann"
    answer = api.post(path, json=body)
    assert answer.status_code in (200, 202)
    assert answer.headers["Cache-Control"] == "no-store"
