"""The SQL of movies."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final, NamedTuple

from movie_database.sort_keys import sort_key
from sqlalchemy import insert, text

from movie_api.database import Row, read, write
from movie_api.genres.queries import find_or_create, folded, genre_ids, genre_names
from movie_api.http.cursors import Place, Side
from movie_api.http.pages import Page, PageAsked
from movie_api.http.parameters import Parameter, Query, Reader, flag, integer, number, one_of, several
from movie_api.http.problems import UNKNOWN_AFTER_ID, Fault, Problem
from movie_api.movies.models import Movie
from movie_api.movies.schemas import MAXIMUM_COUNT, MAXIMUM_GENRE_CHARACTERS, NewMovie, movie


@dataclass(frozen=True, slots=True)
class Sort:
    """An order that lists may be asked for in; movies without a value come last in both directions."""

    name: str
    column: str
    index: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that lists may be asked for; `%s` is its value."""

    name: str
    condition: str
    type: Reader
    index: str
    most: int = 1
    stored: Callable[[Any], Any] = lambda value: value


def _tenths_below(rating: Decimal) -> int:
    """The last tenth that is not above the rating: 91 for 9.15."""
    return int((rating * 10).to_integral_value(ROUND_FLOOR))


SORTS: Final = {
    sort.name: sort
    for sort in (
        Sort("title", "title_key", index="movies_title_idx"),
        Sort("year", "year", index="movies_year_idx"),
        Sort("rating", "rating_tenths", index="movies_rating_idx"),
        Sort("votes", "votes", index="movies_votes_idx"),
        Sort("runtime", "runtime_minutes", index="movies_runtime_idx"),
    )
}
DEFAULT_SORT: Final = "title"

MAXIMUM_GENRES_PER_TEXT: Final = 10
MAXIMUM_GENRE_TEXTS: Final = 10

FILTERS: Final = {
    one.name: one
    for one in (
        Filter(
            "genre",
            "genre_ids @> %s",
            type=several(MAXIMUM_GENRE_CHARACTERS, MAXIMUM_GENRES_PER_TEXT),
            index="movies_genres_idx",
            most=MAXIMUM_GENRE_TEXTS,
        ),
        Filter("rating_gt", "rating_tenths > %s", number(0, 10), "movies_rating_idx", stored=_tenths_below),
        Filter("year_gte", "year >= %s", integer(1, 9999), "movies_year_idx"),
        Filter("year_lte", "year <= %s", integer(1, 9999), "movies_year_idx"),
        Filter("votes_gte", "votes >= %s", integer(0, MAXIMUM_COUNT), "movies_votes_idx"),
    )
}

LIST_PARAMETERS: Final = (
    Parameter("sort", one_of(*SORTS)),
    Parameter("desc", flag),
    *(Parameter(one.name, one.type, one.most) for one in FILTERS.values()),
    Parameter("include_adult", flag),
)

_COLUMNS: Final = (
    "id, title, original_title, year, rating_tenths, votes, runtime_minutes, genre_ids, imdb_id, imdb_link"
)
_SORT_VALUE: Final = 10  # where a list's rows carry it


class _Ranges(NamedTuple):
    """The WHERE clause that all ranges of a page share, and its values."""

    conditions: tuple[str, ...]
    values: tuple[Any, ...]


def list_identity(query: Query) -> dict[str, Any]:
    """What tells this list from another: its order and filters, in one form however they were written."""
    identity = {
        "sort": query.get("sort", DEFAULT_SORT),
        "desc": query.get("desc", False),
        "include_adult": query.get("include_adult", False),
    }
    for name, one in FILTERS.items():
        if name in query:
            value = query[name]
            identity[name] = sorted({folded(part) for part in value}) if one.most > 1 else one.stored(value)
    return identity


def movie_page(query: Query, asked: PageAsked) -> Page:
    """One page of the movies that match every filter, in the order asked.

    Raises:
        Problem: If `after_id` is not of this list.
    """
    shared = _shared(query)
    if shared is None:
        if asked.after_id is not None:
            raise _not_in_list(asked.after_id)
        return Page([], None, None)
    sort = SORTS[query.get("sort", DEFAULT_SORT)]
    is_descending = bool(query.get("desc", False))
    place = asked.place
    if asked.after_id is not None:
        place = _place_of(asked.after_id, sort, shared)
    is_backward = place is not None and place.side.is_backward
    sql, values = _page_sql(sort, shared, place, asked.size + 1, is_descending=is_descending)
    rows = read(sql, values)
    has_more = len(rows) > asked.size
    rows = rows[: asked.size]
    if is_backward:
        rows.reverse()
    return _page(rows, place, is_backward=is_backward, has_more=has_more)


def find_movie(id_or_imdb_id: str) -> dict[str, Any] | None:
    """The movie with this UUID or IMDb id, adult or not; None if there is none."""
    column = "imdb_id" if id_or_imdb_id.startswith("tt") else "id"
    rows = read(f"SELECT {_COLUMNS} FROM movies WHERE {column} = %s", (id_or_imdb_id,))  # noqa: S608
    return _movies(rows)[0] if rows else None


