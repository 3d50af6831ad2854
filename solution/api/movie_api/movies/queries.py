"""The SQL of movies."""

from typing import Any, Final, NamedTuple

from movie_database.sort_keys import sort_key
from sqlalchemy import insert, text

from movie_api.database import read, read_one, write
from movie_api.genres.queries import find_or_create, genre_ids, genre_names
from movie_api.http.cursors import Place, Side
from movie_api.http.pages import Page, PageAsked
from movie_api.http.parameters import Query
from movie_api.http.problems import UNKNOWN_AFTER_ID, Fault, Problem
from movie_api.keyset import stretches
from movie_api.movies.filters import DEFAULT_SORT, FILTERS, SORTS, Sort
from movie_api.movies.models import Movie
from movie_api.movies.schemas import NewMovie, movie
from movie_api.reader import Row

_COLUMNS: Final = (
    "id, title, original_title, year, rating_tenths, votes, runtime_minutes, genre_ids, imdb_id, imdb_link"
)
# Rows of movies by genre, under the names that conditions and orders use.
_BY_GENRE: Final = """(
    SELECT
        movie_id AS id, genre_id, genre_ids, title_key, year, runtime_minutes, rating_tenths, votes, is_adult
    FROM movie_genres
) AS movies_by_genre"""
_SORT_VALUE: Final = 10  # where a list's rows carry it


class Conditions(NamedTuple):
    """What a list is read from, the WHERE clause of its filters, and that one's values."""

    table: str
    where: str
    values: tuple[Any, ...]


def movie_page(query: Query, asked: PageAsked) -> Page:
    """One page of the movies that match every filter, in the order asked.

    Raises:
        Problem: If `after_id` is not of this list.
    """
    conditions = conditions_of(query)
    if conditions is None:
        if asked.after_id is not None:
            raise _not_in_list(asked.after_id)
        return Page([], None, None)
    sort = SORTS[query.get("sort", DEFAULT_SORT)]
    is_descending = bool(query.get("desc", False))
    place = asked.place
    if asked.after_id is not None:
        place = _place_of(asked.after_id, sort, conditions)
    is_backward = place is not None and place.side.is_backward
    rows = _rows(sort, conditions, place, asked.size + 1, is_descending=is_descending)
    has_more = len(rows) > asked.size
    rows = rows[: asked.size]
    if is_backward:
        rows.reverse()
    return _page(rows, place, is_backward=is_backward, has_more=has_more)


def find_movie(id_or_imdb_id: str) -> dict[str, Any] | None:
    """The movie with this UUID or IMDb id, adult or not; None if there is none."""
    column = "imdb_id" if id_or_imdb_id.startswith("tt") else "id"
    row = read_one(f"SELECT {_COLUMNS} FROM movies WHERE {column} = %s", id_or_imdb_id)  # noqa: S608
    return _movies([row])[0] if row else None


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


def conditions_of(query: Query) -> Conditions | None:
    """The conditions of all filters; None if no movie can match."""
    table = "movies"
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
            table = _BY_GENRE
            conditions.append("genre_id = %s")
            values.append(value[0])
            if len(value) == 1:
                continue
        conditions.append(one.condition)
        values.append(one.stored(value))
    if not query.get("include_adult", False):
        conditions.append("NOT is_adult")
    return Conditions(table, " AND ".join(conditions) or "true", tuple(values))


def _place_of(after_id: str, sort: Sort, conditions: Conditions) -> Place:
    one = "(SELECT id FROM movies WHERE imdb_id = %s)" if after_id.startswith("tt") else "%s"
    rows = read(
        f"SELECT {sort.column}, id FROM {conditions.table} WHERE id = {one} AND {conditions.where}",  # noqa: S608
        (after_id, *conditions.values),
    )
    if not rows:
        raise _not_in_list(after_id)
    return Place(Side.AFTER, *rows[0])


def _not_in_list(after_id: str) -> Problem:
    return Problem(
        UNKNOWN_AFTER_ID,
        f"No movie of this list has the id {after_id}.",
        [Fault("query", "after_id", "is not the id of a movie in this list")],
    )


def _rows(
    sort: Sort, conditions: Conditions, place: Place | None, limit: int, *, is_descending: bool
) -> list[Row]:
    """At most `limit` rows of `_COLUMNS` and the sort value, away from the place, nearest first."""
    rows: list[Row] = []
    for stretch in stretches(sort.column, place, is_descending=is_descending, has_nulls=sort.has_nulls):
        # The ids come from the index alone, which has all that filters read; the table is visited for the
        # page's own rows only.
        rows += read(
            f"""
            SELECT {_COLUMNS}, {sort.column} FROM (
                SELECT id FROM {conditions.table} WHERE {conditions.where} AND {stretch.condition}
                ORDER BY {stretch.order} LIMIT %s
            ) AS page JOIN movies USING (id)
            ORDER BY {stretch.order}
            """,  # noqa: S608
            (*conditions.values, *stretch.values, limit - len(rows)),
        )
        if len(rows) == limit:
            break
    return rows
