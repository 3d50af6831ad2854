"""Which web sites' scripts may read our answers: those of `CORS_ORIGINS`, and no others.

Flask-CORS decides and writes the headers. It does so on the way out, after an answer was taken from those
that are kept: what is kept holds no origin.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

import logging
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from flask import Flask, Response
from flask_cors import CORS

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_TAKEN: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-CSRF-Token",
    "X-Request-ID",
)
_SHOWN: Final = (
    "Data-Generation",
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
)
# Chromium believes no one for longer.
_PREFLIGHT_KEPT: Final = timedelta(hours=2)


def register(app: Flask, origins: Iterable[str]) -> None:
    """From now on, scripts of these origins may call us; without any, nothing is different."""
    patterns = [_pattern(origin) for origin in origins]
    if not patterns:
        return
    # It tells each step of its thinking.
    logging.getLogger("flask_cors").setLevel(logging.WARNING)
    CORS(
        app,
        resources=re.compile("/"),
        origins=patterns,
        methods=_METHODS,
        allow_headers=_TAKEN,
        expose_headers=_SHOWN,
        supports_credentials=True,
        max_age=_PREFLIGHT_KEPT,
        vary_header=False,
        # Every fault becomes an answer before that (faults.py), and comes by here as all others do.
        intercept_exceptions=False,
    )
    app.after_request(_vary)


def _pattern(origin: str) -> re.Pattern[str]:
    """The whole of an origin: text that looks like an expression, as [::1] does, would be read as one."""
    return re.compile(re.escape(origin) + r"\Z", re.IGNORECASE)


def _vary(answer: Response) -> Response:
    """Who keeps answers keeps one for each origin and one for none; the library says so at some only."""
    answer.headers.add("Vary", "Origin")
    return answer
