"""Requests to providers: to an address that nobody can listen to, for a short time and a bounded answer."""

import io
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import structlog
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from movie_api.http.addresses import is_loopback
from movie_api.http.problems import PROVIDER_AWAY, Problem

RETRY_AFTER_SECONDS: Final = 5
TIMEOUTS: Final = (2.0, 4.0)
"""For how many seconds a provider may keep us waiting: for a connection, for its next bytes."""
_WHOLE_SECONDS: Final = 6.0
_MOST_BYTES: Final = 512 * 1024
_PIECE_BYTES: Final = 16 * 1024

_log = structlog.get_logger("movie_api.providers")


class AnswerError(requests.RequestException):
    """The answer is larger, slower or of another kind than any good one is."""


class BoundedAdapter(HTTPAdapter):
    """Reads an answer up to a size and a time, and follows it nowhere."""

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        """The answer, read."""
        ends_at = time.monotonic() + _WHOLE_SECONDS
        answer = super().send(request, *arguments, **{**named, "stream": True, "timeout": TIMEOUTS})
        try:
            content = _read(answer.raw, ends_at)
        except (HTTPError, OSError) as error:
            raise AnswerError("it broke off") from error
        finally:
            answer.raw.close()
        if answer.is_redirect:
            raise AnswerError("it leads elsewhere")
        # What reads it from now on reads what is here.
        answer.raw = io.BytesIO(content)
        answer.headers.pop("Content-Encoding", None)
        return answer


def secured(session: requests.Session) -> requests.Session:
    """The session keeps to the bounds, whoever uses it."""
    adapter = BoundedAdapter()
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    session.max_redirects = 0
    return session


def get_json(issuer: str, url: Any, *, token: str | None = None) -> dict[str, Any]:
    """The object that the provider answers.

    Args:
        issuer: The provider.
        url: Where it is asked.
        token: An access token of its own to show; None: none.

    Raises:
        Problem: It does not.
    """
    address = endpoint(issuer, url)
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with secured(requests.Session()) as session:
            answer = session.get(address, headers=headers, allow_redirects=False)
            answer.raise_for_status()
            content = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise away(issuer, error) from None
    if not isinstance(content, dict):
        raise away(issuer, "it answered no object")
    return content


def endpoint(issuer: str, url: Any) -> str:
    """The address, if what is said there is between the provider and us.

    Raises:
        Problem: It is not.
    """
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        parts = None
    if parts is not None and parts.hostname and "@" not in parts.netloc:
        # A provider on this machine, as in tests and trials, needs no certificate.
        is_local = issuer.startswith("http://") and is_loopback(parts.hostname)
        if parts.scheme == "https" or (parts.scheme == "http" and is_local):
            return str(url)
    raise away(issuer, "an address that it names is missing, or is not safe")


def away(issuer: str, reason: object) -> Problem:
    """The provider is away, or as good as that; the log says why, and the caller that it is."""
    # Of an exception, its kind alone: its text may hold the whole address, and what goes with it.
    told = type(reason).__name__ if isinstance(reason, Exception) else str(reason)
    _log.warning("provider away", issuer=issuer, reason=told)
    return Problem(
        PROVIDER_AWAY,
        "The provider can't be reached, or does not answer as it should.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def text_of(values: Mapping[str, Any], name: str) -> str | None:
    """A text of what somebody answered; None: there is none, or it is none."""
    value = values.get(name)
    return value if isinstance(value, str) and value and "\0" not in value else None


def _read(raw: Any, ends_at: float) -> bytes:
    content = bytearray()
    while piece := raw.read1(_PIECE_BYTES, decode_content=True):
        content += piece
        if len(content) > _MOST_BYTES:
            raise AnswerError("it is too large")
        if time.monotonic() > ends_at:
            raise AnswerError("it takes too long")
    return bytes(content)
