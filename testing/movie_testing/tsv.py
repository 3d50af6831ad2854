"""Tiny dumps from rows that a test spells out."""

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

TITLE_COLUMNS: Final = (
    "tconst",
    "titleType",
    "primaryTitle",
    "originalTitle",
    "isAdult",
    "startYear",
    "endYear",
    "runtimeMinutes",
    "genres",
)
RATING_COLUMNS: Final = ("tconst", "averageRating", "numVotes")
CREW_COLUMNS: Final = ("tconst", "directors", "writers")
NAME_COLUMNS: Final = (
    "nconst",
    "primaryName",
    "birthYear",
    "deathYear",
    "primaryProfession",
    "knownForTitles",
)
CAST_COLUMNS: Final = ("tconst", "ordering", "nconst", "category", "job", "characters")
AKA_COLUMNS: Final = (
    "titleId",
    "ordering",
    "title",
    "region",
    "language",
    "types",
    "attributes",
    "isOriginalTitle",
)

Value = str | int | float | None
Row = Mapping[str, Value]


def title_row(**columns: Value) -> dict[str, Value]:
    """A row of `title.basics.tsv`: a movie of 1999 called X, but for the columns given.

    `originalTitle` is the primary title unless given; None becomes the dumps' null.

    Raises:
        TypeError: There is no such column.
    """
    row: dict[str, Value] = {
        "tconst": "tt0000001",
        "titleType": "movie",
        "primaryTitle": "X",
        "originalTitle": columns.get("primaryTitle", "X"),
        "isAdult": 0,
        "startYear": 1999,
        "endYear": None,
        "runtimeMinutes": 100,
        "genres": "Drama",
    }
    return _replaced(row, columns)


def rating_row(**columns: Value) -> dict[str, Value]:
    """A row of `title.ratings.tsv`: 7.0 by 1,000 votes for `tt0000001`, but for the columns given.

    Raises:
        TypeError: There is no such column.
    """
    return _replaced({"tconst": "tt0000001", "averageRating": 7.0, "numVotes": 1000}, columns)


def crew_row(**columns: Value) -> dict[str, Value]:
    """A row of `title.crew.tsv`: nobody made `tt0000001`, but for the columns given.

    Raises:
        TypeError: There is no such column.
    """
    return _replaced({"tconst": "tt0000001", "directors": None, "writers": None}, columns)


def name_row(**columns: Value) -> dict[str, Value]:
    """A row of `name.basics.tsv`: `nm0000001` is called N, but for the columns given.

    Raises:
        TypeError: There is no such column.
    """
    row: dict[str, Value] = {
        "nconst": "nm0000001",
        "primaryName": "N",
        "birthYear": None,
        "deathYear": None,
        "primaryProfession": "director",
        "knownForTitles": "tt0000001",
    }
    return _replaced(row, columns)


def cast_row(**columns: Value) -> dict[str, Value]:
    """A row of `title.principals.tsv`: `nm0000001` acts in `tt0000001`, but for the columns given.

    Raises:
        TypeError: There is no such column.
    """
    row: dict[str, Value] = {
        "tconst": "tt0000001",
        "ordering": 1,
        "nconst": "nm0000001",
        "category": "actor",
        "job": None,
        "characters": '["Himself"]',
    }
    return _replaced(row, columns)


def aka_row(**columns: Value) -> dict[str, Value]:
    """A row of `title.akas.tsv`: `tt0000001` is called Y in France, but for the columns given.

    Raises:
        TypeError: There is no such column.
    """
    row: dict[str, Value] = {
        "titleId": "tt0000001",
        "ordering": 1,
        "title": "Y",
        "region": "FR",
        "language": None,
        "types": "imdbDisplay",
        "attributes": None,
        "isOriginalTitle": 0,
    }
    return _replaced(row, columns)


def write_tsv(
    folder: Path,
    *,
    basics: Iterable[Row | bytes] | None = None,
    ratings: Iterable[Row | bytes] | None = None,
    crew: Iterable[Row | bytes] | None = None,
    names: Iterable[Row | bytes] | None = None,
    cast: Iterable[Row | bytes] | None = None,
    akas: Iterable[Row | bytes] | None = None,
    ends_with_newline: bool = True,
    is_compressed: bool = True,
) -> Path:
    """Writes dumps such as `title.basics.tsv.gz`, and returns the folder.

    Where titles are written, and no crew or names are given or there, these are written too, with a
    row each that names nobody: a source without them is none.

    Args:
        folder: Where to; made if it is not there.
        basics: Rows of titles. Bytes are a line of their own, taken as they are (without its
            newline). None writes no such file; an empty list, a file of the header only.
        ratings: Rows of `title.ratings`, in the same way.
        crew: Rows of `title.crew`, in the same way.
        names: Rows of `name.basics`, in the same way.
        cast: Rows of `title.principals`, in the same way.
        akas: Rows of `title.akas`, in the same way.
        ends_with_newline: Whether the last line does.
        is_compressed: Otherwise the files are plain `.tsv`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if basics is not None:
        if crew is None and not list(folder.glob("title.crew.*")):
            crew = [crew_row()]
        if names is None and not list(folder.glob("name.basics.*")):
            names = [name_row()]
    for name, columns, rows in (
        ("title.basics.tsv", TITLE_COLUMNS, basics),
        ("title.ratings.tsv", RATING_COLUMNS, ratings),
        ("title.crew.tsv", CREW_COLUMNS, crew),
        ("name.basics.tsv", NAME_COLUMNS, names),
        ("title.principals.tsv", CAST_COLUMNS, cast),
        ("title.akas.tsv", AKA_COLUMNS, akas),
    ):
        if rows is None:
            continue
        lines = ["\t".join(columns).encode(), *(_line(columns, row) for row in rows)]
        content = b"\n".join(lines) + (b"\n" if ends_with_newline else b"")
        if is_compressed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
        else:
            (folder / name).write_bytes(content)
    return folder


def _replaced(row: dict[str, Value], columns: dict[str, Value]) -> dict[str, Value]:
    if unknown := columns.keys() - row.keys():
        raise TypeError(f"no such column: {', '.join(sorted(unknown))}")
    return row | columns


def _line(columns: tuple[str, ...], row: Row | bytes) -> bytes:
    if isinstance(row, bytes):
        return row
    values = (row[column] for column in columns)
    return "\t".join("\\N" if value is None else str(value) for value in values).encode()
