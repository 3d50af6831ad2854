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
from werkzeug.http import http_date

from movie_api.http import addresses, codings
from movie_api.http.kept import KeptAnswers
from movie_api.http.problems import PRECONDITION_FAILED, PRECONDITION_REQUIRED, Fault, Problem

# To be asked for anew each time, which costs a 304: whoever wrote sees the write in the next answer, and a
# reload is seen by all at once.
CACHE_CONTROL: Final = "public, no-cache"
NEVER_KEPT: Final = ("Cache-Control", "no-store")

_HEADERS_KEY: Final = "movie_api.caching"
_TAG_BYTES: Final = 16
_MICROSECONDS: Final = 1_000_000

Environ = dict[str, Any]
Header = tuple[str, str]
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


class Precondition:
    """What a writer says it has seen: the `If-Match` header of the request.

    Source: RFC 9110, section 13.1.1; RFC 6585, section 3.
    """

    def __init__(self) -> None:
        self._is_given = "HTTP_IF_MATCH" in request.environ
        self._seen = request.if_match

    def check(self, version: Version) -> None:
        """The writer has seen this version, the one that is about to be overwritten.

        Raises:
            Problem: If it says nothing of what it has seen, or has seen another version.
        """
        if not self._is_given:
            raise Problem(
                PRECONDITION_REQUIRED,
                "The request says not which version it changes: the header If-Match is missing.",
                [Fault("header", "If-Match", "is required")],
            )
        # The comparison is the strong one: a weak tag is never the same.
        if not self._seen.star_tag and not _tags().every_tag(version.state) & self._seen.as_set():
            raise Problem(
                PRECONDITION_FAILED,
                "It was changed since the version that If-Match names was read.",
                [Fault("header", "If-Match", "names no version that is there now")],
            )


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

    def tag(self, environ: Environ, *parts: Any) -> str:
        """The tag, without its quotes, of an answer that these parts make, in the coding that is asked for.

        The coding is the one asked for, not the one that is sent: a body that is too small to be compressed
        has several tags, and two bodies never have one.
        """
        return self._tag(codings.asked(environ), *parts)

    def every_tag(self, *parts: Any) -> frozenset[str]:
        """The tags of an answer that these parts make, in all codings: who has one of them has the answer."""
        return frozenset(self._tag(coding, *parts) for coding in codings.EVERY)

    def _tag(self, coding: codings.Coding, *parts: Any) -> str:
        content = repr((parts, coding)).encode()
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
            environ = request.environ
            version = read_version()
            # Links in the answer are made of the base and the query, as they came.
            base, query = addresses.whole(environ["PATH_INFO"]), environ.get("QUERY_STRING", "")
            tag = _tags().tag(environ, version.state, base, query)
            if _is_held(environ, tag):
                return _not_modified(environ, tag, version)
            kept_answers: KeptAnswers = current_app.extensions["kept_answers"]
            key = (version.state, base, query)
            answer = kept_answers.get(key)
            if answer is None:
                answer = view(*arguments, **named)
                kept_answers.keep(key, answer)
            if _is_anything_held(environ):
                # Only now is it known that there is something at all.
                return _not_modified(environ, tag, version)
            _keep(environ, tag, version)
            return answer

        return _declared(answer_if_new)

    return decorate


def one_by_version(view: Callable[..., Versioned]) -> View:
    """The view gives a `Versioned`; its answer is kept by that version, whatever else changes."""

    @wraps(view)
    def answer_if_new(*arguments: Any, **named: Any) -> Response:
        environ = request.environ
        version, answer = view(*arguments, **named)
        tag = _tags().tag(environ, version.state)
        if _is_held(environ, tag) or _is_anything_held(environ):
            return _not_modified(environ, tag, version)
        _keep(environ, tag, version)
        return answer()

    return _declared(answer_if_new)


def tag_header(version: Version) -> Header:
    """The `ETag` of what a write made of a resource: the one that reading it in this coding gives."""
    return ("ETag", f'"{_tags().tag(request.environ, version.state)}"')


def by_content(view: View) -> View:
    """The view's answer costs next to nothing, and is kept by what it says: pages, files, the contract."""

    @wraps(view)
    def answer_if_new(*arguments: Any, **named: Any) -> Response:
        environ = request.environ
        answer = make_response(view(*arguments, **named))
        answer.direct_passthrough = False
        tag = _tags().tag(environ, hashlib.blake2b(answer.get_data(), digest_size=_TAG_BYTES).digest())
        if _is_held(environ, tag) or _is_anything_held(environ):
            answer.close()
            return _not_modified(environ, tag)
        _keep(environ, tag)
        return answer

    return _declared(answer_if_new)


def never_kept(view: View) -> View:
    """The view's answer is good for one moment: states, ages."""
    # That is what is said where nothing is.
    return _declared(view)


def is_declared(view: View) -> bool:
    """Whether the view says how its answers may be kept."""
    return bool(getattr(view, "says_how_it_is_kept", False))


def _declared(view: View) -> View:
    view.says_how_it_is_kept = True  # type: ignore[attr-defined]
    return view


def _not_modified(environ: Environ, tag: str, version: Version | None = None) -> Response:
    _keep(environ, tag, version).append(codings.VARY)
    return Response(status=HTTPStatus.NOT_MODIFIED)


def _keep(environ: Environ, tag: str, version: Version | None = None) -> list[Header]:
    """Says how this request's answer is kept; gives the headers that do.

    They are not put into the answer itself: checked and copied there, each takes four microseconds, and on
    its way out Werkzeug would take Last-Modified away from a 304, as RFC 2616 asked for.
    """
    headers = [("ETag", f'"{tag}"'), ("Cache-Control", CACHE_CONTROL)]
    if version is not None:
        headers += (
            ("Data-Generation", str(version.generation)),
            ("Last-Modified", _date(version.changed_at_microseconds // _MICROSECONDS)),
        )
    environ[_HEADERS_KEY] = headers
    return headers


def headers_of(environ: Environ, status: str) -> list[Header]:
    """The headers that say how the answer to this request is kept.

    Whatever says nothing is good for this one caller and moment: faults, states, what a write gave.
    """
    if status.startswith(("200", "304")):
        headers: list[Header] | None = environ.get(_HEADERS_KEY)
        if headers is not None:
            return headers
    return [NEVER_KEPT]


@lru_cache(maxsize=100)
def _date(seconds: int) -> str:
    return http_date(seconds)


def _is_held(environ: Environ, tag: str) -> bool:
    """Whether the caller names this tag as one that it has; the comparison is the weak one.

    If-Modified-Since is not looked at: it counts in seconds, and two changes may fall into one.
    """
    if "HTTP_IF_NONE_MATCH" not in environ:
        return False
    held = request.if_none_match
    return not held.star_tag and held.contains_weak(tag)


def _is_anything_held(environ: Environ) -> bool:
    """Whether the caller says `If-None-Match: *`: it wants the answer only if there is none."""
    return "HTTP_IF_NONE_MATCH" in environ and request.if_none_match.star_tag


def _tags() -> Tags:
    tags: Tags = current_app.extensions["tags"]
    return tags
