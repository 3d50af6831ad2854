"""What a person looks like to callers."""

import re
from typing import Any, Final

from movie_api.http.problems import MALFORMED_ID, Fault, Problem

MAXIMUM_TEXT_CHARACTERS: Final = 200
IMDB_NAME_ADDRESS: Final = "https://www.imdb.com/name/"
_ID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|nm[0-9]{7,10}", re.ASCII)


def is_person_id(given: str) -> bool:
    """Whether this is a UUID or IMDb's id of somebody; else it may be a name."""
    return _ID.fullmatch(given) is not None


def check_person_id(given: str) -> None:
    """The id in the path is one.

    Raises:
        Problem: If it is not.
    """
    if not is_person_id(given):
        raise Problem(
            MALFORMED_ID,
            "The id in the path is neither a UUID nor an IMDb id.",
            [Fault("path", "id", "must be a UUID, or nm and 7 to 10 digits")],
        )


def credited(row: Any) -> dict[str, Any]:
    """A person as a movie names them.

    Args:
        row: id, imdb_id, name.
    """
    return {"id": str(row[0]), "name": row[2], "imdb_link": f"{IMDB_NAME_ADDRESS}{row[1]}/"}


def person(row: Any) -> dict[str, Any]:
    """A person as callers see them.

    Args:
        row: id, imdb_id, name, born, died.
    """
    return credited(row) | {"born": row[3], "died": row[4]}
