"""Requests that may be sent again: by its Idempotency-Key, a POST is known when it comes a second time."""

import hashlib
import re
from typing import Final, NamedTuple

from flask import request

from movie_api.http.bodies import body_that_was_read
from movie_api.http.problems import INVALID_PARAMETERS, Fault, Problem

_HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


class Once(NamedTuple):
    """By what a request is known: the key that its sender made, and what tells it from every other."""

    key: str
    request_hash: bytes


def once() -> Once | None:
    """By what this request is known, whose body was read; None: its sender does not say.

    Raises:
        Problem: If the key is none.
    """
    key = request.headers.get(_HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Problem(
            INVALID_PARAMETERS,
            "The request can't be known again by this Idempotency-Key.",
            [Fault("header", _HEADER, "must be 1 to 255 printable ASCII characters, without blanks")],
        )
    content = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    content.update(body_that_was_read())
    return Once(key, content.digest())
