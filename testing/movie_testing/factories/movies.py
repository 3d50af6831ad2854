"""Makes movies straight in the database, past the API and the loader."""

import itertools
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import psycopg2
from movie_database.addresses import libpq_address
from movie_database.sort_keys import sort_key
from psycopg2.extras import execute_values

_COLUMNS: Final = (
    "id",
    "imdb_id",
    "source",
    "title_type",
    "title",
    "original_title",
    "title_key",
    "year",
    "runtime_minutes",
    "rating_tenths",
    "votes",
    "is_adult",
    "genre_ids",
    "imdb_link",
)


class MadeMovie(NamedTuple):
    """A movie that was made, with the values that lists sort and filter by."""

    id: str
    imdb_id: str | None
    title: str
    year: int | None
    rating: float | None
    votes: int | None
    runtime: int | None
    genres: tuple[str, ...]
    is_adult: bool


class MovieFactory:
    """Makes movies in one database; a context manager that closes its connection."""

    def __init__(self, database_url: str) -> None:
        self._connection = psycopg2.connect(libpq_address(database_url))
        self._connection.autocommit = True
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def create(self, **fields: Any) -> MadeMovie:
        """One movie with these fields; what is not said is unknown, and the title a number.

        Args:
            **fields: `id`, `imdb_id`, `title`, `original_title`, `year`, `rating`, `votes`, `runtime`,
                `genres` (names), `is_adult`, `imdb_link`, `source`.
        """
        (made,) = self._insert([fields])
        return made

    def create_many(self, **columns: Sequence[Any]) -> list[MadeMovie]:
        """As many movies as each of the columns has values: `create_many(rating=[9.1, None])`."""
        names = list(columns)
        return self._insert(
            [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        )

    def delete(self, movie_id: str) -> None:
        """The movie is gone."""
        with self._connection.cursor() as cursor:
            cursor.execute("DELETE FROM movies WHERE id = %s", (movie_id,))

    def delete_all(self) -> None:
        """No movie is there."""
        with self._connection.cursor() as cursor:
            cursor.execute("DELETE FROM movies")

    def _insert(self, rows: list[dict[str, Any]]) -> list[MadeMovie]:
        genre_ids = self._genre_ids(sorted({name for row in rows for name in row.get("genres", ())}))
        values = [self._values(row, genre_ids) for row in rows]
        columns = ", ".join(_COLUMNS)
        with self._connection.cursor() as cursor:
            returned = execute_values(
                cursor,
                f"INSERT INTO movies ({columns}) VALUES %s RETURNING id::text, imdb_id, title",
                values,
                template="(coalesce(%s::uuid, gen_random_uuid())" + ", %s" * (len(_COLUMNS) - 1) + ")",
                page_size=len(values) or 1,
                fetch=True,
            )
        return [
            MadeMovie(
                id=one,
                imdb_id=imdb_id,
                title=title,
                year=row.get("year"),
                rating=row.get("rating"),
                votes=row.get("votes"),
                runtime=row.get("runtime"),
                genres=tuple(row.get("genres", ())),
                is_adult=row.get("is_adult", False),
            )
            for row, (one, imdb_id, title) in zip(rows, returned, strict=True)
        ]

    def _values(self, row: dict[str, Any], genre_ids: dict[str, int]) -> tuple[Any, ...]:
        number = next(self._numbers)
        title = row.get("title", f"Movie {number}")
        rating = row.get("rating")
        return (
            row.get("id"),
            row.get("imdb_id", f"tt{number:07}"),
            row.get("source", "imdb"),
            row.get("title_type", "movie"),
            title,
            row.get("original_title"),
            sort_key(title),
            row.get("year"),
            row.get("runtime"),
            None if rating is None else round(rating * 10),
            row.get("votes"),
            row.get("is_adult", False),
            [genre_ids[name] for name in row.get("genres", ())],
            row.get("imdb_link"),
        )

    def _genre_ids(self, names: list[str]) -> dict[str, int]:
        if not names:
            return {}
        with self._connection.cursor() as cursor:
            execute_values(
                cursor, "INSERT INTO genres (name) VALUES %s ON CONFLICT DO NOTHING", [(n,) for n in names]
            )
            cursor.execute("SELECT name, id FROM genres WHERE name = ANY(%s)", (names,))
            return dict(cursor.fetchall())
