"""The catalogue's changes: which generation it is in, and how a write makes the next one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from movie_api.database import read_one, write
from movie_api.http.conditional import Version

_STATE: Final = (
    "SELECT generation, (extract(epoch FROM changed_at) * 1000000)::bigint FROM catalogue_state WHERE id = %s"
)


class Change(NamedTuple):
    """A change that is being made: its transaction, and the id that `changed_in` of each row is set to."""

    connection: Connection
    id: int


def catalogue_version() -> Version:
    """The version of the whole catalogue: what lists are made from.

    Raises:
        Problem: If the database is away.
    """
    row = read_one(_STATE, key=True)
    if row is None:
        raise AssertionError("the schema's first script makes the row")
    # The time as well: a database that was set back to a copy may count the same numbers again.
    return Version(row, *row)


@contextmanager
def change() -> Iterator[Change]:
    """One transaction that changes the catalogue, as a generation of its own: the only way to write to it.

    Raises:
        Problem: If the database refuses, or is away; then nothing is changed.
    """
    with write() as connection:
        change_id = connection.execute(text("SELECT nextval('catalogue_change_ids')")).scalar_one()
        yield Change(connection, change_id)
        # The last statement: from here to the commit, no other change can end.
        connection.execute(text("SELECT catalogue_publish(:change_id)"), {"change_id": change_id})
