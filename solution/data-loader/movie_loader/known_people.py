"""Whom the catalogue knows already, and by which numbers."""

from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import Final

import numpy as np
import psycopg2.extensions
import pyarrow as pa
import pyarrow.csv

from movie_loader.ids import PERSON_PREFIX, Bools, Int32s, KeySet, keys_of_texts

_COPY: Final = "COPY (SELECT imdb_id, number FROM people) TO STDOUT WITH (FORMAT csv)"


@dataclass
class Numbers:
    """What people are called in the catalogue: those who are new to it by numbers reserved for them.

    Attributes:
        people: all that are asked for, p of them.
        numbers: shape (p,).
        is_new: whether the catalogue does not know them yet. Shape (p,).
        is_named: whether they were met. Shape (p,).
    """

    people: KeySet
    numbers: Int32s
    is_new: Bools
    is_named: Bools = field(init=False)

    def __post_init__(self) -> None:
        self.is_named = np.zeros(len(self.numbers), dtype=bool)

    @classmethod
    def of(cls, connection: psycopg2.extensions.connection, people: KeySet) -> "Numbers":
        """Ask the catalogue."""
        numbers = _known_numbers(connection, people)
        is_new = numbers == 0
        count = int(is_new.sum())
        if count:
            first = _reserve_numbers(connection, count)
            numbers[is_new] = np.arange(first, first + count)
        return cls(people, numbers, is_new)

    def of_named(self) -> Int32s:
        """Return the numbers of those who were met, 0 for the others. Shape (p,)."""
        return np.where(self.is_named, self.numbers, 0).astype(np.int32)


def _known_numbers(connection: psycopg2.extensions.connection, people: KeySet) -> Int32s:
    """Return the number of each person, 0 for those who are not in the catalogue. Shape (p,)."""
    numbers = np.zeros(len(people.keys), np.int32)
    with TemporaryFile() as file:
        with connection, connection.cursor() as cursor:
            cursor.copy_expert(_COPY, file, size=2**20)
        if not file.tell():
            return numbers
        file.seek(0)
        # Block by block: there may be millions of them.
        for block in pyarrow.csv.open_csv(
            file,
            pyarrow.csv.ReadOptions(column_names=["imdb_id", "number"]),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={"imdb_id": pa.string(), "number": pa.int32()}
            ),
        ):
            places = people.places(keys_of_texts(block["imdb_id"], PERSON_PREFIX))
            is_asked = places >= 0
            numbers[places[is_asked]] = block["number"].to_numpy()[is_asked]
    return numbers


def _reserve_numbers(connection: psycopg2.extensions.connection, count: int) -> int:
    """Return the first of so many numbers that nobody has and nobody will get.

    A load that fails after this leaves a gap, as every sequence does.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute("LOCK people IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            """
            SELECT setval(sequence, nextval(sequence) + %s, true) - %s
            FROM pg_get_serial_sequence('people', 'number') AS sequence
            """,
            (count, count),
        )
        ((first,),) = cursor.fetchall()
    return int(first)
