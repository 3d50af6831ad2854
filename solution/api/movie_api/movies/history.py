"""What was done to a movie by hand: its part of the audit."""

from datetime import UTC
from typing import Any, Final

from movie_api.database import read
from movie_api.http.cursors import Place
from movie_api.http.pages import Page, PageAsked
from movie_api.http.problems import NO_SUCH_MOVIE, Problem
from movie_api.keyset import beyond_sign, page_of
from movie_api.movies.queries import find_movie
from movie_api.reader import Row

_ENTRIES: Final = """
SELECT id, at, action, actor::text, detail FROM audit
WHERE object = %s AND {condition} ORDER BY id {along} LIMIT %s
"""


def history_page(movie_id: str, asked: PageAsked) -> Page:
    """One page of what editors did to the movie, latest first; the movie may be retired.

    Raises:
        Problem: If there never was such a movie.
    """
    found = find_movie(movie_id)
    if found is None:
        raise Problem(NO_SUCH_MOVIE, f"There is no movie with the id {movie_id}.")
    rows = _rows(str(found.row[0]), asked.place, asked.size + 1)
    page = page_of(rows, asked.place, asked.size, lambda row: (row[0], str(row[0])))
    return page._replace(items=[_entry(row) for row in page.items])


def _rows(movie_id: str, place: Place | None, limit: int) -> list[Row]:
    is_backward = place is not None and place.side.is_backward
    # Ids fall: what is further on is less.
    condition = "true" if place is None else f"%s {beyond_sign(place)} id"
    query = _ENTRIES.format(condition=condition, along="ASC" if is_backward else "DESC")
    return read(query, (movie_id, *(() if place is None else (place.value,)), limit))


def _entry(row: Row) -> dict[str, Any]:
    _, at, action, actor, detail = row
    return {
        "at": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        "action": action,
        "by": actor,
        "before": detail.get("before"),
        "after": detail.get("after"),
    }
