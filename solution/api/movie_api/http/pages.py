"""Pages of a list: which one is asked for, and the Link header that leads to the others.

Source: RFC 8288, Web Linking.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from flask import Response, current_app, request

from movie_api.http import addresses
from movie_api.http.answers import json_answer
from movie_api.http.cursors import MAXIMUM_LENGTH, Cursors, Place, fingerprint
from movie_api.http.parameters import Parameter, Query, integer, invalid, matching
from movie_api.http.problems import Fault

DEFAULT_PAGE_SIZE: Final = 10
MAXIMUM_PAGE_SIZE: Final = 100

# A comma divides links and a semicolon their parameters: some clients split there before they look at <>.
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9\-._~:/?@!$'()*+&=%]")
_SAFE: Final = "-._~:/?@!$'()*+&=%"
_PLACE_NAMES: Final = frozenset({"cursor", "after_id"})

# What every list takes; `after_id` comes with the form of its rows' ids.
PLACE_PARAMETERS: Final = (
    Parameter("page_size", integer(1, MAXIMUM_PAGE_SIZE)),
    Parameter(
        "cursor",
        matching(
            rf"[A-Za-z0-9_-]{{1,{MAXIMUM_LENGTH}}}",
            "must be a cursor from the Link header: letters, digits, - and _",
        ),
    ),
)
PAGE_PARAMETERS: Final = (
    *PLACE_PARAMETERS,
    Parameter(
        "after_id",
        matching(
            r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|tt[0-9]{7,10}",
            "must be the id of a movie: a UUID, or IMDb's id (tt and 7 to 10 digits)",
        ),
    ),
)


class PageAsked(NamedTuple):
    """The page that a request asks for.

    `place` is None on the first page; `after_id` stands in its stead where the caller names a row.
    """

    size: int
    place: Place | None
    after_id: Any
    fingerprint: bytes


class Page(NamedTuple):
    """One page of a list; `before` and `after` are None where there is no further page."""

    items: list[Any]
    before: Place | None
    after: Place | None


def page_asked(query: Query, list_identity: Callable[[Query], Any]) -> PageAsked:
    """The page that the query asks for; what `list_identity` gives tells its list from all others.

    Raises:
        Problem: If the cursor is not good here, or stands beside after_id.
    """
    cursor, after_id = query.get("cursor"), query.get("after_id")
    if cursor is not None and after_id is not None:
        raise invalid(
            Fault("query", "after_id", "can't stand beside cursor: each says where the page begins"),
        )
    identity = query.kept.get("fingerprint")
    if identity is None:
        identity = query.kept["fingerprint"] = fingerprint(list_identity(query))
    place = None if cursor is None else _cursors().read(cursor, identity)
    return PageAsked(query.get("page_size", DEFAULT_PAGE_SIZE), place, after_id, identity)


def page_answer(page: Page, asked: PageAsked) -> Response:
    """The page as a bare array, with its neighbours in the Link header."""
    return json_answer(page.items, headers={"Link": _links(page, asked)})


def _links(page: Page, asked: PageAsked) -> str:
    kept = _kept(request.environ["QUERY_STRING"])
    whole = addresses.whole(quote(request.path))
    links = [_link(whole, kept, "first")]
    for relation, place in (("prev", page.before), ("next", page.after)):
        if place is not None:
            cursor = f"cursor={_cursors().write(place, asked.fingerprint)}"
            links.append(_link(whole, f"{kept}&{cursor}" if kept else cursor, relation))
    return ", ".join(links)


def _link(address: str, query: str, relation: str) -> str:
    return f'<{address}?{query}>; rel="{relation}"' if query else f'<{address}>; rel="{relation}"'


@lru_cache(maxsize=500)
def _kept(query_string: str) -> str:
    """The query as it came, without the place in the list."""
    pieces = (
        piece for piece in query_string.split("&") if unquote(piece.partition("=")[0]) not in _PLACE_NAMES
    )
    kept = "&".join(pieces)
    return quote(kept, safe=_SAFE, encoding="latin-1") if _UNSAFE.search(kept) else kept


def _cursors() -> Cursors:
    cursors: Cursors = current_app.extensions["cursors"]
    return cursors
