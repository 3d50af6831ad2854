"""Makes movies straight in the database, past the API and the loader; each change is a generation."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import psycopg2
from movie_database.addresses import libpq_address
from movie_database.sort_keys import sort_key
from psycopg2.extras import execute_values

from movie_testing.factories.people import MadePerson

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
    "appeared_in",
    "changed_in",
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
                `genres` (names), `is_adult`, `imdb_link`, `source`, and people that were made: `directors`,
                `writers`, `cast`.
        """
        (made,) = self._insert([fields])
        return made

    def create_many(self, **columns: Sequence[Any]) -> list[MadeMovie]:
        """As many movies as each of the columns has values: `create_many(rating=[9.1, None])`."""
        names = list(columns)
        return self._insert(
            [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        )

    def change(self, movie_id: str, **fields: Any) -> None:
        """The movie has these values from now on.

        Args:
            movie_id: Ours.
            **fields: As in `create`, without `id` and `source`.
        """
        self.change_many([movie_id], **fields)

    def change_many(self, movie_ids: Sequence[str], **fields: Any) -> None:
        """The movies have these values from now on, by one change of all."""
        values = self._stored(fields)
        self._update(movie_ids, ", ".join(f"{name} = %s" for name in values), *values.values())

    def credit(self, movie_id: str, **roles: Sequence[MadePerson]) -> None:
        """These people made the movie: `directors`, `writers`, `cast`, and nobody else."""
        with self._publishing() as (cursor, change_id):
            self._write_credits(cursor, {movie_id: self._credits(roles)})
            cursor.execute("UPDATE movies SET changed_in = %s WHERE id = %s", (change_id, movie_id))

    def retire(self, *movie_ids: str) -> None:
        """A load found these movies gone from the dumps."""
        self._update(movie_ids, "retired_at = now()")

    def revive(self, *movie_ids: str) -> None:
        """A load found these movies in the dumps again."""
        self._update(movie_ids, "retired_at = NULL", is_new=True)

    def delete(self, movie_id: str) -> None:
        """The movie is gone, as if it had never been there."""
        with self._publishing() as (cursor, _):
            cursor.execute("DELETE FROM movies WHERE id = %s", (movie_id,))

    def delete_all(self) -> None:
        """No movie is there."""
        with self._publishing() as (cursor, _):
            cursor.execute("DELETE FROM movies")

    @contextmanager
    def _publishing(self) -> Iterator[tuple[Any, int]]:
        """One transaction that ends with a generation; gives its cursor and the change's id."""
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute("SELECT nextval('catalogue_change_ids')")
            (change_id,) = cursor.fetchone() or ()
            yield cursor, change_id
            cursor.execute("SELECT catalogue_publish(%s)", (change_id,))

    def _update(self, movie_ids: Sequence[str], assignments: str, *values: Any, is_new: bool = False) -> None:
        with self._publishing() as (cursor, change_id):
            cursor.execute(
                f"UPDATE movies SET {assignments}, changed_in = %s, appeared_in = coalesce(%s, appeared_in)"
                " WHERE id = ANY(%s::uuid[])",
                (*values, change_id, change_id if is_new else None, list(movie_ids)),
            )
            assert cursor.rowcount == len(movie_ids)

    def _stored(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The values as columns have them."""
        stored = dict(fields)
        if "title" in fields:
            stored["title_key"] = sort_key(fields["title"])
        if "runtime" in fields:
            stored["runtime_minutes"] = stored.pop("runtime")
        if "rating" in fields:
            rating = stored.pop("rating")
            stored["rating_tenths"] = None if rating is None else round(rating * 10)
        if "genres" in fields:
            ids = self._genre_ids(sorted(set(stored.pop("genres"))))
            stored["genre_ids"] = [ids[name] for name in fields["genres"]]
        return stored

    def _insert(self, rows: list[dict[str, Any]]) -> list[MadeMovie]:
        genre_ids = self._genre_ids(sorted({name for row in rows for name in row.get("genres", ())}))
        columns = ", ".join(_COLUMNS)
        with self._publishing() as (cursor, change_id):
            values = [(*self._values(row, genre_ids), change_id, change_id) for row in rows]
            returned = execute_values(
                cursor,
                f"INSERT INTO movies ({columns}) VALUES %s RETURNING id::text, imdb_id, title",
                values,
                template="(coalesce(%s::uuid, gen_random_uuid())" + ", %s" * (len(_COLUMNS) - 1) + ")",
                page_size=len(values) or 1,
                fetch=True,
            )
            credits_of = {one: self._credits(row) for row, (one, *_) in zip(rows, returned, strict=True)}
            self._write_credits(cursor, credits_of)
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

    @staticmethod
    def _credits(roles: Mapping[str, Any]) -> list[list[int]]:
        return [[one.number for one in roles.get(role, ())] for role in ("directors", "writers", "cast")]

    @staticmethod
    def _write_credits(cursor: Any, credits_of: Mapping[str, list[list[int]]]) -> None:
        rows = [(movie_id, *people) for movie_id, people in credits_of.items() if any(people)]
        if rows:
            execute_values(
                cursor,
                "INSERT INTO movie_credits (movie_id, director_ids, writer_ids, cast_ids) VALUES %s"
                " ON CONFLICT (movie_id) DO UPDATE SET director_ids = excluded.director_ids,"
                " writer_ids = excluded.writer_ids, cast_ids = excluded.cast_ids",
                rows,
                template="(%s::uuid, %s::integer[], %s::integer[], %s::integer[])",
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
