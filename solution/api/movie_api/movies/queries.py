"""The SQL of movies."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from movie_api.catalogue import note_genres
from movie_api.database import read, read_one
from movie_api.genres.queries import genre_ids, genre_names
from movie_api.http.conditional import Version
from movie_api.http.cursors import Place, Side
from movie_api.http.pages import Page, PageAsked
from movie_api.http.parameters import Query
from movie_api.http.problems import UNKNOWN_AFTER_ID, Fault, Problem
from movie_api.keyset import page_of, stretches
from movie_api.movies.filters import DEFAULT_SORT, FILTERS, SORTS, Sort
from movie_api.movies.schemas import movie
from movie_api.people.queries import numbers_of, people_named
from movie_api.reader import Row

COLUMNS: Final = (
    "movies.id, title, original_title, year, rating_tenths, votes, runtime_minutes, genre_ids, imdb_id,"
    " imdb_link, overrides,"
    # Directors, writers and cast, and before them how many the first two are: one array is read several times
    # faster than three columns of JSON.
    " (SELECT cardinality(director_ids) ||"
    " (cardinality(writer_ids) || director_ids || writer_ids || cast_ids)"
    " FROM movie_credits WHERE movie_id = movies.id) AS credits"
)
# The movie and its version in one look, so that they are of one moment.
ONE: Final = f"""
SELECT {COLUMNS}, retired_at IS NOT NULL, changed_in, latest.generation,
    (extract(epoch FROM change.changed_at) * 1000000)::bigint, latest.genres_changed_in
FROM movies
JOIN catalogue_changes AS change ON change.id = changed_in
CROSS JOIN catalogue_state AS latest
WHERE movies.{{column}} = %s
"""  # noqa: S608
# Rows of movies by genre, under the names that conditions and orders use.
_BY_GENRE: Final = """(
    SELECT
        movie_id AS id, genre_id, genre_ids, title_key, year, runtime_minutes, rating_tenths, votes, is_adult
    FROM movie_genres
) AS movies_by_genre"""
_OF_PEOPLE: Final = ("director", "person", "person_not")
_SORT_VALUE: Final = 12  # where a list's rows carry it


class Conditions(NamedTuple):
    """What a list is read from, the WHERE clause of its filters, and that one's values."""

    table: str
    where: str
    values: tuple[Any, ...]


class Found(NamedTuple):
    """A movie that is or was there, as `shown` takes it."""

    row: Row
    is_retired: bool
    version: Version


def movie_page(query: Query, asked: PageAsked) -> Page:
    """One page of the movies that match every filter, in the order asked.

    Raises:
        Problem: If `after_id` is not of this list.
    """
    conditions = conditions_of(query)
    if conditions is None:
        if asked.after_id is not None:
            raise not_in_list(asked.after_id)
        return Page([], None, None)
    sort = SORTS[query.get("sort", DEFAULT_SORT)]
    return page_under(conditions, sort, asked, is_descending=bool(query.get("desc", False)))


def page_under(conditions: Conditions, sort: Sort, asked: PageAsked, *, is_descending: bool) -> Page:
    """One page of the movies that match these conditions.

    Raises:
        Problem: If `after_id` is not of this list.
    """
    place = asked.place
    if asked.after_id is not None:
        place = _place_of(asked.after_id, sort, conditions)
    rows = _rows(sort, conditions, place, asked.size + 1, is_descending=is_descending)
    page = page_of(rows, place, asked.size, lambda row: (row[_SORT_VALUE], row[0]))
    return page._replace(items=shown(page.items))


def find_movie(id_or_imdb_id: str) -> Found | None:
    """The movie with this UUID or IMDb id, adult or not, retired or not; None if there never was one."""
    column = "imdb_id" if id_or_imdb_id.startswith("tt") else "id"
    row = read_one(ONE.format(column=column), id_or_imdb_id)
    return None if row is None else found(row)


def found(row: Row) -> Found:
    """What a row of `ONE` says."""
    *movie_row, is_retired, changed_in, generation, changed_at, genres_changed_in = row
    note_genres(genres_changed_in)
    return Found(tuple(movie_row), is_retired, version_of(row[0], changed_in, generation, changed_at))


