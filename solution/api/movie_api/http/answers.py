"""Answers that say yes: JSON written by orjson."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from flask import Response

_JSON: Final = "application/json"


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with this content as JSON."""
    return Response(orjson.dumps(content), status=status, headers=headers, content_type=_JSON)
