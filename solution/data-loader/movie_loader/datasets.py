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
        columns: in the order of the file; the first one is the id.
        id_prefix: what its ids begin with.
    """

    name: str
    columns: tuple[Column, ...]
    id_prefix: bytes = b"tt"

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
)

RATINGS: Final = Dataset(
    "title.ratings",
    (
        Column("tconst", "imdb_id", Kind.ID, is_required=True),
        Column("averageRating", "rating_tenths", Kind.TENTHS, low=10, high=100),
        Column("numVotes", "votes", Kind.INTEGER),
    ),
)

CREW: Final = Dataset(
    "title.crew",
    (
        Column("tconst", "imdb_id", Kind.ID, is_required=True),
        # Ids of people, divided by commas.
        Column("directors", "directors"),
        Column("writers", "writers"),
    ),
)

CAST: Final = Dataset(
    "title.principals",
    (
        Column("tconst", "imdb_id", Kind.ID, is_required=True),
        Column("ordering", "position", Kind.INTEGER, low=1, high=2**15 - 1),
        Column("nconst", "person_id", is_required=True),
        Column("category"),
        Column("job"),
        Column("characters"),
    ),
)
CAST_CATEGORIES: Final = ("actor", "actress", "self")
"""Whom `title.principals` bills as cast; all others in it are the crew."""

AKAS: Final = Dataset(
    "title.akas",
    (
        Column("titleId", "imdb_id", Kind.ID, is_required=True),
        Column("ordering", "position", Kind.INTEGER, low=1, high=2**15 - 1),
        Column("title", "title", is_required=True),
        Column("region", "region"),
        Column("language", "language"),
        Column("types"),
        Column("attributes"),
        Column("isOriginalTitle", "is_original", Kind.FLAG),
    ),
)

NAMES: Final = Dataset(
    "name.basics",
    (
        Column("nconst", "imdb_id", Kind.ID, is_required=True),
        Column("primaryName", "name", is_required=True),
        # Homer and Sophocles are credited too, without a year before the first.
        Column("birthYear", "born", Kind.INTEGER, low=1, high=2100),
        Column("deathYear", "died", Kind.INTEGER, low=1, high=2100),
        Column("primaryProfession"),
        Column("knownForTitles"),
    ),
    id_prefix=b"nm",
)


def wanted_datasets(*, with_cast: bool, with_akas: bool) -> tuple[Dataset, ...]:
    """The dumps that a load reads, in the order it reads them.

    Names come last, for by then it is known whose are wanted.
    """
    return (RATINGS, TITLES, CREW, *((CAST,) if with_cast else ()), *((AKAS,) if with_akas else ()), NAMES)