def create_movie(new: NewMovie) -> dict[str, Any]:
    """The new movie, as it is in the database from now on.

    Raises:
        Problem: If a movie with its IMDb id exists.
    """
    with write() as connection:
        row = connection.execute(
            insert(Movie)
            .values(
                imdb_id=new.imdb_id,
                source="api",
                title_type="movie",
                title=new.title,
                original_title=new.original_title,
                title_key=sort_key(new.title),
                year=new.year,
                runtime_minutes=new.runtime,
                rating_tenths=new.rating_tenths,
                votes=new.votes,
                genre_ids=find_or_create(connection, new.genres),
                imdb_link=new.imdb_link,
            )
            .returning(text(_COLUMNS))
        ).one()
    return _movies([tuple(row)])[0]


def _movies(rows: list[Row]) -> list[dict[str, Any]]:
    names = genre_names([one for row in rows for one in row[7]])
    return [movie(row, names) for row in rows]


def _page(rows: list[Row], place: Place | None, *, is_backward: bool, has_more: bool) -> Page:
    """The page of these rows, and the places where its neighbours begin."""
    if not rows:
        if place is None:
            return Page([], None, None)
        # Every movie on this side is gone by now: the way back begins at the place itself.
        if is_backward:
            return Page([], None, place._replace(side=Side.FROM))
        return Page([], place._replace(side=Side.UPTO), None)
    before = Place(Side.BEFORE, rows[0][_SORT_VALUE], rows[0][0])
    after = Place(Side.AFTER, rows[-1][_SORT_VALUE], rows[-1][0])
    if is_backward:
        return Page(_movies(rows), before if has_more else None, after)
    return Page(_movies(rows), before if place is not None else None, after if has_more else None)


def _shared(query: Query) -> _Ranges | None:
    """The conditions of all filters; None if no movie can match."""
    conditions: list[str] = []
    values: list[Any] = []
    for name, one in FILTERS.items():
        if name not in query:
            continue
        value = query[name]
        if name == "genre":
            value = genre_ids(value)
            if value is None:
                return None
        conditions.append(one.condition)
        values.append(one.stored(value))
    if not query.get("include_adult", False):
        conditions.append("NOT is_adult")
    return _Ranges(tuple(conditions), tuple(values))


def _place_of(after_id: str, sort: Sort, shared: _Ranges) -> Place:
    column = "imdb_id" if after_id.startswith("tt") else "id"
    where = " AND ".join((f"{column} = %s", *shared.conditions))
    rows = read(f"SELECT {sort.column}, id FROM movies WHERE {where}", (after_id, *shared.values))  # noqa: S608
    if not rows:
        raise _not_in_list(after_id)
    return Place(Side.AFTER, *rows[0])


def _not_in_list(after_id: str) -> Problem:
    return Problem(
        UNKNOWN_AFTER_ID,
        f"No movie of this list has the id {after_id}.",
        [Fault("query", "after_id", "is not the id of a movie in this list")],
    )


def _page_sql(
    sort: Sort,
    shared: _Ranges,
    place: Place | None,
    limit: int,
    *,
    is_descending: bool,
) -> tuple[str, tuple[Any, ...]]:
    """The query of one page, its rows in walking order (backward ones nearest first).

    Nulls come last in both directions, so "the next page" is up to three ranges: the rest of the movies
    with the same value, those with a later one, those with none. Each is one stretch of an index; one OR
    over them would make PostgreSQL read the whole index.
    """
    column = sort.column
    is_backward = place is not None and place.side.is_backward
    # Walking backward through an ascending list is walking down its values.
    goes_down = is_descending != is_backward
    by_value = f"{column} {'DESC' if goes_down else 'ASC'}, id {'DESC' if is_backward else 'ASC'}"
    by_id = f"id {'DESC' if is_backward else 'ASC'}"
    ranges: list[tuple[tuple[str, ...], tuple[Any, ...], str]]
    if place is None:
        ranges = [((f"{column} IS NOT NULL",), (), by_value), ((f"{column} IS NULL",), (), by_id)]
    else:
        beyond = ("<" if is_backward else ">") + ("=" if place.side.takes_place else "")
        if place.value is None:
            ranges = [((f"{column} IS NULL", f"id {beyond} %s"), (place.id,), by_id)]
            if is_backward:
                ranges.append(((f"{column} IS NOT NULL",), (), by_value))
        else:
            ranges = [
                ((f"{column} = %s", f"id {beyond} %s"), (place.value, place.id), by_id),
                ((f"{column} {'<' if goes_down else '>'} %s",), (place.value,), by_value),
            ]
            if not is_backward:
                ranges.append(((f"{column} IS NULL",), (), by_id))
    selects: list[str] = []
    values: list[Any] = []
    for conditions, own_values, order in ranges:
        where = " AND ".join((*shared.conditions, *conditions))
        selects.append(
            f"(SELECT {_COLUMNS}, {column} FROM movies WHERE {where} ORDER BY {order} LIMIT %s)"  # noqa: S608
        )
        values += [*shared.values, *own_values, limit]
    return " UNION ALL ".join(selects) + " LIMIT %s", (*values, limit)
