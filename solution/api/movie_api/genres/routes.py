"""Genres: the list, one, and what editors do."""

import re
from typing import Final

from flask import Blueprint, Response

from movie_api.catalogue import catalogue_version
from movie_api.genres import editing, queries
from movie_api.genres.schemas import MAXIMUM_GENRE_ID, Merge, NamedGenre
from movie_api.http.access import needs, public, signed_in
from movie_api.http.addresses import whole
from movie_api.http.answers import json_answer
from movie_api.http.bodies import read_body
from movie_api.http.conditional import (
    Precondition,
    Versioned,
    list_by_version,
    one_by_version,
    tag_header,
)
from movie_api.http.idempotency import once
from movie_api.http.parameters import Query, table, takes
from movie_api.http.problems import MALFORMED_ID, NO_SUCH_GENRE, Fault, Problem

genres = Blueprint("genres", __name__)

_ID: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


@genres.get("/genres")
@takes(table())
@public
@list_by_version(catalogue_version)
def list_genres(_query: Query) -> Response:
    """Every genre, in alphabetical order."""
    return json_answer(queries.all_genres())


@genres.get("/genres/<genre_id>")
@takes(table())
@public
@one_by_version
def get_genre(_query: Query, genre_id: str) -> Versioned:
    """One genre."""
    found = queries.find_genre(_read(genre_id))
    if found is None:
        raise Problem(NO_SUCH_GENRE, f"There is no genre with the id {genre_id}.")
    return Versioned(found.version, lambda: json_answer(found.genre))


@genres.post("/genres")
@takes(table())
@needs("editor", scope="catalogue:write")
def create_genre(_query: Query) -> Response:
    """A new genre is there."""
    created = editing.create_genre(read_body(NamedGenre).name, signed_in(), once())
    return json_answer(created, 201, {"Location": whole(f"/genres/{created['id']}")})


@genres.put("/genres/<genre_id>")
@takes(table())
@needs("editor", scope="catalogue:write")
def rename_genre(_query: Query, genre_id: str) -> Response:
    """The genre has another name."""
    known = _read(genre_id)
    name = read_body(NamedGenre).name
    return _answer(editing.rename_genre(known, name, Precondition(), signed_in()))


@genres.delete("/genres/<genre_id>")
@takes(table())
@needs("editor", scope="catalogue:write")
def delete_genre(_query: Query, genre_id: str) -> Response:
    """The genre, which no movie has, is gone."""
    editing.delete_genre(_read(genre_id), Precondition(), signed_in())
    return Response(status=204)


@genres.post("/genres/<genre_id>/merge")
@takes(table())
@needs("editor", scope="catalogue:write")
def merge_genres(_query: Query, genre_id: str) -> Response:
    """The movies of one genre have another one instead."""
    known = _read(genre_id)
    into = read_body(Merge).into
    return _answer(editing.merge_genres(known, into, signed_in()))


def _read(genre_id: str) -> int:
    if not _ID.fullmatch(genre_id) or int(genre_id) > MAXIMUM_GENRE_ID:
        raise Problem(
            MALFORMED_ID,
            "The id in the path is no whole number.",
            [Fault("path", "id", f"must be a whole number from 1 to {MAXIMUM_GENRE_ID}")],
        )
    return int(genre_id)


def _answer(edited: editing.Edited) -> Response:
    name, tag = tag_header(edited.version)
    return json_answer(edited.genre, headers={name: tag})
