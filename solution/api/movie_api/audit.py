"""The audit: who did what to accounts and to the catalogue, under a pseudonym."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from sqlalchemy import Connection, text

from movie_api.http.access import Caller

_RECORD: Final = text(
    "INSERT INTO audit (actor, api_key_id, action, object, detail)"
    " VALUES (:actor, :api_key_id, :action, :object, CAST(:detail AS jsonb))"
)


def record(
    connection: Connection,
    actor: Caller | str | None,
    action: str,
    on: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """The deed is remembered with the transaction that does it.

    Args:
        connection: Of that transaction.
        actor: Who did it, or the pseudonym; None: nobody that is known.
        action: What, such as `movie.create`.
        on: To what: a movie's id, a user's pseudonym.
        detail: More of it; nothing that identifies a person.
    """
    values = {
        "actor": actor.pseudonym if isinstance(actor, Caller) else actor,
        "api_key_id": actor.key_id if isinstance(actor, Caller) else None,
        "action": action,
        "object": on,
        "detail": orjson.dumps(dict(detail or {})).decode(),
    }
    connection.execute(_RECORD, values)
