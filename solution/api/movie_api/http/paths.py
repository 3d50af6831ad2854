"""What stands in a path."""

import re
from typing import Final

from movie_api.http.problems import MALFORMED_ID, Fault, Problem

_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)


def uuid_of(text: str) -> str:
    """The id in the path, in lower case.

    Raises:
        Problem: It is none.
    """
    if not _UUID.fullmatch(text):
        raise Problem(MALFORMED_ID, "The id in the path is no UUID.", [Fault("path", "id", "must be a UUID")])
    return text.lower()
