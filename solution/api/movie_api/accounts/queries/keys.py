"""The SQL of API keys."""

import hashlib
import secrets
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from movie_api import audit
from movie_api.database import write
from movie_api.http.access import Caller
from movie_api.http.problems import TOO_MANY_ENTRIES, Problem

MAXIMUM_KEYS: Final = 50
PREFIX: Final = "movies_"
"""What an API key begins with: scanners for leaked secrets know it by that, and so do we."""
_HINT_CHARACTERS: Final = len(PREFIX) + 6
KEY_COLUMNS: Final = "id, name, hint, scopes, created_at, expires_at, revoked_at"


class Made(NamedTuple):
    """A new key: its row, and the key itself, which is kept nowhere."""

    row: Any
    secret: str


def make(caller: Caller, name: str, scopes: list[str], days: int) -> Made:
    """A new key of the caller's.

    Raises:
        Problem: There are too many already.
    """
    with write() as connection:
        made = insert(connection, caller.user_id, name, scopes, days)
        audit.record(connection, caller, "key.make", caller.pseudonym, {"key": str(made.row.id)})
        return made


def insert(connection: Connection, user_id: str, name: str, scopes: list[str], days: int) -> Made:
    """A new key of the user's, good for so many days.

    Raises:
        Problem: There are too many already.
    """
    # Of two that are made at once, the second counts the first.
    connection.execute(text("SELECT FROM users WHERE id = :id FOR UPDATE"), {"id": user_id})
    count = connection.execute(
        text(
            "SELECT count(*) FROM api_keys WHERE user_id = :id AND revoked_at IS NULL AND expires_at > now()"
        ),
        {"id": user_id},
    ).scalar_one()
    if count >= MAXIMUM_KEYS:
        raise Problem(TOO_MANY_ENTRIES, f"An account has at most {MAXIMUM_KEYS} keys that are good.")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = connection.execute(
        text(
            "INSERT INTO api_keys (user_id, key_hash, name, hint, scopes, expires_at)"
            " VALUES (:user_id, :hash, :name, :hint, :scopes, now() + :days * interval '1 day')"
            f" RETURNING {KEY_COLUMNS}"
        ),
        {
            "user_id": user_id,
            "hash": hashlib.sha256(secret.encode()).digest(),
            "name": name,
            "hint": secret[:_HINT_CHARACTERS],
            "scopes": scopes,
            "days": days,
        },
    ).one()
    return Made(row, secret)


def all_of(user_id: str) -> list[Any]:
    """The user's keys, the newest first; those that are good, and the latest others."""
    with write() as connection:
        return list(
            connection.execute(
                text(
                    f"SELECT {KEY_COLUMNS} FROM api_keys WHERE user_id = :user_id"
                    " ORDER BY revoked_at IS NULL AND expires_at > now() DESC, created_at DESC, id"
                    " LIMIT :most"
                ),
                {"user_id": user_id, "most": 2 * MAXIMUM_KEYS},
            )
        )


def revoke(caller: Caller, key_id: str) -> bool:
    """Whether the caller had this key, which is good no more."""
    with write() as connection:
        done = connection.execute(
            text(
                "UPDATE api_keys SET revoked_at = now()"
                " WHERE id = :id AND user_id = :user_id AND revoked_at IS NULL"
            ),
            {"id": key_id, "user_id": caller.user_id},
        )
        if done.rowcount:
            audit.record(connection, caller, "key.revoke", caller.pseudonym, {"key": key_id})
        return bool(done.rowcount)
