"""The SQL of people."""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from movie_database.sort_keys import sort_key
from sqlalchemy import Connection, text

from movie_api.database import read, read_one
from movie_api.http.conditional import Version
from movie_api.http.problems import NO_SUCH_PERSON, Problem
from movie_api.people.schemas import credited, is_person_id, person

# The person and the catalogue's state in one look, so that they are of one moment.
_ONE: Final = """
SELECT people.id, imdb_id, name, born, died,
    latest.generation, (extract(epoch FROM latest.changed_at) * 1000000)::bigint
FROM people CROSS JOIN catalogue_state AS latest
WHERE people.{column} = %s
"""
_NAMED: Final = "SELECT number, id, imdb_id, name FROM people WHERE number = ANY({numbers})"


_MEANT: Final = """
SELECT number, imdb_id, id, name_key FROM people
WHERE imdb_id = ANY(%s) OR id = ANY(%s::uuid[]) OR name_key = ANY(%s)
"""


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


def number_of(id_or_imdb_id: str) -> int:
    """The number of the person with this UUID or IMDb id.

    Raises:
        Problem: If there is none.
    """
    column = "imdb_id" if id_or_imdb_id.startswith("nm") else "id"
    row = read_one(f"SELECT number FROM people WHERE {column} = %s", id_or_imdb_id)  # noqa: S608
    if row is None:
        raise nobody(id_or_imdb_id)
    return int(row[0])


def nobody(person_id: str) -> Problem:
    """The problem of an id that nobody has."""
    return Problem(NO_SUCH_PERSON, f"There is no person with the id {person_id}.")


def numbers_of(texts: Collection[str]) -> Mapping[str, list[int]]:
    """The numbers of the people whom each text means: who has that id, or all who have that name."""
    if not texts:
        return {}
    keys = {given: _key_of(given) for given in texts}
    ids = {key for given, key in keys.items() if is_person_id(given)}
    imdb_ids = {key for key in ids if key.startswith("nm")}
    # Sorted, so that who asks the same again is answered by the same plan.
    asked = [sorted(each) for each in (imdb_ids, ids - imdb_ids, set(keys.values()) - ids)]
    found: dict[str, list[int]] = {}
    for number, *own_keys in read(_MEANT, asked):
        for key in own_keys:
            found.setdefault(key, []).append(number)
    return {given: sorted(found.get(key, [])) for given, key in keys.items()}


def _key_of(given: str) -> str:
    return given.lower() if is_person_id(given) else sort_key(given.strip())


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
