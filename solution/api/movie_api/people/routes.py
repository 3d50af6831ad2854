"""People: one, and those with a name."""

import re
from typing import Final

from flask import Blueprint

from movie_api.http.access import public
from movie_api.http.answers import json_answer
from movie_api.http.conditional import Versioned, one_by_version
from movie_api.http.parameters import Query, table, takes
from movie_api.http.problems import MALFORMED_ID, NO_SUCH_PERSON, Fault, Problem
from movie_api.people import queries
from movie_api.people.schemas import PERSON_ID_PATTERN

people = Blueprint("people", __name__)

_ID: Final = re.compile(PERSON_ID_PATTERN, re.ASCII)


@people.get("/people/<person_id>")
@takes(table())
@public
@one_by_version
def get_person(_query: Query, person_id: str) -> Versioned:
    """One person, by our id or IMDb's."""
    if not _ID.fullmatch(person_id):
        raise Problem(
            MALFORMED_ID,
            "The id in the path is neither a UUID nor an IMDb id.",
            [Fault("path", "id", "must be a UUID, or nm and 7 to 10 digits")],
        )
    found = queries.find_person(person_id)
    if found is None:
        raise Problem(NO_SUCH_PERSON, f"There is no person with the id {person_id}.")
    return Versioned(found.version, lambda: json_answer(found.person))
