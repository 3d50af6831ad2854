"""Gunicorn's parts that are ours: its worker, which refuses in our words, and its log."""

import logging
import socket
from typing import Any, Final

import orjson
from gunicorn import http
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.util import close_graceful
from gunicorn.workers.sync import SyncWorker

from movie_api.http import exchange, problems
from movie_api.http.conditional import NEVER_KEPT
from movie_api.http.problems import Kind, Problem

# How long a client may keep a worker waiting for its next bytes.
CLIENT_PATIENCE_SECONDS: Final = 5.0
# How long the kernel keeps a connection on which nothing was sent: browsers open them in advance, and
# each would hold a worker.
SILENT_CONNECTION_SECONDS: Final = 30

_KINDS: Final[tuple[tuple[type[Exception], Kind, str], ...]] = (
    (errors.LimitRequestLine, problems.ADDRESS_TOO_LONG, "The request line is too long."),
    (errors.LimitRequestHeaders, problems.HEADERS_TOO_LARGE, "The headers are too many, or too large."),
    (errors.UnsupportedTransferCoding, problems.UNSUPPORTED_CODING, "The transfer coding is not known."),
    (errors.ExpectationFailed, problems.EXPECTATION_FAILED, "The Expect header can't be met."),
    (errors.ParseException, problems.MALFORMED_REQUEST, "The request can't be read as HTTP."),
)


class Worker(SyncWorker):  # type: ignore[misc]
    """A process that answers one request at a time."""

    def handle(self, listener: Any, client: socket.socket, addr: Any) -> None:
        """Reads one request and answers it; whatever happens, the connection is closed afterwards."""
        request = None
        client.settimeout(CLIENT_PATIENCE_SECONDS)
        try:
            request = next(http.get_parser(self.cfg, client, addr))
            self.handle_request(listener, request, client, addr)
        except (errors.NoMoreData, StopIteration, ConnectionError, TimeoutError) as error:
            self.log.debug("The client is gone: %s", error)
        except Exception as error:  # noqa: BLE001  a worker outlives every request
            self.handle_error(request, client, addr, error)
        finally:
            _close(client)

    def handle_error(
        self,
        req: Any,  # noqa: ARG002
        client: socket.socket,
        addr: Any,
        exc: BaseException,
    ) -> None:
        """Answers a request that never came to the program, in the same form as all others."""
        kind, detail = problems.INTERNAL_ERROR, "The answer could not be made."
        for error, its_kind, its_detail in _KINDS:
            # A header that *we* can't send is told like a bad one of the client's, and is our fault.
            if isinstance(exc, error) and not isinstance(
                exc, errors.InvalidResponseHeader | errors.InvalidResponseHeaderName
            ):
                kind, detail = its_kind, its_detail
                break
        request_id = exchange.new_request_id()
        if kind is problems.INTERNAL_ERROR:
            self.log.error("unforeseen fault, request id %s", request_id, exc_info=exc)
        else:
            peer = addr[0] if isinstance(addr, tuple) else "-"
            self.log.warning("%s, client %s, request id %s", kind.code, peer, request_id)
        try:
            client.sendall(_raw_answer(Problem(kind, detail), request_id))
        except OSError as error:
            self.log.debug("The client is gone: %s", error)


def _raw_answer(problem: Problem, request_id: str) -> bytes:
    body = orjson.dumps(problem.body(request_id))
    headers = [
        ("Connection", "close"),
        ("Content-Type", problems.MEDIA_TYPE),
        ("Content-Length", str(len(body))),
        *exchange.added_headers(request_id),
        NEVER_KEPT,
    ]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    status = problem.kind.status
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n".encode("latin-1") + body


def _close(client: socket.socket) -> None:
    """Closes; lingers only if the client sent more than was read, or its last bytes would be lost to a reset.

    Gunicorn lingers always: it waits up to two seconds for the client to close first, and the worker with it.
    """
    try:
        client.settimeout(0)
        unread = bool(client.recv(1, socket.MSG_PEEK))
    except OSError:
        unread = False
    if unread:
        close_graceful(client)
    else:
        client.close()


def defer_silent_connections(listener: socket.socket) -> None:
    """The kernel hands a connection over when its first bytes are there."""
    if listener.family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, "TCP_DEFER_ACCEPT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SILENT_CONNECTION_SECONDS)


class Log(Logger):  # type: ignore[misc]
    """Gunicorn's messages, in the product's log and form."""

    def setup(self, cfg: Config) -> None:
        """From now on, Gunicorn's messages go where all others go."""
        super().setup(cfg)
        for handler in list(self.error_log.handlers):
            self.error_log.removeHandler(handler)
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)
