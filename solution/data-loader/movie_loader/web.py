"""One request for a file: conditional, for the rest of it, or for the whole."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import requests
import urllib3

from movie_loader.errors import LoadError
from movie_loader.versions import Version

CHUNK_BYTES: Final = 2**16

SLOWEST_BYTES_PER_SECOND: Final = 1024
"""A connection that brings less than this for as long as the timeout has stalled."""

_TRANSIENT: Final = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_USABLE: Final = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED}
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class BrokenOffError(Exception):
    """This request failed; another one may not."""


class NoRestError(BrokenOffError):
    """The server can't give the rest of this version: only the whole will do."""


@dataclass(frozen=True)
class Answer:
    """What a server sends.

    Attributes:
        is_unchanged: the kept file is the current one; nothing is sent.
        version: of the file.
        offset: of the first byte that is sent.
        total_bytes: size of the whole file, if the server tells.
        chunks: the bytes, as they come.
    """

    is_unchanged: bool
    version: Version
    offset: int
    total_bytes: int | None
    chunks: Iterator[bytes]


@contextmanager
def ask(
    address: str, *, part: Version | None, part_bytes: int, kept: Version | None, timeout_seconds: float
) -> Iterator[Answer]:
    """Ask for a file: for the rest of a part, or, given a kept file, whether there is a newer one.

    Raises:
        BrokenOffError: the network or the server failed, at once or within the block.
        LoadError: the server does not have the file.
    """
    headers = {"Accept-Encoding": "identity", "User-Agent": "movie-loader"}
    if part and part.validator:
        headers |= {"Range": f"bytes={part_bytes}-", "If-Range": part.validator}
    elif kept and kept.etag:
        headers |= {"If-None-Match": kept.etag}
    elif kept and kept.last_modified:
        headers |= {"If-Modified-Since": kept.last_modified}
    timeouts = (timeout_seconds, timeout_seconds)
    try:
        with requests.get(address, headers=headers, stream=True, timeout=timeouts) as response:
            yield _answer(response, address, part, part_bytes, timeout_seconds)
    except requests.exceptions.SSLError:
        raise LoadError(f"{address}: its certificate is not valid", code="source_unreachable") from None
    except requests.exceptions.InvalidURL:
        raise LoadError(f"{address}: is no address", code="source_missing") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise BrokenOffError(_plain(error)) from None


def _answer(
    response: requests.Response, address: str, part: Version | None, part_bytes: int, timeout_seconds: float
) -> Answer:
    status = response.status_code
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise NoRestError("the server does not have the rest of the file")
    if status in _TRANSIENT:
        raise BrokenOffError(f"{status} {response.reason}")
    if status not in _USABLE:
        raise LoadError(f"{address}: {status} {response.reason}", code="source_missing")
    version = Version(address, response.headers.get("ETag"), response.headers.get("Last-Modified"))
    length = response.headers.get("Content-Length", "")
    total_bytes = int(length) if length.isdigit() else None
    chunks = _chunks(response, timeout_seconds)
    if status != HTTPStatus.PARTIAL_CONTENT:
        return Answer(status == HTTPStatus.NOT_MODIFIED, version, 0, total_bytes, chunks)
    # Not every server knows If-Range: what it sends may be the rest of another version.
    content_range = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if not part or not version.may_be(part) or not content_range or int(content_range[1]) != part_bytes:
        raise NoRestError("the server sent the rest of another file")
    total_bytes = int(content_range[2]) if content_range[2] != "*" else None
    return Answer(is_unchanged=False, version=part, offset=part_bytes, total_bytes=total_bytes, chunks=chunks)


def _chunks(response: requests.Response, timeout_seconds: float) -> Iterator[bytes]:
    """Yield what comes, as it is on the wire; raise if it comes too slowly to count as coming."""
    began, received = time.monotonic(), 0
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
        yield chunk
        received += len(chunk)
        now = time.monotonic()
        if now - began >= timeout_seconds:
            if received < SLOWEST_BYTES_PER_SECOND * timeout_seconds:
                raise BrokenOffError(f"stalled: {received} bytes in {now - began:.0f} s")
            began, received = now, 0


_WORDS: Final = {
    "NameResolutionError": "its name can't be resolved; is there a network?",
    "ConnectTimeoutError": "no connection in time",
    "ReadTimeoutError": "stalled: nothing came in time",
    "ConnectionRefusedError": "the connection was refused",
    "ProxyError": "the proxy failed",
}


def _plain(error: BaseException) -> str:
    """Tell a failure of the network in plain words, without the libraries' own."""
    names = [type(one).__name__ for one in _causes(error)]
    return next((_WORDS[name] for name in names if name in _WORDS), "the connection was lost")


def _causes(error: object) -> Iterator[BaseException]:
    """Yield an error and those that it wraps, in any of the libraries' ways of wrapping."""
    if isinstance(error, BaseException):
        yield error
        for inner in (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args):
            yield from _causes(inner)
