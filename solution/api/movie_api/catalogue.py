"""The catalogue's changes: which generation it is in, and how a write makes the next one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from flask import g
from sqlalchemy import Connection, text

from movie_api.database import read_one, write
from movie_api.http.conditional import Version

_STATE: Final = (
    "SELECT generation, (extract(epoch FROM changed_at) * 1000000)::bigint, genres_changed_in"
    " FROM catalogue_state WHERE id = %s"
)
_PUBLISHED: Final = text(
    "SELECT generation, (extract(epoch FROM changed_at) * 1000000)::bigint"
    " FROM catalogue_changes WHERE id = :change_id"
)


@dataclass
class Change:
    """A change that is being made.

    Attributes:
        connection: Its transaction.
        id: What `changed_in` of each row is set to.
        is_void: Whether there was nothing to change, so that there is no new generation.
        has_genres: Whether names of genres changed, which are kept in memory.
        generation: The one that it began, once it is published.
        changed_at_microseconds: When that was, since 1970.
    """

    connection: Connection
    id: int
    is_void: bool = False
    has_genres: bool = False
    generation: int = 0
    changed_at_microseconds: int = 0


def catalogue_version() -> Version:
    """The version of the whole catalogue: what lists are made from.

    Raises:
        Problem: If the database is away.
    """
    row = read_one(_STATE, key=True)
    if row is None:
        raise AssertionError("the schema's first script makes the row")
    generation, changed_at_microseconds, genres_changed_in = row
    note_genres(genres_changed_in)
    # The time as well: a database that was set back to a copy may count the same numbers again.
    return Version((generation, changed_at_microseconds), generation, changed_at_microseconds)


def note_genres(changed_in: int) -> None:
    """This request has seen that genres were changed last by the change with this id."""
    g.genres_changed_in = changed_in


def genres_seen_changed_in() -> int:
    """The last change of genres that this request has seen: an older copy of their names won't do."""
    changed_in: int = g.get("genres_changed_in", 0)
    return changed_in


@contextmanager
def change() -> Iterator[Change]:
    """One transaction that changes the catalogue, as a generation of its own: the only way to write to it.

    Raises:
        Problem: If the database refuses, or is away; then nothing is changed.
    """
    with write() as connection:
        change_id = connection.execute(text("SELECT nextval('catalogue_change_ids')")).scalar_one()
        making = Change(connection, change_id)
        yield making
        if making.is_void:
            return
        values = {"change_id": change_id}
        # At the very end: from here to the commit, no other change can end.
        if making.has_genres:
            connection.execute(text("UPDATE catalogue_state SET genres_changed_in = :change_id"), values)
        connection.execute(text("SELECT catalogue_publish(:change_id)"), values)
        published = connection.execute(_PUBLISHED, values).one()
        making.generation, making.changed_at_microseconds = published
