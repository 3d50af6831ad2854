"""GET /dataset, and whether this server is alive and able: GET /healthz, GET /readyz."""

from flask import Blueprint, Response

from movie_api.dataset import queries, schemas
from movie_api.http.answers import json_answer
from movie_api.http.parameters import Query, table, takes
from movie_api.http.problems import NO_DATA, Problem

dataset = Blueprint("dataset", __name__)

_RETRY_AFTER_SECONDS = 30


@dataset.get("/dataset")
@takes(table())
def get_dataset(_query: Query) -> Response:
    """What data is served, from where, and how old it is."""
    return json_answer(schemas.dataset(queries.latest_load()))


@dataset.get("/healthz")
@takes(table())
def check_process(_query: Query) -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})


@dataset.get("/readyz")
@takes(table())
def check_readiness(_query: Query) -> Response:
    """The database answers, and holds data."""
    if not queries.has_movies():
        raise Problem(
            NO_DATA,
            "The database is empty: load the data with ./run.sh load",
            headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
        )
    return json_answer({"status": "ready"})
