"""What a person looks like to callers."""

from typing import Any, Final

IMDB_NAME_ADDRESS: Final = "https://www.imdb.com/name/"
PERSON_ID_PATTERN: Final = r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|nm[0-9]{7,10}"


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
