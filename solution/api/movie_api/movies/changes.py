"""The SQL of what changed: each movie once, where its latest change stands.

A change is found by `movies.changed_in`, so a movie that changes again moves to the end of the list: a walk
that passed it meets it once more, and one that had not come to it meets it there alone. Generations are
committed in their order, so nothing is ever added before a place that a walk has passed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from movie_api.database import read, read_one
from movie_api.http.cursors import Place
from movie_api.http.pages import Page, PageAsked
from movie_api.http.parameters import Query, invalid
from movie_api.http.problems import Fault
from movie_api.keyset import beyond_sign, page_of
from movie_api.movies.queries import COLUMNS, shown
from movie_api.reader import Row

# The ids come from the index on (changed_in, id) alone, change by change, until the page is full; the table
# is visited for the page's own rows only. A change's movies are asked for as a range that holds one id: told
# that all ids are alike, the planner thinks of walking the primary key instead, and where it guesses wrong
# how many movies a change has, it walks past the whole catalogue for each small one (30 ms among 300,000).
_PAGE: Final = """
SELECT {columns}, movies.retired_at IS NOT NULL, movies.is_adult, appeared.generation > %s,
    page.generation, (extract(epoch FROM page.changed_at) * 1000000)::bigint
FROM (
    SELECT change.generation, change.changed_at, one.id
    FROM catalogue_changes AS change CROSS JOIN LATERAL (
        SELECT id FROM movies WHERE {movies}
        ORDER BY changed_in {along}, id {along} LIMIT %s
    ) AS one
    WHERE {changes}
    ORDER BY change.generation {along}, one.id {along} LIMIT %s
) AS page
JOIN movies USING (id)
JOIN catalogue_changes AS appeared ON appeared.id = movies.appeared_in
ORDER BY page.generation {along}, movies.id {along}
"""
_IS_RETIRED: Final = 12
_IS_ADULT: Final = 13
_IS_NEW: Final = 14
_GENERATION: Final = 15
_CHANGED_AT: Final = 16

_AT_MOMENT: Final = (
    "SELECT generation FROM catalogue_changes WHERE changed_at <= %s ORDER BY changed_at DESC LIMIT 1"
)
_OF_LOAD: Final = """
SELECT finished_at, (
    SELECT max(generation) FROM catalogue_changes WHERE load_id = dataset_loads.id
) FROM dataset_loads WHERE id = %s
"""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


class _Stretch(NamedTuple):
    """A part of the list: which changes, which of their movies, and the values of both conditions."""

    changes: str
    change_values: tuple[Any, ...]
    movies: str = "changed_in BETWEEN change.id AND change.id"
    movie_values: tuple[Any, ...] = ()


def change_page(query: Query, asked: PageAsked) -> Page:
    """One page of the changes since the load or time that the query names.

    Raises:
        Problem: If it names a load that there is not, or one that is not done.
    """
    base = _base(query.get("since"))
    rows = _rows(base, asked.place, asked.size + 1)
    page = page_of(rows, asked.place, asked.size, lambda row: (row[_GENERATION], row[0]))
    with_adult = query.get("include_adult", False)
    return page._replace(items=_entries(page.items, with_adult=with_adult))


def _entries(rows: Sequence[Row], *, with_adult: bool) -> list[dict[str, Any]]:
    return [_entry(row, movie, with_adult=with_adult) for row, movie in zip(rows, shown(rows), strict=True)]


def _entry(row: Row, movie: dict[str, Any], *, with_adult: bool) -> dict[str, Any]:
    # An adult movie may have been listed before it was marked as such, so for a copy without such movies it
    # is gone. Whether it ever was listed can't be known: to be retired and to come back makes it new.
    is_gone = row[_IS_RETIRED] or (row[_IS_ADULT] and not with_adult)
    changed_at = _EPOCH + timedelta(microseconds=row[_CHANGED_AT])
    return {
        "change": "retired" if is_gone else "added" if row[_IS_NEW] else "changed",
        "id": row[0],
        "generation": row[_GENERATION],
        "changed_at": f"{changed_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "movie": None if is_gone else movie,
    }


def _base(since: int | datetime | None) -> int:
    """The generation that the caller has; 0 for none."""
    if since is None:
        return 0
    if isinstance(since, int):
        load = read_one(_OF_LOAD, since)
        if load is None or load[0] is None:
            raise invalid(Fault("query", "since", "is not the id of a load that ended: see /dataset/loads"))
        finished_at, generation = load
        if generation is not None:
            return int(generation)
        # A load that changed nothing.
        since = finished_at
    row = read_one(_AT_MOMENT, since)
    return row[0] if row else 0


def _rows(base: int, place: Place | None, limit: int) -> list[Row]:
    """At most `limit` rows, away from the place, nearest first."""
    along = "DESC" if place is not None and place.side.is_backward else "ASC"
    rows: list[Row] = []
    for stretch in _stretches(base, place):
        wanted = limit - len(rows)
        rows += read(
            _PAGE.format(columns=COLUMNS, changes=stretch.changes, movies=stretch.movies, along=along),
            (base, *stretch.movie_values, wanted, *stretch.change_values, wanted),
        )
        if len(rows) == limit:
            break
    return rows


def _stretches(base: int, place: Place | None) -> list[_Stretch]:
    """The rest of the place's own change, then the others: an OR would read that change from its start."""
    if place is None:
        return [_Stretch("change.generation > %s", (base,))]
    if place.side.is_backward:
        others = _Stretch("change.generation < %s AND change.generation > %s", (place.value, base))
    else:
        others = _Stretch("change.generation > %s", (place.value,))
    other_end = ">=" if place.side.is_backward else "<="
    rest = f"(changed_in, id) {beyond_sign(place)} (change.id, %s) AND changed_in {other_end} change.id"
    return [_Stretch("change.generation = %s", (place.value,), rest, (place.id,)), others]
