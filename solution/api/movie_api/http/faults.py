"""Every fault of a request ends as a problem: ours, Flask's and those that nobody foresaw."""

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from movie_api.http import problems
from movie_api.http.exchange import request_id_of
from movie_api.http.problems import Problem

_log = structlog.get_logger("movie_api.faults")


def register(app: Flask) -> None:
    """From now on, no fault leaves the app in another form."""
    app.register_error_handler(Problem, _answer)
    app.register_error_handler(HTTPException, _of_flask)
    app.register_error_handler(Exception, _unforeseen)


def _answer(problem: Problem) -> Response:
    return problem.response(request_id_of(request.environ))


def _of_flask(error: HTTPException) -> Response:
    match error:
        case NotFound():
            return _answer(Problem(problems.NO_SUCH_PAGE, "There is nothing at this address."))
        case MethodNotAllowed():
            methods = ", ".join(sorted(error.valid_methods or ()))
            detail = f"{request.method} is not allowed here; allowed is {methods}."
            return _answer(Problem(problems.METHOD_NOT_ALLOWED, detail, headers={"Allow": methods}))
    if error.code is not None and error.code < 500:  # noqa: PLR2004  the first of the server's own faults
        return _answer(Problem(problems.MALFORMED_REQUEST, "The request can't be read."))
    return _unforeseen(error)


def _unforeseen(error: Exception) -> Response:
    _log.error("unforeseen fault", request_id=request_id_of(request.environ), exc_info=error)
    return _answer(Problem(problems.INTERNAL_ERROR, "The answer could not be made."))
