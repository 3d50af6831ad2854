"""GET /healthz."""

from flask import Blueprint, Response

from movie_api.http.answers import json_answer
from movie_api.http.parameters import Query, table, takes

dataset = Blueprint("dataset", __name__)


@dataset.get("/healthz")
@takes(table())
def check_process(_query: Query) -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})
