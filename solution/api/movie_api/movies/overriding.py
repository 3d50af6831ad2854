"""Overrides: fields of movies from the dumps that an editor changed, and deletions."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection, delete, text

from movie_api.genres.queries import find_or_create, names_in
from movie_api.http.access import Caller
from movie_api.http.conditional import Version
from movie_api.movies.models import Override

DELETED: Final = "deleted"
COLUMNS_OF_FIELDS: Final = {
    "title": "title",
    "original_title": "original_title",
    "year": "year",
    "rating": "rating_tenths",
    "votes": "votes",
    "runtime": "runtime_minutes",
    "genres": "genre_ids",
    "imdb_link": "imdb_link",
}

# The dumps' value is kept by what it means: a genre by its name, for they may make it another genre's.
_OVERRIDE: Final = text(
    "INSERT INTO movie_overrides (movie_id, field, dumped, made_by)"
    " VALUES (:movie_id, :field, CAST(:dumped AS jsonb), :made_by)"
    " ON CONFLICT ON CONSTRAINT movie_overrides_pkey DO NOTHING"
)


class Held(NamedTuple):
    """A movie that nobody else changes before the end of the transaction.

    Attributes:
        id: Ours.
        is_dumped: Whether it is from the dumps.
        columns: Its values.
        row: The same, as `schemas.movie` takes them.
        is_retired: Whether it is gone.
        version: Its version.
    """

    id: str
    is_dumped: bool
    columns: Mapping[str, Any]
    row: tuple[Any, ...]
    is_retired: bool
    version: Version


def stored_values(connection: Connection, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields' values as columns have them."""
    stored = dict(given)
    if stored.get("rating") is not None:
        stored["rating"] = round(stored["rating"] * 10)
    if "genres" in stored:
        stored["genres"] = find_or_create(connection, stored["genres"] or [])
    return stored


def keep_overrides(connection: Connection, held: Held, wanted: Mapping[str, Any], editor: Caller) -> bool:
    """The fields that now differ from the dumps are overrides, and those that do not are none.

    Returns:
        Whether there is one more or one less.
    """
    if not held.is_dumped:
        return False
    dumped = dumped_values(connection, held, list(wanted))
    over = [field for field, value in wanted.items() if field in dumped and value == dumped[field]]
    drop_overrides(connection, held, over)
    new = [
        field
        for field, value in wanted.items()
        if field not in dumped and value != held.columns[COLUMNS_OF_FIELDS[field]]
    ]
    for field in new:
        present = held.columns[COLUMNS_OF_FIELDS[field]]
        if field == "genres":
            names = names_in(connection, present)
            present = [names[one] for one in present]
        override(connection, held, field, present, editor)
    return bool(over or new)


def dumped_values(connection: Connection, held: Held, fields: list[str]) -> dict[str, Any]:
    """What the dumps say of those of the fields that are overridden, as columns would have it."""
    if not held.columns["overrides"]:
        return {}
    rows = connection.execute(
        text("SELECT field, dumped FROM movie_overrides WHERE movie_id = :id AND field = ANY(:fields)"),
        {"id": held.id, "fields": [field for field in fields if field != DELETED]},
    )
    dumped: dict[str, Any] = dict(rows.all())
    if "genres" in dumped:
        dumped["genres"] = find_or_create(connection, dumped["genres"])
    return dumped


def override(connection: Connection, held: Held, field: str, dumped: Any, editor: Caller) -> None:
    """The field is the editor's from now on; the dumps say this of it."""
    values = {"movie_id": held.id, "field": field, "made_by": editor.pseudonym}
    connection.execute(_OVERRIDE, values | {"dumped": orjson.dumps(dumped).decode()})


def drop_overrides(connection: Connection, held: Held, fields: list[str]) -> None:
    """These fields are the dumps' again."""
    if fields:
        mine = (Override.movie_id == held.id) & Override.field.in_(fields)
        connection.execute(delete(Override).where(mine))
