"""GET /movies, GET /movies/changes, GET /movies/{id}, POST /movies."""

import re
from typing import Final

from flask import Blueprint, Response

from movie_api.catalogue import catalogue_version
from movie_api.http.access import caller, needs, public
from movie_api.http.addresses import whole
from movie_api.http.answers import json_answer
from movie_api.http.bodies import read_body
from movie_api.http.conditional import Versioned, list_by_version, one_by_version
from movie_api.http.pages import PAGE_PARAMETERS, PLACE_PARAMETERS, page_answer, page_asked
from movie_api.http.parameters import Query, table, takes
from movie_api.http.problems import MALFORMED_ID, MOVIE_RETIRED, NO_SUCH_MOVIE, Fault, Problem
from movie_api.movies import changes, filters, queries
from movie_api.movies.schemas import NewMovie

movies = Blueprint("movies", __name__)

_ID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|tt[0-9]{7,10}", re.ASCII)


@movies.get("/movies")
@takes(table(*filters.LIST_PARAMETERS, *PAGE_PARAMETERS))
@public
@list_by_version(catalogue_version)
def list_movies(query: Query) -> Response:
    """Movies that match every filter, in the order asked, one page of them."""
    asked = page_asked(query, filters.list_identity)
    return page_answer(queries.movie_page(query, asked), asked)


@movies.get("/movies/changes")
@takes(table(*filters.CHANGES_PARAMETERS, *PLACE_PARAMETERS))
@public
@list_by_version(catalogue_version)
def list_changes(query: Query) -> Response:
    """Movies that were added, changed or retired since a load or a time, one page of them."""
    asked = page_asked(query, filters.changes_identity)
    return page_answer(changes.change_page(query, asked), asked)


@movies.get("/movies/<movie_id>")
@takes(table())
@public
@one_by_version
def get_movie(_query: Query, movie_id: str) -> Versioned:
    """One movie, by our id or IMDb's."""
    if not _ID.fullmatch(movie_id):
        raise Problem(
            MALFORMED_ID,
            "The id in the path is neither a UUID nor an IMDb id.",
            [Fault("path", "id", "must be a UUID, or tt and 7 to 10 digits")],
        )
    found = queries.find_movie(movie_id)
    if found is None:
        raise Problem(NO_SUCH_MOVIE, f"There is no movie with the id {movie_id}.")
    if found.is_retired:
        raise Problem(MOVIE_RETIRED, f"The movie with the id {movie_id} was retired: the dumps lack it.")
    return Versioned(found.version, lambda: json_answer(queries.shown([found.row])[0]))


@movies.post("/movies")
@takes(table())
@needs("editor", scope="catalogue:write", open_for_demonstrations=True)
def create_movie(_query: Query) -> Response:
    """A new movie is in the catalogue."""
    created = queries.create_movie(read_body(NewMovie), caller())
    return json_answer(created, 201, {"Location": whole(f"/movies/{created['id']}")})
