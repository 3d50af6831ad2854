"""GET /dataset, the history of its loads, and whether this server is alive and able."""

import re
from typing import Final

from flask import Blueprint, Response, current_app

from movie_api.dataset import queries, schemas
from movie_api.http.access import public
from movie_api.http.answers import json_answer
from movie_api.http.conditional import never_kept
from movie_api.http.pages import PLACE_PARAMETERS, page_answer, page_asked
from movie_api.http.parameters import Parameter, Query, integer, table, takes
from movie_api.http.problems import MALFORMED_ID, NO_DATA, NO_SUCH_LOAD, Fault, Problem

dataset = Blueprint("dataset", __name__)

_RETRY_AFTER_SECONDS: Final = 30
_MAXIMUM_ID: Final = 10**18 - 1
_ID: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataset.get("/dataset")
@takes(table())
@public
@never_kept
def get_dataset(_query: Query) -> Response:
    """What data is served, from where, and how old it is."""
    return json_answer(schemas.dataset(queries.served_load(), _stale_after_seconds()))


@dataset.get("/dataset/loads")
@takes(table(*PLACE_PARAMETERS, Parameter("after_id", integer(1, _MAXIMUM_ID))))
@public
@never_kept
def list_loads(query: Query) -> Response:
    """Every load, whatever became of it, newest first, one page of them."""
    asked = page_asked(query, lambda _query: "dataset/loads")
    page = queries.load_page(asked)
    return page_answer(page._replace(items=[schemas.load(one) for one in page.items]), asked)


@dataset.get("/dataset/loads/<load_id>")
@takes(table())
@public
@never_kept
def get_load(_query: Query, load_id: str) -> Response:
    """One load."""
    if not _ID.fullmatch(load_id):
        raise Problem(
            MALFORMED_ID,
            "The id in the path is no whole number.",
            [Fault("path", "id", f"must be a whole number from 1 to {_MAXIMUM_ID}")],
        )
    found = queries.find_load(int(load_id))
    if found is None:
        raise Problem(NO_SUCH_LOAD, f"There is no load with the id {load_id}.")
    return json_answer(schemas.load(found))


@dataset.get("/healthz")
@takes(table())
@public
@never_kept
def check_process(_query: Query) -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})


@dataset.get("/readyz")
@takes(table())
@public
@never_kept
def check_readiness(_query: Query) -> Response:
    """The database answers, and holds data; that they are old makes it no less ready."""
    has_movies, served = queries.readiness()
    if not has_movies:
        raise Problem(
            NO_DATA,
            "The database is empty: load the data with ./run.sh load",
            headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
        )
    return json_answer({"status": "ready", "stale": schemas.is_stale(served, _stale_after_seconds())})


def _stale_after_seconds() -> float:
    stale_after: float = current_app.extensions["settings"].stale_after.total_seconds()
    return stale_after
