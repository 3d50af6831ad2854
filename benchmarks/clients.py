"""A client that keeps many connections busy and costs the machine it shares with the server little."""

import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

_READ_BYTES: Final = 1 << 16
_UNANSWERED_SECONDS: Final = 30.0
_END_OF_HEAD: Final = b"\r\n\r\n"


@dataclass
class Timed:
    """What a run of requests took.

    Attributes:
        seconds: The whole run.
        latencies: Seconds from sending each request (and connecting, where the server had hung up) to its
            last byte.
        failed: Answers other than 200, and connections that broke.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failed: int = 0


class _Exchange:
    """One connection, and the request that is under way on it."""

    def __init__(self, address: tuple[str, int], selector: selectors.BaseSelector) -> None:
        self._address = address
        self._selector = selector
        self._socket: socket.socket | None = None
        self._received = b""
        self.began = 0.0

    def send(self, request: bytes) -> None:
        """The request is on its way."""
        self.began = time.perf_counter()
        self._received = b""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=_UNANSWERED_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._socket.sendall(request)

    def receive(self) -> bool | None:
        """Whether the answer is whole and good; None while there is more to come."""
        assert self._socket is not None
        chunk = self._socket.recv(_READ_BYTES)
        self._received += chunk
        head, found, body = self._received.partition(_END_OF_HEAD)
        is_whole = bool(found) and len(body) >= _content_length(head)
        if not chunk and not is_whole:
            self.close()
            return False
        if not is_whole:
            return None
        if b"\nconnection: close" in head.lower():
            self.close()
        return head.startswith(b"HTTP/1.1 200 ")

    def close(self) -> None:
        """The connection is closed."""
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None


def get_request(address: tuple[str, int], path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A GET, as it goes over the wire."""
    lines = {"Host": f"{address[0]}:{address[1]}", "Accept": "application/json", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()


def one_by_one(address: tuple[str, int], requests: Sequence[bytes]) -> Timed:
    """Sends the requests over one connection, each when the one before it is answered."""
    timed = Timed()
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        exchange = _Exchange(address, selector)
        for request in requests:
            exchange.send(request)
            is_good = None
            while is_good is None:
                is_good = next((good for _, good in _answered(selector)), None)
            timed.latencies.append(time.perf_counter() - exchange.began)
            timed.failed += not is_good
        exchange.close()
    timed.seconds = time.perf_counter() - began
    return timed


def keep_busy(address: tuple[str, int], paths: list[str], *, connections: int, seconds: float) -> Timed:
    """Sends GETs for the paths in turn over many connections, each one's next as soon as it is answered."""
    requests = cycle([get_request(address, path) for path in paths])
    timed = Timed()
    with selectors.DefaultSelector() as selector:
        exchanges = [_Exchange(address, selector) for _ in range(connections)]
        began = time.perf_counter()
        for exchange in exchanges:
            exchange.send(next(requests))
        while (now := time.perf_counter()) - began < seconds:
            for exchange, is_good in _answered(selector):
                now = time.perf_counter()
                timed.latencies.append(now - exchange.began)
                timed.failed += not is_good
                exchange.send(next(requests))
        timed.seconds = now - began
        for exchange in exchanges:
            exchange.close()
    return timed


def _answered(selector: selectors.BaseSelector) -> Iterator[tuple[_Exchange, bool]]:
    for key, _ in selector.select(timeout=1.0):
        exchange: _Exchange = key.data
        is_good = exchange.receive()
        if is_good is not None:
            yield exchange, is_good


def _content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"\ncontent-length:")
    return int(rest.partition(b"\r")[0]) if rest else 0
