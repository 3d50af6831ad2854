"""Content codings: which one a caller likes best, and answers that are sent in it.

Source: RFC 9110, sections 8.4 and 12.5.3.
"""

from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from flask import Flask, Response, request
from flask_compress import Compress
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

IDENTITY: Final = "identity"
CODINGS: Final = ("zstd", "br", "gzip")
VARY: Final = ("Vary", "Accept-Encoding")

_HEADERS_KEPT: Final = 200
_ACCEPTS: Final = "HTTP_ACCEPT_ENCODING"
_TYPES: Final = frozenset(
    {
        "application/json",
        "application/yaml",
        "image/svg+xml",
        "text/css",
        "text/html",
        "text/javascript",
    }
)
# Less than that goes out in one packet with its headers, compressed or not.
_MINIMUM_BYTES: Final = 1_000
# A page of 10 movies (2,892 bytes) and one of 100 (28,928), in bytes and microseconds:
#   zstd 1:  869, 27   5,761,  71      br 3: 858, 33   5,860, 173      gzip 4: 918, 31   6,751, 230
#   zstd 3:  862, 29   5,834, 100      br 4: 857, 58   5,846, 279      gzip 6: 900, 32   6,495, 325
#   zstd 6:  848, 44   5,998, 283      br 6: 808, 75   5,852, 562      gzip 9: 900, 33   6,453, 597
_LEVELS: Final = {"COMPRESS_ZSTD_LEVEL": 1, "COMPRESS_BR_LEVEL": 3, "COMPRESS_LEVEL": 4}


class Coding(NamedTuple):
    """The coding for an answer; `is_forced` where the caller takes no answer without one, however small."""

    name: str
    is_forced: bool


EVERY: Final = tuple(Coding(name, is_forced) for name in (IDENTITY, *CODINGS) for is_forced in (False, True))
_NONE: Final = Coding(IDENTITY, is_forced=False)


def asked(environ: dict[str, Any]) -> Coding:
    """The coding that a request's caller likes best."""
    header = environ.get(_ACCEPTS)
    return preferred(header) if header else _NONE


@lru_cache(maxsize=_HEADERS_KEPT)
def preferred(header: str) -> Coding:
    """The coding that an `Accept-Encoding` header likes best; of several, the first of `CODINGS`.

    Flask-Compress has a reading of its own, which takes `gzip;q=0` for a wish and passes over `gzip; q=1`.
    """
    asked = parse_accept_header(header.lower(), Accept)
    named = {name for name, _ in asked}
    # Who names no coding of ours wants none; identity is as good as any, unless it is said how good.
    weights = [(asked.quality(name), name) for name in CODINGS if name in named or "*" in named]
    weight, name = max(weights, key=lambda one: one[0], default=(0, IDENTITY))
    if weight <= 0 or (IDENTITY in named and asked.quality(IDENTITY) > weight):
        return _NONE
    takes_identity = asked.quality(IDENTITY) > 0 if IDENTITY in named or "*" in named else True
    return Coding(name, is_forced=not takes_identity)


def register(app: Flask) -> None:
    """From now on, answers are compressed where that pays, and say that they differ by `Accept-Encoding`."""
    app.config.update(
        _LEVELS,
        COMPRESS_MIMETYPES=sorted(_TYPES),
        COMPRESS_ALGORITHM=list(CODINGS),
        COMPRESS_MIN_SIZE=0,
        COMPRESS_STREAMS=False,
        # Whether an answer is known to its caller is found out before it is made.
        COMPRESS_EVALUATE_CONDITIONAL_REQUEST=False,
        COMPRESS_REGISTER=False,
    )
    compress = Compress(app)

    def compressed(answer: Response) -> Response:
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        if kind not in _TYPES or answer.status_code != HTTPStatus.OK:
            return answer
        answer.headers.add(*VARY)
        environ = request.environ
        coding = asked(environ)
        if coding.name == IDENTITY or (not coding.is_forced and len(answer.get_data()) < _MINIMUM_BYTES):
            return answer
        # It reads the header itself; now there is one way to read it.
        environ[_ACCEPTS] = coding.name
        return compress.after_request(answer)

    app.after_request(compressed)
