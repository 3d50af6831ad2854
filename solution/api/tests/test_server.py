"""The program as it runs in earnest: Gunicorn, workers, signals, a database that stops and starts."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time

import httpx
import pytest
from movie_database.migrate import migrate
from movie_database.server import database
from movie_testing.api_server import running_api, start_api
from movie_testing.databases import EMBEDDED_OPTIONS
from movie_testing.factories.accounts import AccountFactory

# In the place of an editor's key, which the tests' database has to be asked for.
KEY = b"THE KEY"
POST = (
    b"POST /movies HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: "
    + KEY
    + b"\r\n"
)


def ask_raw(url: str, request: bytes) -> tuple[str, dict]:
    """Status line and JSON body of the answer to these bytes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode().splitlines()[0], json.loads(body)


@pytest.fixture
def server(database_url, tmp_path):
    with running_api(database_url, tmp_path, web_concurrency=2) as api:
        yield api


def test_a_database_that_stops_gives_503_and_the_next_request_after_it_is_back_works(
    data_dir, make_settings, tmp_path
):
    settings = make_settings(data_dir=data_dir)
    with contextlib.ExitStack() as later:
        with database(settings, EMBEDDED_OPTIONS) as address:
            migrate(address)
            api = later.enter_context(running_api(address, tmp_path))
            before = httpx.get(f"{api.url}/movies")
            with AccountFactory(address) as accounts:
                headers = accounts.editor_headers()
        while_away = httpx.get(f"{api.url}/movies")
        with database(settings, EMBEDDED_OPTIONS):
            after = [
                httpx.get(f"{api.url}/movies"),
                httpx.post(f"{api.url}/movies", json={"title": "x"}, headers=headers),
            ]
    assert (before.status_code, while_away.status_code) == (200, 503)
    assert while_away.headers["Retry-After"] == "5"
    assert [answer.status_code for answer in after] == [200, 201]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_ten_seconds_and_leaves_no_process(database_url, tmp_path, sent):
    with running_api(database_url, tmp_path, web_concurrency=2) as api:
        began = time.monotonic()
        api.process.send_signal(sent)
        assert api.process.wait(10) == 0
        assert time.monotonic() - began < 10
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{api.url}/healthz")


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET / HTTP/9\r\n\r\n", "400 Bad Request", "malformed-request"),
        (b"GET /%s HTTP/1.1\r\n\r\n" % (b"x" * 9000), "414 ", "address-too-long"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n" % (b"x" * 9000), "431 ", "headers-too-large"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n", "400 Bad Request", "malformed-request"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400 ", "malformed-request"),
        (
            POST + b"Transfer-Encoding: chunked\r\n\r\n11000\r\n" + b" " * 0x11000 + b"\r\n0\r\n\r\n",
            "413 ",
            "body-too-large",
        ),
        (POST + b"Content-Length: 99999999\r\n\r\n{", "413 ", "body-too-large"),
    ],
)
def test_what_never_comes_to_the_program_is_refused_in_the_same_form(
    idle_server, idle_editor_headers, request_bytes, status, code
):
    request = request_bytes.replace(KEY, idle_editor_headers["Authorization"].encode())
    began = time.monotonic()
    status_line, problem = ask_raw(idle_server.url, request)
    assert time.monotonic() - began < 3
    assert status_line.startswith(f"HTTP/1.1 {status}")
    assert problem["type"] == f"/docs/errors/{code}"


def test_a_client_that_falls_silent_is_given_up(idle_server, idle_editor_headers):
    post = POST.replace(KEY, idle_editor_headers["Authorization"].encode())
    began = time.monotonic()
    status_line, problem = ask_raw(idle_server.url, post + b"Content-Length: 9\r\n\r\n{")
    assert (status_line, problem["type"]) == ("HTTP/1.1 408 REQUEST TIMEOUT", "/docs/errors/client-too-slow")
    assert time.monotonic() - began < 10
    assert "Traceback" not in idle_server.log.read_text()


def test_connections_on_which_nothing_is_sent_keep_nobody_waiting(idle_server):
    host, port = idle_server.url.removeprefix("http://").split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(8)]
    began = time.monotonic()
    answers = [httpx.get(f"{idle_server.url}/healthz", timeout=20).status_code for _ in range(4)]
    for connection in silent:
        connection.close()
    assert answers == [200] * 4
    assert time.monotonic() - began < 3


def test_a_worker_that_is_killed_is_replaced(server):
    children = subprocess.run(
        ["ps", "--ppid", str(server.process.pid), "-o", "pid="], capture_output=True, text=True, check=True
    )
    for pid in children.stdout.split():
        os.kill(int(pid), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{server.url}/healthz").is_success:
                break
        time.sleep(0.1)
    assert httpx.get(f"{server.url}/healthz").is_success


def test_all_workers_take_each_others_cursors(server, movies):
    movies.create_many(year=[2000] * 8)
    following = httpx.get(f"{server.url}/movies?page_size=1").links["next"]["url"]
    assert {httpx.get(following).status_code for _ in range(12)} == {200}


def test_it_leaves_no_control_socket_behind(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with running_api(database_url, tmp_path):
        pass
    assert not list(tmp_path.rglob("*.ctl"))


def test_its_own_lines_are_json_if_that_is_asked_for(database_url, tmp_path):
    with running_api(database_url, tmp_path, log_format="json") as api:
        httpx.get(f"{api.url}/movies")
    lines = [json.loads(line) for line in api.log.read_text().splitlines()]
    assert {"movie_api.requests", "gunicorn.error"} <= {line["logger"] for line in lines}
    assert "/movies" in [line.get("address") for line in lines]


@pytest.mark.parametrize(
    ("settings", "code", "told"),
    [
        ({"log_format": "xml"}, 2, "LOG_FORMAT"),
        ({"database_url": ""}, 2, "DATABASE_URL"),
        ({"database_url": "postgresql://nobody:hidden@127.0.0.1:1/none"}, 1, "127.0.0.1:1"),
    ],
)
def test_a_start_that_fails_says_why_in_one_line(database_url, tmp_path, settings, code, told):
    api = start_api(settings.pop("database_url", database_url), tmp_path, **settings)
    assert api.process.wait(20) == code
    log = api.log.read_text()
    lines = [line for line in log.splitlines() if "[info" not in line]
    assert len(lines) == 1
    assert told in lines[0]
    assert "hidden" not in log


def test_a_server_that_is_bound_to_all_names_the_address_that_was_reached(database_url, movies, tmp_path):
    movies.create_many(year=[1, 2])
    with running_api(database_url, tmp_path, host="0.0.0.0") as api:
        answer = httpx.get(f"{api.url}/movies?page_size=1", headers={"Host": "evil.example"})
    assert answer.links["next"]["url"].startswith(f"{api.url}/movies?page_size=1&cursor=")
