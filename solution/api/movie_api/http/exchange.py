"""What every answer gets, whoever made it: a request id, headers of security and caching, a log line."""

import os
import re
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, Final
from urllib.parse import quote

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SessionInterface, SessionMixin
from werkzeug.routing import Map, MapAdapter

from movie_api.http.addresses import Addresses
from movie_api.http.conditional import headers_of
from movie_api.http.request_log import RequestLog

_REQUEST_ID: Final = re.compile(r"[\x20-\x7e]{1,128}", re.ASCII)
# However it is mistyped: an address that leads nowhere is in the log as well.
_IS_SECRET: Final = re.compile(r"[/.]*(auth|account)\b", re.IGNORECASE)
_REQUEST_ID_KEY: Final = "movie_api.request_id"

# Answers are data: nothing in them may run, load or be framed. The docs pages bring a policy of their own.
_POLICY: Final = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
_SECURITY_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class Exchange:
    """WSGI middleware around the whole program, so that no answer goes out without these."""

    def __init__(self, wsgi_app: WsgiApp, addresses: Addresses, log: RequestLog) -> None:
        self._wsgi_app = wsgi_app
        self._addresses = addresses
        self._log = log

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Passes the request on, and finishes its answer."""
        began = perf_counter()
        request_id = environ.get("HTTP_X_REQUEST_ID", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = new_request_id()
        environ[_REQUEST_ID_KEY] = request_id

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            has_policy = any(name == _POLICY[0] for name, _ in headers)
            headers.extend(added_headers(request_id)[has_policy:])
            headers.extend(headers_of(environ, status))
            self._log.write(
                method=environ["REQUEST_METHOD"],
                address=_address(environ),
                status=int(status[:3]),
                milliseconds=(perf_counter() - began) * 1000,
                client=self._addresses.client(environ),
                request_id=request_id,
            )
            return start_response(status, headers, exc_info)

        return self._wsgi_app(environ, start)


def new_request_id() -> str:
    """An id that no other request has."""
    return os.urandom(16).hex()


def added_headers(request_id: str) -> list[tuple[str, str]]:
    """The headers that every answer carries; the policy comes first."""
    return [_POLICY, *_SECURITY_HEADERS, ("X-Request-ID", request_id)]


def request_id_of(environ: Environ) -> str | None:
    """The id of this request, as its answer and its line in the log carry it."""
    return environ.get(_REQUEST_ID_KEY)


def _address(environ: Environ) -> str:
    """The path and query as they came: still encoded, so they can't break a line of the log.

    Below /auth and /account, the query is not told: providers send browsers back with codes and states in it.
    """
    query = environ.get("QUERY_STRING", "")
    raw = environ.get("RAW_URI")
    if raw is None:
        raw = quote(environ.get("PATH_INFO", ""), encoding="latin-1") + (f"?{query}" if query else "")
    if query and _IS_SECRET.match(environ.get("PATH_INFO", "")):
        return str(raw).partition("?")[0] + "?***"
    return str(raw)


class _NoSession(SessionInterface):
    """There are no sessions: nothing is opened, read or signed for a request."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:  # noqa: ARG002
        return SecureCookieSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        pass


class _UrlMap(Map):
    """Addresses are what they are: Werkzeug would redirect // to /, at a host that the caller names."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**{**named, "merge_slashes": False})


class Api(Flask):
    """Flask, without what an API does not use."""

    url_map_class: type[Map] = _UrlMap
    session_interface = _NoSession()

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Matches by path and method alone, in a fraction of the time that Flask takes (28 µs of 77).

        The host that the caller names plays no part, so no address of ours can be made of it.
        """
        if request is None:
            return None
        query_string = request.environ["QUERY_STRING"]
        return MapAdapter(self.url_map, "", "/", "", "http", request.path, request.method, query_string)

    def make_default_options_response(self) -> Response:
        """What OPTIONS answers: the methods, and no content."""
        answer = super().make_default_options_response()
        if request.url_rule is not None:
            # Flask tells the methods of all rules that match: of /movies/{id} for /movies/changes, too.
            rules = [one for one in self.url_map.iter_rules() if one.rule == request.url_rule.rule]
            methods = {method for rule in rules for method in rule.methods or ()}
            answer.headers["Allow"] = ", ".join(sorted(methods))
        answer.status_code = 204
        del answer.headers["Content-Type"]
        return answer