def version_of(movie_id: object, changed_in: int, generation: int, changed_at_microseconds: int) -> Version:
    """The version of the movie with this id, which the change with this id made."""
    return Version((str(movie_id), changed_in, changed_at_microseconds), generation, changed_at_microseconds)


def shown(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The movies of these rows, which begin with `COLUMNS`, as callers see them."""
    names = genre_names([one for row in rows for one in row[7]])
    people = people_named(credited(rows))
    return [movie(row, names, people) for row in rows]


def credited(rows: Iterable[Row]) -> set[int]:
    """The numbers of the people whom the movies of these rows name."""
    return {one for row in rows if row[11] for one in row[11][2:]}


def conditions_of(query: Query, *, by_genre: bool = True) -> Conditions | None:
    """The conditions of all filters; None if no movie can match.

    Args:
        query: Says which.
        by_genre: Whether lists with genres are read from movies by genre; else from movies, as all others.
    """
    table = "movies"
    of_people = _conditions_of_people(query)
    if of_people is None:
        return None
    conditions = [FILTERS[name].condition for name, _ in of_people]
    values: list[Any] = [numbers for _, numbers in of_people]
    for name, one in FILTERS.items():
        if name not in query or name in _OF_PEOPLE:
            continue
        value = query[name]
        if name == "genre":
            value = genre_ids(value)
            if value is None:
                return None
            if by_genre:
                table = _BY_GENRE
                conditions.append("genre_id = %s")
                values.append(value[0])
                if len(value) == 1:
                    continue
        conditions.append(one.condition)
        values.append(one.stored(value))
    if table == "movies":
        # movie_genres has no rows of retired movies.
        conditions.append("retired_at IS NULL")
    if not query.get("include_adult", False):
        conditions.append("NOT is_adult")
    return Conditions(table, " AND ".join(conditions) or "true", tuple(values))


def _conditions_of_people(query: Query) -> list[tuple[str, list[int]]] | None:
    """The filters by people, and whose numbers each of them is about; None if no movie can match."""
    asked = {name: query[name] for name in _OF_PEOPLE if name in query}
    meant = numbers_of({given for every in asked.values() for given in every})
    found: list[tuple[str, list[int]]] = []
    for name, every in asked.items():
        each = [meant[given] for given in every]
        if name == "person_not":
            found.append((name, [number for numbers in each for number in numbers]))
        elif all(each):
            found += [(name, numbers) for numbers in each]
        else:
            return None
    return found


def _place_of(after_id: str, sort: Sort, conditions: Conditions) -> Place:
    key = "imdb_id" if after_id.startswith("tt") else "id"
    # By its title too: rows by genre have an index of titles, and none of movies alone.
    rows = read(
        f"""
        SELECT {sort.column}, id FROM {conditions.table}
        WHERE (title_key, id) = (SELECT title_key, id FROM movies WHERE {key} = %s) AND {conditions.where}
        """,  # noqa: S608
        (after_id, *conditions.values),
    )
    if not rows:
        raise not_in_list(after_id)
    return Place(Side.AFTER, *rows[0])


def not_in_list(after_id: str) -> Problem:
    """The problem of an id that is no movie of the list."""
    return Problem(
        UNKNOWN_AFTER_ID,
        f"No movie of this list has the id {after_id}.",
        [Fault("query", "after_id", "is not the id of a movie in this list")],
    )


def _rows(
    sort: Sort, conditions: Conditions, place: Place | None, limit: int, *, is_descending: bool
) -> list[Row]:
    """At most `limit` rows of `COLUMNS` and the sort value, away from the place, nearest first."""
    rows: list[Row] = []
    for stretch in stretches(sort.column, place, is_descending=is_descending, has_nulls=sort.has_nulls):
        # The ids come from the index alone, which has all that filters read; the table is visited for the
        # page's own rows only.
        rows += read(
            f"""
            SELECT {COLUMNS}, {sort.column} FROM (
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
