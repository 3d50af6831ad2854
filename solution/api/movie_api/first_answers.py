"""What a request with an Idempotency-Key made: given again when the request comes again.

It is written in the transaction that makes it, so that there is either both or neither. A second request with
the key of one that is under way waits for that one's end.
"""

from typing import Any, Final

import orjson
from sqlalchemy import Connection, text

from movie_api.database import write
from movie_api.http.access import Caller
from movie_api.http.idempotency import Once
from movie_api.http.problems import KEY_USED, Fault, Problem

KEPT_HOURS: Final = 24

_CLAIM: Final = text(
    "INSERT INTO idempotency_keys (user_id, key, request_hash, expires_at)"
    " VALUES (:user_id, :key, :request_hash, now() + :hours * interval '1 hour')"
    " ON CONFLICT ON CONSTRAINT idempotency_keys_key DO UPDATE"
    " SET request_hash = excluded.request_hash, expires_at = excluded.expires_at, answer = NULL"
    " WHERE idempotency_keys.expires_at <= now()"
    " RETURNING true"
)
_OF_KEY: Final = "WHERE user_id IS NOT DISTINCT FROM :user_id AND key = :key"
_ANSWER: Final = text(f"SELECT request_hash, answer::text FROM idempotency_keys {_OF_KEY}")  # noqa: S608
_KEEP: Final = text(f"UPDATE idempotency_keys SET answer = CAST(:answer AS json) {_OF_KEY}")  # noqa: S608
_PRUNE: Final = text("DELETE FROM idempotency_keys WHERE expires_at <= now()")


def claim(connection: Connection, caller: Caller | None, once: Once | None) -> Any:
    """What was made when this request came first; None: it comes for the first time, and is to be done.

    Args:
        connection: Of the transaction that does it, in which nothing was written yet.
        caller: Who asks; keys of two users have nothing to do with each other.
        once: By what the request is known; None: it is like no other.

    Raises:
        Problem: If the key was used for another request.
    """
    if once is None:
        return None
    values = _values(caller, once)
    claimed = {"request_hash": once.request_hash, "hours": KEPT_HOURS}
    if connection.execute(_CLAIM, values | claimed).one_or_none():
        return None
    request_hash, answer = connection.execute(_ANSWER, values).one()
    if bytes(request_hash) != once.request_hash:
        raise Problem(
            KEY_USED,
            "The Idempotency-Key was used for another request.",
            [Fault("header", "Idempotency-Key", "was used for another body or address")],
        )
    return orjson.loads(answer)


def keep(connection: Connection, caller: Caller | None, once: Once | None, made: Any) -> None:
    """What was made is given again for a day, once the transaction is committed."""
    if once is not None:
        connection.execute(_KEEP, _values(caller, once) | {"answer": orjson.dumps(made).decode()})


def prune() -> None:
    """What is not given again any more is gone."""
    with write() as connection:
        connection.execute(_PRUNE)


def _values(caller: Caller | None, once: Once) -> dict[str, Any]:
    return {"user_id": caller.user_id if caller else None, "key": once.key}
