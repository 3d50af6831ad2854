"""Conditional requests: what an answer was made from, and 304 for who has that answer already.

Every view of GET says how it may be kept: `list_by_version`, `one_by_version`, `by_content` or `never_kept`.
The first two answer 304 before the answer is made. What a version is, the caller of these says: nothing here
knows of a database.

Source: RFC 9110, sections 8.8 and 13; RFC 9111, section 5.2.
"""

import hashlib
from collections.abc import Callable
from functools import cached_property, lru_cache, wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple

from flask import Response, current_app, make_response, request
from werkzeug.datastructures import Headers
from werkzeug.http import http_date

from movie_api.http import addresses
from movie_api.http.codings import coding_asked

# To be asked for anew each time, which costs a 304: whoever wrote sees the write in the next answer, and a
# reload is seen by all at once.
CACHE_CONTROL: Final = "public, no-cache"
NEVER_KEPT: Final = "no-store"

_TAG_BYTES: Final = 16
_MICROSECONDS: Final = 1_000_000

View = Callable[..., Any]


class Version(NamedTuple):
    """What an answer is made from.

    Attributes:
        state: Tells this state of the data from all that its address ever had.
        generation: The catalogue's; it rises with each change.
        changed_at_microseconds: When these data changed last, since 1970.
    """

    state: tuple[Any, ...]
    generation: int
    changed_at_microseconds: int


class Versioned(NamedTuple):
    """One resource: its version, and what makes its answer."""

    version: Version
    answer: Callable[[], Response]


class Tags:
    """Makes entity tags.

    Every worker makes the same ones. They hold the secret as well, which is asked for once, at the first of
    them: links to pages are signed with it, so with another secret a list is another one.

    Args:
        edition: Tells this version of the program from all others: `edition_of`.
        secret: Gives the key that signs.
    """

    def __init__(self, edition: str, secret: Callable[[], str]) -> None:
        self._edition = edition
        self._secret = secret

    @cached_property
    def _key(self) -> bytes:
        return hashlib.sha256(f"movie-api tags 1 {self._edition} {self._secret()}".encode()).digest()

    def tag(self, *parts: Any) -> str:
        """The tag, without its quotes, of an answer that these parts make, in the coding that is asked for.

        The coding is the one asked for, not the one that is sent: a body that is too small to be compressed
        has several tags, and two bodies never have one.
        """
        content = repr((*parts, coding_asked())).encode()
        return hashlib.blake2b(content, key=self._key, digest_size=_TAG_BYTES).hexdigest()


def edition_of(package: Path, version: str) -> str:
    """What tells one state of the program from another: its version and its modules' text.

    The version alone stays the same while somebody works on the code.
    """
    digest = hashlib.blake2b(version.encode(), digest_size=_TAG_BYTES)
    for path in sorted(package.rglob("*.py")):
        digest.update(f"\0{path.relative_to(package)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def list_by_version(read_version: Callable[[], Version]) -> Callable[[View], View]:
    """The view's answer is kept by the version of all its data, and by its whole address.

    Args:
        read_version: Asked before the view, so that a tag may name older data than its answer has (and be
            out of date at once), never newer (and be good for an answer that is out of date).
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer_if_new(*arguments: Any, **named: Any) -> Response:
            version = read_version()
            # Links in the answer are made of the base and the query, as they came.
            tag = _tags().tag(
                version.state, addresses.whole(request.path), request.environ.get("QUERY_STRING", "")
            )
            if _is_held(tag):
                return _not_modified(tag, version)
            answer = make_response(view(*arguments, **named))
            # Only an answer of 200 tells that there is something at all.
            return _not_modified(tag, version) if _is_anything_held() else _kept(answer, tag, version)

        return _declared(answer_if_new)

    return decorate


def one_by_version(view: Callable[..., Versioned]) -> View:
    """The view gives a `Versioned`; its answer is kept by that version, whatever else changes."""

    @wraps(view)
    def answer_if_new(*arguments: Any, **named: Any) -> Response:
        version, answer = view(*arguments, **named)
        tag = _tags().tag(version.state)
        if _is_held(tag) or _is_anything_held():
            return _not_modified(tag, version)
        return _kept(answer(), tag, version)

    return _declared(answer_if_new)


def by_content(view: View) -> View:
    """The view's answer costs next to nothing, and is kept by what it says: pages, files, the contract."""

    @wraps(view)
    def answer_if_new(*arguments: Any, **named: Any) -> Response:
        answer = make_response(view(*arguments, **named))
        answer.direct_passthrough = False
        tag = _tags().tag(hashlib.blake2b(answer.get_data(), digest_size=_TAG_BYTES).digest())
        if _is_held(tag) or _is_anything_held():
            answer.close()
            return _not_modified(tag)
        return _kept(answer, tag)

    return _declared(answer_if_new)


def never_kept(view: View) -> View:
    """The view's answer is good for one moment: states, ages."""
    # Whatever says nothing else is sent with no-store: `exchange` sees to that.
    return _declared(view)


def is_declared(view: View) -> bool:
    """Whether the view says how its answers may be kept."""
    return bool(getattr(view, "says_how_it_is_kept", False))


def _declared(view: View) -> View:
    view.says_how_it_is_kept = True  # type: ignore[attr-defined]
    return view


class _NotModified(Response):
    """304. Werkzeug would take `Last-Modified` away, as the first HTTP/1.1 (RFC 2616) asked for."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        headers = super().get_wsgi_headers(environ)
        if "Last-Modified" in self.headers:
            headers["Last-Modified"] = self.headers["Last-Modified"]
        return headers


def _not_modified(tag: str, version: Version | None = None) -> Response:
    return _kept(_NotModified(status=HTTPStatus.NOT_MODIFIED), tag, version)


def _kept(answer: Response, tag: str, version: Version | None = None) -> Response:
    headers = answer.headers
    headers["ETag"] = f'"{tag}"'
    headers["Cache-Control"] = CACHE_CONTROL
    if version is not None:
        headers["Data-Generation"] = str(version.generation)
        headers["Last-Modified"] = _date(version.changed_at_microseconds // _MICROSECONDS)
    return answer


@lru_cache(maxsize=100)
def _date(seconds: int) -> str:
    return http_date(seconds)


def _is_held(tag: str) -> bool:
    """Whether the caller names this tag as one that it has; the comparison is the weak one.

    If-Modified-Since is not looked at: it counts in seconds, and two changes may fall into one.
    """
    if "HTTP_IF_NONE_MATCH" not in request.environ:
        return False
    held = request.if_none_match
    return not held.star_tag and held.contains_weak(tag)


def _is_anything_held() -> bool:
    """Whether the caller says `If-None-Match: *`: it wants the answer only if there is none."""
    return "HTTP_IF_NONE_MATCH" in request.environ and request.if_none_match.star_tag


def _tags() -> Tags:
    tags: Tags = current_app.extensions["tags"]
    return tags
