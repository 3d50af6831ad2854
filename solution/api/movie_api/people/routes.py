"""People: one, and those with a name."""

from flask import Blueprint

from movie_api.http.access import public
from movie_api.http.answers import json_answer
from movie_api.http.conditional import Versioned, one_by_version
from movie_api.http.parameters import Query, table, takes
from movie_api.people import queries
from movie_api.people.schemas import check_person_id

people = Blueprint("people", __name__)


@people.get("/people/<person_id>")
@takes(table())
@public
@one_by_version
def get_person(_query: Query, person_id: str) -> Versioned:
    """One person, by our id or IMDb's."""
    check_person_id(person_id)
    found = queries.find_person(person_id)
    if found is None:
        raise queries.nobody(person_id)
    return Versioned(found.version, lambda: json_answer(found.person))
