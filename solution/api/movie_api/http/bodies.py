"""Bodies of requests: JSON, read strictly, with every fault told in our words."""

from difflib import get_close_matches
from typing import Any, Final, TypeVar

import orjson
from flask import current_app, request
from pydantic import BaseModel, ValidationError

from movie_api.http import problems
from movie_api.http.problems import Fault, Problem

Model = TypeVar("Model", bound=BaseModel)

# What a fault of pydantic's is called here; the names in braces are its own.
_MESSAGES: Final = {
    "missing": "is required",
    "string_type": "must be a text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "too_long": "must have at most {max_length} entries",
    "value_error": "{error}",
}


_BODY_KEY: Final = "movie_api.body"

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"


def whole_number(value: Any) -> Any:
    """JSON knows one kind of number: 1994.0 is as whole as 1994."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_body(model: type[Model], media_types: tuple[str, ...] = (JSON,)) -> Model:
    """The request's body as the model has it.

    Args:
        model: What the body must be.
        media_types: Those that it may have.

    Raises:
        Problem: If the body is of another type, too large, no JSON, or not valid; with every fault.
    """
    content = _json(media_types)
    if not isinstance(content, dict):
        raise _invalid([Fault("body", "", "must be an object")])
    try:
        return model.model_validate(content)
    except ValidationError as error:
        known = [field.alias or name for name, field in model.model_fields.items()]
        faults = [_fault(dict(detail), known) for detail in error.errors(include_url=False)]
        raise _invalid(faults) from error


def body_that_was_read() -> bytes:
    """The body, as it came."""
    content: bytes = request.environ.get(_BODY_KEY, b"")
    return content


def _json(media_types: tuple[str, ...]) -> Any:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in media_types or charset not in ("utf-8", "utf8"):
        # Source: RFC 5789, section 2.2.
        headers = {"Accept-Patch": ", ".join(media_types)} if request.method == "PATCH" else {}
        raise Problem(
            problems.UNSUPPORTED_MEDIA_TYPE,
            f"The body must be of type {' or '.join(media_types)}, in UTF-8.",
            headers=headers,
        )
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(problems.UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed.")
    content = _bytes()
    request.environ[_BODY_KEY] = content
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Problem(
            problems.MALFORMED_BODY,
            f"The body is not JSON: see line {error.lineno}, column {error.colno}.",
            [Fault("body", "", "must be one JSON object in UTF-8")],
        ) from error


def _bytes() -> bytes:
    """The body, whole.

    Werkzeug's own stream is passed by: it cuts a chunked body off at the limit, and tells nobody.
    """
    limit = current_app.extensions["settings"].max_body_bytes
    length = request.content_length
    if length is None and "wsgi.input_terminated" not in request.environ:
        return b""
    if length is not None and length > limit:
        raise _too_large(limit)
    try:
        content: bytes = request.environ["wsgi.input"].read(limit + 1 if length is None else length)
    except TimeoutError as error:
        raise Problem(problems.CLIENT_TOO_SLOW, "The body did not come in time.") from error
    except Exception as error:
        # The server's stream has exceptions of its own: for a chunk without its size, say.
        raise _cut_off() from error
    if len(content) > limit:
        raise _too_large(limit)
    if length is not None and len(content) < length:
        raise _cut_off()
    return content


def _too_large(limit: int) -> Problem:
    return Problem(problems.BODY_TOO_LARGE, f"The body may have {limit} bytes.")


def _cut_off() -> Problem:
    return Problem(problems.MALFORMED_REQUEST, "The body can't be read as HTTP.")


def _invalid(faults: list[Fault]) -> Problem:
    named = ", ".join(dict.fromkeys(fault.field or "the body itself" for fault in faults))
    return Problem(problems.INVALID_BODY, f"The body can't be used as it is: {named}.", faults)


def _fault(detail: dict[str, Any], known: list[str]) -> Fault:
    field = _path(detail["loc"])
    if detail["type"] == "extra_forbidden":
        nearest = get_close_matches(field, known, n=1, cutoff=0)[0]
        return Fault("body", field, f"is not known; the nearest that is: {nearest}")
    message = _MESSAGES.get(detail["type"], "is not valid")
    return Fault("body", field, message.format(**detail.get("ctx", {})))


def _path(places: tuple[str | int, ...]) -> str:
    """Where a fault is: `genres[2]`. Names come from the caller: as much as fits in a line."""
    path = ""
    for place in places:
        path += f"[{place}]" if isinstance(place, int) else f".{place}" if path else place
    return path[:100]
