"""GET /genres."""

from flask import Blueprint, Response

from movie_api.catalogue import catalogue_version
from movie_api.genres import queries
from movie_api.http.access import public
from movie_api.http.answers import json_answer
from movie_api.http.conditional import list_by_version
from movie_api.http.parameters import Query, table, takes

genres = Blueprint("genres", __name__)


@genres.get("/genres")
@takes(table())
@public
@list_by_version(catalogue_version)
def list_genres(_query: Query) -> Response:
    """Every genre, in alphabetical order."""
    return json_answer([{"name": name} for name in queries.all_genres()])
