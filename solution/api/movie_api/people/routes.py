"""People: one, and those with a name."""

from typing import Final

from flask import Blueprint, Response

from movie_api.catalogue import catalogue_version
from movie_api.http.access import public
from movie_api.http.answers import json_answer
from movie_api.http.conditional import Versioned, list_by_version, one_by_version
from movie_api.http.pages import PLACE_PARAMETERS, page_answer, page_asked
from movie_api.http.parameters import Parameter, Query, table, takes, text
from movie_api.people import queries, search
from movie_api.people.schemas import MAXIMUM_TEXT_CHARACTERS, check_person_id

people = Blueprint("people", __name__)


PARAMETERS: Final = (Parameter("q", text(MAXIMUM_TEXT_CHARACTERS)), *PLACE_PARAMETERS)


@people.get("/people")
@takes(table(*PARAMETERS))
@public
@list_by_version(catalogue_version)
def list_people(query: Query) -> Response:
    """People whose names have these words, one page of them."""
    asked = page_asked(query, search.person_identity)
    return page_answer(search.person_page(query, asked), asked)


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
