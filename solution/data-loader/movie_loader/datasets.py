"""IMDb's dumps as this product reads them: columns, their types, and our names for them.

Source: https://developer.imdb.com/non-commercial-datasets/
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NULL: Final = r"\N"
"""How the dumps write a value that is not known."""


class Kind(StrEnum):
    """How a column's text becomes a value."""

    ID = "id"
    TEXT = "text"
    INTEGER = "integer"
    TENTHS = "tenths"
    FLAG = "flag"
    NAMES = "names"


@dataclass(frozen=True)
class Column:
    """A column of a dump.

    Attributes:
        imdb_name: what the file's header calls it.
        name: what we call it, or None where we do not keep it.
        kind: how its text becomes a value.
        low: the smallest value that is believed.
        high: the largest value that is believed.
        is_required: whether a row without it is rejected.
    """

    imdb_name: str
    name: str | None = None
    kind: Kind = Kind.TEXT
    low: int = 0
    high: int = 2**31 - 1
    is_required: bool = False


@dataclass(frozen=True)
class Dataset:
    """A dump: the stem of its file's name, and its columns in order.

    Attributes:
        name: the file's name without `.tsv` and `.gz`.
        columns: in the order of the file.
        type_column: index of the column that tells the title's type, if there is one.
    """

    name: str
    columns: tuple[Column, ...]
    type_column: int | None = None

    @property
    def header(self) -> tuple[str, ...]:
        """The names that the file's first line must hold."""
        return tuple(column.imdb_name for column in self.columns)


TITLES: Final = Dataset(
    "title.basics",
    (
        Column("tconst", "imdb_id", Kind.ID, is_required=True),
        Column("titleType", "title_type", is_required=True),
        Column("primaryTitle", "title", is_required=True),
        Column("originalTitle", "original_title"),
        Column("isAdult", "is_adult", Kind.FLAG),
        # The API takes and gives years from 1800 to 2100; film is younger than the one, and
        # nothing is announced beyond the other.
        Column("startYear", "year", Kind.INTEGER, low=1800, high=2100),
        Column("endYear"),
        Column("runtimeMinutes", "runtime_minutes", Kind.INTEGER),
        Column("genres", "genres", Kind.NAMES),
    ),
    type_column=1,
)

RATINGS: Final = Dataset(
    "title.ratings",
    (
        Column("tconst", "imdb_id", Kind.ID, is_required=True),
        Column("averageRating", "rating_tenths", Kind.TENTHS, low=10, high=100),
        Column("numVotes", "votes", Kind.INTEGER),
    ),
)
