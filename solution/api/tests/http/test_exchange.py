"""What every answer carries, whoever made it."""

import io
import json
import logging
import re

import pytest
import structlog
from flask import request
from movie_api.database import read, write
from movie_api.http.access import public
from movie_database.logs import configure_logging
from sqlalchemy import text

ADDRESSES = [
    "/",
    "/movies",
    "/movies/nope",
    "/genres",
    "/dataset",
    "/healthz",
    "/readyz",
    "/nope",
    "/docs",
    "/docs/openapi.json",
    "/auth/user",
    "/auth/keys",
    "/auth/providers",
    "/account/sign-in",
]


@pytest.fixture
def log(make_settings):
    """Sets the log up as the program does; gives what is written to it."""
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []

    def set_up(**settings) -> io.StringIO:
        configure_logging(make_settings(**settings), stream)
        return stream

    yield set_up
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
def test_every_answer_carries_a_request_id_and_the_security_headers(idle_api, address, method):
    answer = idle_api.open(address, method=method)
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers.getlist("Content-Security-Policy")[0].startswith("default-src 'none'")
    assert len(answer.headers.getlist("Content-Security-Policy")) == 1


@pytest.mark.parametrize("given", ["a", "x" * 128, "with a blank; and, signs"])
def test_a_request_id_is_taken_over(idle_api, given):
    assert idle_api.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "\u00e9", "a\tb"])
def test_a_request_id_that_is_none_is_replaced(idle_api, given):
    answer = idle_api.get("/healthz", headers={"X-Request-ID": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


@pytest.mark.parametrize(
    "address", ["/", "/movies", "/genres", "/dataset", "/healthz", "/docs", "/docs/openapi.yaml"]
)
def test_head_answers_as_get_does_without_a_body(idle_api, address):
    head, get = idle_api.head(address), idle_api.get(address)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(get.data))


@pytest.mark.parametrize(
    ("address", "methods"),
    [("/movies", {"GET", "HEAD", "OPTIONS", "POST"}), ("/genres", {"GET", "HEAD", "OPTIONS", "POST"})],
)
def test_options_tells_the_methods(idle_api, address, methods):
    answer = idle_api.options(address)
    assert (answer.status_code, answer.data) == (204, b"")
    assert set(answer.headers["Allow"].split(", ")) == methods


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_another_method_is_refused_with_those_that_are_allowed(idle_api, method):
    answer = idle_api.open("/movies", method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_request_is_one_line_in_the_form_of_all_others(make_app, log, log_format):
    stream = log(log_format=log_format)
    answer = make_app(log_format=log_format).test_client().get("/healthz")
    line = stream.getvalue()
    stream.truncate(0)
    stream.seek(0)
    fields = {"address": "/healthz", "client": "127.0.0.1", "method": "GET", "milliseconds": 0.5}
    structlog.get_logger("movie_api.requests").info(
        "request", **fields, request_id=answer.headers["X-Request-ID"], status=200
    )
    # What differs from one moment to the next.
    same = [
        re.sub(r'T[\d:.]+Z|(?<=milliseconds=)[\d.]+|(?<="milliseconds":)\s*[\d.]+', "", one)
        for one in (line, stream.getvalue())
    ]
    if log_format == "json":
        same = [json.loads(re.sub(r'"milliseconds":,', "", one)) for one in same]
    assert line.count("\n") == 1
    assert same[0] == same[1]


def test_a_level_above_info_keeps_requests_out_of_the_log(make_app, log):
    stream = log(log_level="WARNING")
    make_app().test_client().get("/healthz")
    assert stream.getvalue() == ""


def test_an_address_can_not_forge_a_line_of_the_log(make_app, log):
    stream = log()
    make_app().test_client().get("/healthz?%0A2026-01-01", environ_overrides={"RAW_URI": "/x\n\x1b[2J\u00e9"})
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_the_log_names_the_client_that_a_trusted_proxy_names(make_app, log):
    stream = log()
    api = make_app(trusted_proxies="127.0.0.1,10.0.0.0/8").test_client()
    api.get("/healthz", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.0.0.2"})
    assert "client=203.0.113.7" in stream.getvalue()


def test_the_log_names_the_peer_if_it_is_not_trusted(make_app, log):
    stream = log()
    make_app().test_client().get("/healthz", headers={"X-Forwarded-For": "203.0.113.7"})
    assert "client=127.0.0.1" in stream.getvalue()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("/auth/google/callback?code=4/0secret&state=s3cr3t", "/auth/google/callback?***"),
        ("/auth/google/callback", "/auth/google/callback"),
        ("/auth?secret", "/auth?***"),
        ("/AUTH/google/callback?code=secret", "/AUTH/google/callback?***"),
        ("//auth/google/callback?code=secret", "//auth/google/callback?***"),
        ("/%61uth/google/callback?code=secret", "/%61uth/google/callback?***"),
        ("/account/reset?token=secret", "/account/reset?***"),
        ("http://h/auth/x?code=secret", "http://h/auth/x?***"),
        ("/movies?title=secret", "/movies?title=secret"),
        ("/authors?name=secret", "/authors?name=secret"),
    ],
)
def test_what_an_address_of_accounts_was_asked_with_is_not_told(make_app, log, asked, told):
    stream = log(log_format="json")
    path, _, query = asked.removeprefix("http://h").partition("?")
    # As the server gives them: the path decoded, and the address as it came.
    environ = {"RAW_URI": asked, "PATH_INFO": path.replace("%61", "a"), "QUERY_STRING": query}
    make_app(log_format="json").test_client().get("/", environ_overrides=environ)
    assert [json.loads(line)["address"] for line in stream.getvalue().splitlines()] == [told]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT CAST(:secret AS integer)",
        "SELECT 1 / 0 WHERE :secret <> ''",
        "SELECT nothing FROM nowhere WHERE name = :secret",
        "INSERT INTO users (display_name, role) VALUES ('x', :secret)",
    ],
)
def test_a_fault_of_ours_is_told_without_what_was_in_the_request_or_the_statement(make_app, log, statement):
    app = make_app()

    @app.post("/broken")
    @public
    def broken():
        secret = request.get_json()["secret"]
        with write() as connection:
            connection.execute(text(statement), {"secret": secret})

    stream = log(log_level="DEBUG")
    answer = app.test_client().post(
        "/broken", json={"secret": "hunter2-in-the-body"}, headers={"X-Thing": "hunter2-in-a-header"}
    )
    assert answer.status_code == 500
    assert "unforeseen fault" in stream.getvalue()
    # Where it was is told all the same.
    assert "connection.execute(text(statement)" in stream.getvalue()
    assert "hunter2" not in stream.getvalue() + answer.text


def test_a_fault_in_a_read_is_told_without_what_was_looked_for(make_app, log):
    app = make_app()

    @app.get("/broken")
    @public
    def broken():
        read("SELECT CAST(%s AS integer)", ["hunter2"])

    stream = log(log_level="DEBUG")
    assert app.test_client().get("/broken").status_code == 500
    assert "InvalidTextRepresentation 22P02" in stream.getvalue()
    assert "hunter2" not in stream.getvalue().replace('["hunter2"]', "")
