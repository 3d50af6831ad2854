"""The SQL of people."""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from movie_api.database import read, read_one
from movie_api.http.conditional import Version
from movie_api.people.schemas import credited, person

# The person and the catalogue's state in one look, so that they are of one moment.
_ONE: Final = """
SELECT people.id, imdb_id, name, born, died,
    latest.generation, (extract(epoch FROM latest.changed_at) * 1000000)::bigint
FROM people CROSS JOIN catalogue_state AS latest
WHERE people.{column} = %s
"""
_NAMED: Final = "SELECT number, id, imdb_id, name FROM people WHERE number = ANY({numbers})"


class Found(NamedTuple):
    """A person who is there, as callers see them."""

    person: dict[str, Any]
    version: Version


def find_person(id_or_imdb_id: str) -> Found | None:
    """The person with this UUID or IMDb id; None if there is none."""
    column = "imdb_id" if id_or_imdb_id.startswith("nm") else "id"
    row = read_one(_ONE.format(column=column), id_or_imdb_id)
    if row is None:
        return None
    *values, generation, changed_at = row
    # All that is shown is the version: a load that changes years alone begins no generation.
    return Found(person(values), Version(("person", *values), generation, changed_at))


def people_named(numbers: Collection[int]) -> Mapping[int, dict[str, Any]]:
    """The people with these numbers, as movies name them."""
    if not numbers:
        return {}
    rows = read(_NAMED.format(numbers="%s"), (sorted(numbers),))
    return {number: credited(row) for number, *row in rows}


def people_in(connection: Connection, numbers: Collection[int]) -> Mapping[int, dict[str, Any]]:
    """The same, as this transaction sees them."""
    if not numbers:
        return {}
    rows = connection.execute(text(_NAMED.format(numbers=":numbers")), {"numbers": sorted(numbers)})
    return {number: credited(row) for number, *row in rows}
