"""A local HTTP server of dumps that can misbehave in every way a real one does."""

import email.utils
import gzip
import hashlib
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

LONGEST_STALL_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one request.

    Attributes:
        status: answered in place of the file.
        cut_at: the connection ends after so many bytes of the body.
        stall_at: nothing comes after so many bytes of the body, and the connection stays open.
        is_silent: the request is never answered at all.
        tells_length: whether the answer says how long the body is.
        before: done before the request is answered, such as replacing the file.
    """

    status: int | None = None
    cut_at: int | None = None
    stall_at: int | None = None
    is_silent: bool = False
    tells_length: bool = True
    before: Callable[[], None] | None = None


@dataclass(frozen=True)
class SeenRequest:
    """A request that came, and how it was answered.

    Attributes:
        name: of the file.
        headers: with lower-case names.
        status: of the answer; 0 if there was none.
    """

    name: str
    headers: dict[str, str]
    status: int


@dataclass
class ServedFile:
    """A file, and what the server says of it.

    Attributes:
        content: its bytes.
        etag: as the header has it, or None for none.
        modified_at: seconds since the epoch, or None for no Last-Modified.
        has_ranges: whether `Range` is heeded.
        heeds_if_range: whether `If-Range` is; a server that does not sends the rest of another version.
    """

    content: bytes
    etag: str | None
    modified_at: float | None
    has_ranges: bool = True
    heeds_if_range: bool = True

    @property
    def last_modified(self) -> str | None:
        """As the header has it."""
        return None if self.modified_at is None else email.utils.formatdate(self.modified_at, usegmt=True)


@dataclass
class DatasetServer:
    """Serves files by name on a free port of the loopback address, for as long as the block runs.

    Attributes:
        files: by name.
        requests: all that came, in order.
    """

    files: dict[str, ServedFile] = field(default_factory=dict)
    requests: list[SeenRequest] = field(default_factory=list)
    _troubles: dict[str, deque[Trouble]] = field(default_factory=lambda: defaultdict(deque))
    _is_closing: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Begin to serve."""
        handler = type("_Handler", (_Handler,), {"dataset_server": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        # Connections that stall are left to their threads.
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and let go of every connection that stalls."""
        self._is_closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """Where the files are."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def put(
        self, name: str, content: bytes | str, *, etag: str | None = "", modified_at: float | None = 1.7e9
    ) -> ServedFile:
        """Serve a file from now on; text is packed if the name ends in `.gz`.

        Args:
            name: of the file.
            content: its bytes, or its text.
            etag: its ETag; made from its bytes if it is empty, not sent if it is None.
            modified_at: its date, in seconds since the epoch; not sent if it is None.
        """
        if isinstance(content, str):
            content = content.encode()
            content = gzip.compress(content, mtime=0) if name.endswith(".gz") else content
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"' if etag == "" else etag
        self.files[name] = ServedFile(content, etag, modified_at)
        return self.files[name]

    def trouble(self, name: str, *troubles: Trouble) -> None:
        """Have the next requests for a file go wrong, one trouble each, in order."""
        self._troubles[name].extend(troubles)

    def next_trouble(self, name: str) -> Trouble:
        """Return what is to go wrong with the request that came."""
        queue = self._troubles[name]
        return queue.popleft() if queue else Trouble()

    def stall(self) -> None:
        """Wait until the server closes."""
        self._is_closing.wait(LONGEST_STALL_SECONDS)

    def headers_of(self, name: str) -> list[dict[str, str]]:
        """Headers of the requests for a file, in order."""
        return [request.headers for request in self.requests if request.name == name]

    def statuses_of(self, name: str) -> list[int]:
        """Statuses of the answers to requests for a file, in order."""
        return [request.status for request in self.requests if request.name == name]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    dataset_server: DatasetServer

    def do_GET(self) -> None:
        server = self.dataset_server
        name = self.path.rsplit("/", 1)[-1]
        trouble = server.next_trouble(name)
        if trouble.before:
            trouble.before()
        # One request a connection, as with a server that was restarted in between.
        self.close_connection = True
        if trouble.is_silent:
            self._note(name, 0)
            server.stall()
            return
        file = server.files.get(name)
        if trouble.status or not file:
            self._send(name, trouble.status or HTTPStatus.NOT_FOUND, b"sorry", {}, trouble)
            return
        validators: dict[str, Any] = {"ETag": file.etag, "Last-Modified": file.last_modified}
        headers = {key: value for key, value in validators.items() if value}
        if self._is_known(file):
            self._send(name, HTTPStatus.NOT_MODIFIED, b"", headers, trouble)
            return
        start = self._range_start(file)
        if start is None:
            self._send(name, HTTPStatus.OK, file.content, headers, trouble)
        elif start >= len(file.content):
            self._send(name, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", {}, trouble)
        else:
            size = len(file.content)
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
            self._send(name, HTTPStatus.PARTIAL_CONTENT, file.content[start:], headers, trouble)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Stay silent."""

    def _is_known(self, file: ServedFile) -> bool:
        if condition := self.headers.get("If-None-Match"):
            return condition == file.etag
        condition = self.headers.get("If-Modified-Since")
        return condition is not None and condition == file.last_modified

    def _range_start(self, file: ServedFile) -> int | None:
        asked = self.headers.get("Range", "")
        if not file.has_ranges or not asked.startswith("bytes="):
            return None
        condition = self.headers.get("If-Range")
        if file.heeds_if_range and condition and condition not in {file.etag, file.last_modified}:
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _send(self, name: str, status: int, body: bytes, headers: dict[str, str], trouble: Trouble) -> None:
        self._note(name, status)
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if trouble.tells_length and status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        ends = [end for end in (trouble.cut_at, trouble.stall_at) if end is not None]
        try:
            self.wfile.write(body[: min(ends, default=len(body))])
            self.wfile.flush()
        except OSError:
            return  # the other side went away, as some tests want it
        if trouble.stall_at is not None:
            self.dataset_server.stall()

    def _note(self, name: str, status: int) -> None:
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.dataset_server.requests.append(SeenRequest(name, headers, status))
