"""Makes people straight in the database, past the loader."""

import itertools
from types import TracebackType
from typing import NamedTuple, Self

import psycopg2
from movie_database.addresses import libpq_address
from movie_database.sort_keys import sort_key


class MadePerson(NamedTuple):
    """A person who was made."""

    id: str
    number: int
    imdb_id: str
    name: str

    @property
    def credited(self) -> dict[str, str]:
        """The person as a movie names them."""
        return {
            "id": self.id,
            "name": self.name,
            "imdb_link": f"https://www.imdb.com/name/{self.imdb_id}/",
        }


class PersonFactory:
    """Makes people in one database; a context manager that closes its connection."""

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

    def create(
        self,
        name: str = "Ann Onymous",
        *,
        imdb_id: str | None = None,
        born: int | None = None,
        died: int | None = None,
    ) -> MadePerson:
        """One person, whose IMDb id is a number unless one is given."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO people (imdb_id, name, name_key, born, died) VALUES (%s, %s, %s, %s, %s)"
                " RETURNING id::text, number, imdb_id, name",
                (imdb_id or f"nm{next(self._numbers):07}", name, sort_key(name), born, died),
            )
            return MadePerson(*(cursor.fetchone() or ()))

    def create_many(self, *names: str) -> list[MadePerson]:
        """One person a name."""
        return [self.create(name) for name in names]

    def change(self, person: MadePerson, *, born: int) -> None:
        """The person was born in this year."""
        with self._connection.cursor() as cursor:
            cursor.execute("UPDATE people SET born = %s WHERE id = %s", (born, person.id))
