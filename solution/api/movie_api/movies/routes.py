"""Movies: lists, one, and what editors do."""

import re
from typing import Final

from flask import Blueprint, Response

from movie_api.catalogue import catalogue_version
from movie_api.http.access import caller, needs, public, signed_in
from movie_api.http.addresses import whole
from movie_api.http.answers import json_answer
from movie_api.http.bodies import JSON, MERGE_PATCH, read_body
from movie_api.http.conditional import (
    Precondition,
    Versioned,
    list_by_version,
    never_kept,
    one_by_version,
    tag_header,
)
from movie_api.http.idempotency import once
from movie_api.http.pages import PAGE_PARAMETERS, PLACE_PARAMETERS, page_answer, page_asked
from movie_api.http.parameters import Query, table, takes
from movie_api.http.problems import MALFORMED_ID, MOVIE_RETIRED, NO_SUCH_MOVIE, Fault, Problem
from movie_api.movies import changes, editing, filmography, filters, history, queries, search
from movie_api.movies.schemas import MoviePatch, NewMovie
from movie_api.people.queries import number_of
from movie_api.people.schemas import check_person_id

movies = Blueprint("movies", __name__)

_ID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|tt[0-9]{7,10}", re.ASCII)


@movies.get("/movies")
@takes(table(*filters.LIST_PARAMETERS, *PAGE_PARAMETERS))
@public
@list_by_version(catalogue_version)
def list_movies(query: Query) -> Response:
    """Movies that match every filter, in the order asked, one page of them."""
    asked = page_asked(query, filters.list_identity)
    page = search.search_page(query, asked) if "q" in query else queries.movie_page(query, asked)
    return page_answer(page, asked)


@movies.get("/suggest")
@takes(table(*filters.SUGGEST_PARAMETERS))
@public
@list_by_version(catalogue_version)
def suggest(query: Query) -> Response:
    """The first few movies that a text finds while it is typed."""
    return json_answer(search.suggestions(query))


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
    _check(movie_id)
    found = queries.find_movie(movie_id)
    if found is None:
        raise Problem(NO_SUCH_MOVIE, f"There is no movie with the id {movie_id}.")
    if found.is_retired:
        raise Problem(MOVIE_RETIRED, f"The movie with the id {movie_id} was retired.")
    return Versioned(found.version, lambda: json_answer(queries.shown([found.row])[0]))


@movies.get("/people/<person_id>/movies")
@takes(table(*filters.FILMOGRAPHY_PARAMETERS, *PAGE_PARAMETERS))
@public
@list_by_version(catalogue_version)
def list_movies_of_person(query: Query, person_id: str) -> Response:
    """Movies that a person made, one page of them."""
    check_person_id(person_id)
    number = number_of(person_id)
    # A copy: what is kept with a query is for one path alone.
    asked = page_asked(Query(query), lambda _query: filmography.filmography_identity(number, query))
    return page_answer(filmography.filmography_page(number, query, asked), asked)


@movies.post("/movies")
@takes(table())
@needs("editor", scope="catalogue:write", open_for_demonstrations=True)
def create_movie(_query: Query) -> Response:
    """A new movie is in the catalogue."""
    created = editing.create_movie(read_body(NewMovie), caller(), once())
    return json_answer(created, 201, {"Location": whole(f"/movies/{created['id']}")})


@movies.put("/movies/<movie_id>")
@takes(table())
@needs("editor", scope="catalogue:write")
def replace_movie(_query: Query, movie_id: str) -> Response:
    """The movie is what the body says."""
    _check(movie_id)
    new = read_body(NewMovie)
    return _answer(editing.replace_movie(movie_id, new, Precondition(), signed_in()))


@movies.patch("/movies/<movie_id>")
@takes(table())
@needs("editor", scope="catalogue:write")
def change_movie(_query: Query, movie_id: str) -> Response:
    """The fields that the body names have its values."""
    _check(movie_id)
    patch = read_body(MoviePatch, (MERGE_PATCH, JSON))
    return _answer(editing.change_movie(movie_id, patch, Precondition(), signed_in()))


@movies.delete("/movies/<movie_id>")
@takes(table())
@needs("editor", scope="catalogue:write")
def delete_movie(_query: Query, movie_id: str) -> Response:
    """The movie is retired."""
    _check(movie_id)
    editing.delete_movie(movie_id, Precondition(), signed_in())
    return Response(status=204)


@movies.post("/movies/<movie_id>/restore")
@takes(table())
@needs("editor", scope="catalogue:write")
def restore_movie(_query: Query, movie_id: str) -> Response:
    """The movie that was deleted is back."""
    _check(movie_id)
    return _answer(editing.restore_movie(movie_id, signed_in()))


@movies.delete("/movies/<movie_id>/overrides/<field>")
@takes(table())
@needs("editor", scope="catalogue:write")
def drop_override(_query: Query, movie_id: str, field: str) -> Response:
    """The field follows the dumps again."""
    _check(movie_id)
    editing.drop_override(movie_id, field, Precondition(), signed_in())
    return Response(status=204)


@movies.get("/movies/<movie_id>/history")
@takes(table(*PLACE_PARAMETERS))
@needs("editor", scope="catalogue:write")
@never_kept
def list_history(query: Query, movie_id: str) -> Response:
    """What editors did to the movie, latest first, one page of it."""
    _check(movie_id)
    # A copy: what is kept with a query is for one path alone.
    asked = page_asked(Query(query), lambda _query: f"movies/{movie_id}/history")
    return page_answer(history.history_page(movie_id, asked), asked)


def _check(movie_id: str) -> None:
    if not _ID.fullmatch(movie_id):
        raise Problem(
            MALFORMED_ID,
            "The id in the path is neither a UUID nor an IMDb id.",
            [Fault("path", "id", "must be a UUID, or tt and 7 to 10 digits")],
        )


def _answer(edited: editing.Edited) -> Response:
    name, tag = tag_header(edited.version)
    return json_answer(edited.movie, headers={name: tag})
