"""The SQL of sessions, and of who a token or a key is of."""

import hashlib
from typing import Any, Final, NamedTuple

from sqlalchemy import text

from movie_api.database import read_one, write

MAXIMUM_SESSIONS: Final = 50
REUSE_SECONDS: Final = 10
"""For so long after its use, a refresh token still gives a sibling: two tabs may refresh at once."""

# One look-up by a primary key, and from there by another: what "ends at once" costs.
_OF_SESSION: Final = """
SELECT
    users.id, users.role, users.pseudonym, extract(epoch FROM sessions.signed_in_at)::float8,
    sessions.ended_at IS NOT NULL OR sessions.expires_at <= now(), users.disabled_at IS NOT NULL
FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.id = %s
"""
_OF_KEY: Final = """
SELECT
    users.id, users.role, users.pseudonym, api_keys.id, api_keys.scopes,
    api_keys.revoked_at IS NOT NULL, api_keys.expires_at <= now(), users.disabled_at IS NOT NULL
FROM api_keys JOIN users ON users.id = api_keys.user_id
WHERE api_keys.key_hash = %s
"""
SESSION_COLUMNS: Final = "id, method, signed_in_at, refreshed_at, expires_at, address, user_agent"
_USER_AGENT_CHARACTERS: Final = 300


class Client(NamedTuple):
    """What a session is recognised by in its owner's list.

    Attributes:
        address: Whence.
        user_agent: What program it says to be.
    """

    address: str
    user_agent: str | None


class Rotated(NamedTuple):
    """A refresh: the session goes on with the new token, or what ended it."""

    user_id: str | None
    reason: str | None


def of_session(session_id: str) -> Any | None:
    """The user of a session, and whether either is over: one row, in one round trip."""
    return read_one(_OF_SESSION, session_id)


def of_key(key: str) -> Any | None:
    """The user of an API key, what the key may do, and whether either is over."""
    return read_one(_OF_KEY, hashlib.sha256(key.encode()).digest())


def begin(
    user_id: str,
    method: str,
    client: Client,
    refresh_id: str,
    seconds: float,
    *,
    password_hash: str | None = None,
) -> str | None:
    """The id of a new session; of too many, the one that was not used longest is over.

    Args:
        user_id: Whose.
        method: `password`, or the provider.
        client: Whence.
        refresh_id: The id of its first refresh token.
        seconds: How long that is good.
        password_hash: The one that the password was compared with, if it was.

    Returns:
        None: the account is gone, disabled, or has another password by now.
    """
    with write() as connection:
        # The lock puts a sign-in and a change of the password one after the other: the session of an old
        # password is there when the change ends all sessions, or never begins.
        session_id = connection.execute(
            text(
                "INSERT INTO sessions (user_id, method, expires_at, address, user_agent)"
                " SELECT id, :method, now() + :seconds * interval '1 s', :address, :user_agent"
                " FROM (SELECT id FROM users WHERE id = :user_id AND disabled_at IS NULL"
                " AND (CAST(:password_hash AS text) IS NULL OR password_hash = :password_hash) FOR SHARE"
                ") AS signed_in RETURNING id"
            ),
            {
                "user_id": user_id,
                "method": method,
                "seconds": seconds,
                "password_hash": password_hash,
                **_told(client),
            },
        ).scalar_one_or_none()
        if session_id is None:
            return None
        connection.execute(
            text("INSERT INTO refresh_tokens (id, session_id) VALUES (:id, :session_id)"),
            {"id": refresh_id, "session_id": session_id},
        )
        connection.execute(
            text(
                "UPDATE sessions SET ended_at = now() WHERE id IN ("
                " SELECT id FROM sessions"
                " WHERE user_id = :user_id AND ended_at IS NULL AND expires_at > now()"
                " ORDER BY refreshed_at DESC, id OFFSET :most)"
            ),
            {"user_id": user_id, "most": MAXIMUM_SESSIONS},
        )
        return str(session_id)


def rotate(session_id: str, used_id: str, new_id: str, client: Client, seconds: float) -> Rotated:
    """A refresh token is used: the session goes on with a new one, or ends if the token was used before.

    Args:
        session_id: The session that the token is of.
        used_id: The token's id.
        new_id: That of the next one.
        client: Whence.
        seconds: How long the next one is good.
    """
    with write() as connection:
        # The lock on the session's row puts two refreshes, or a sign-out and a refresh, one after the other.
        session = connection.execute(
            text(
                "SELECT sessions.user_id,"
                " sessions.ended_at IS NOT NULL OR sessions.expires_at <= now() AS is_over,"
                " users.disabled_at IS NOT NULL AS is_disabled"
                " FROM sessions JOIN users ON users.id = sessions.user_id"
                " WHERE sessions.id = :id FOR UPDATE OF sessions"
            ),
            {"id": session_id},
        ).one_or_none()
        if session is None or session.is_over:
            return Rotated(None, "Its session is over.")
        if session.is_disabled:
            return Rotated(None, "The account is disabled.")
        token = connection.execute(
            text(
                # Not now(): this transaction may have begun before the use that it waited for.
                "SELECT used_at, used_at < clock_timestamp() - :seconds * interval '1 s' AS is_reused"
                " FROM refresh_tokens WHERE id = :id AND session_id = :session_id"
            ),
            {"id": used_id, "session_id": session_id, "seconds": REUSE_SECONDS},
        ).one_or_none()
        if token is None or token.is_reused:
            connection.execute(
                text("UPDATE sessions SET ended_at = clock_timestamp() WHERE id = :id"), {"id": session_id}
            )
            return Rotated(None, "It was used before: its session is over, for one of its users is a thief.")
        if token.used_at is None:
            connection.execute(
                text("UPDATE refresh_tokens SET used_at = clock_timestamp() WHERE id = :id"), {"id": used_id}
            )
        connection.execute(
            text("INSERT INTO refresh_tokens (id, session_id) VALUES (:id, :session_id)"),
            {"id": new_id, "session_id": session_id},
        )
        connection.execute(
            text(
                "UPDATE sessions SET refreshed_at = now(), expires_at = now() + :seconds * interval '1 s',"
                " address = :address, user_agent = :user_agent WHERE id = :id"
            ),
            {"id": session_id, "seconds": seconds, **_told(client)},
        )
        return Rotated(str(session.user_id), None)


def end(user_id: str, session_id: str) -> bool:
    """Whether the user had this session, which is over now."""
    with write() as connection:
        done = connection.execute(
            text(
                "UPDATE sessions SET ended_at = now()"
                " WHERE id = :id AND user_id = :user_id AND ended_at IS NULL AND expires_at > now()"
            ),
            {"id": session_id, "user_id": user_id},
        )
        return bool(done.rowcount)


def all_of(user_id: str) -> list[Any]:
    """The user's sessions that go on, the one used last first."""
    with write() as connection:
        return list(
            connection.execute(
                text(
                    f"SELECT {SESSION_COLUMNS} FROM sessions"
                    " WHERE user_id = :user_id AND ended_at IS NULL AND expires_at > now()"
                    " ORDER BY refreshed_at DESC, id"
                ),
                {"user_id": user_id},
            )
        )


def _told(client: Client) -> dict[str, str | None]:
    # Headers are Latin-1 on their way through the server; a text of the database holds no NUL.
    agent = client.user_agent
    return {
        "address": client.address,
        "user_agent": agent[:_USER_AGENT_CHARACTERS].replace("\0", "") if agent else None,
    }
