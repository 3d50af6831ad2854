"""The SQL of sign-ins through providers that are under way: nonces, and browsers that are sent there."""

import hashlib
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import text

from movie_api.database import write

NONCE_SECONDS: Final = 10 * 60
ATTEMPT_SECONDS: Final = 10 * 60


class Attempt(NamedTuple):
    """A browser on its way through a provider.

    Attributes:
        provider: Which.
        nonce: What its token must have.
        code_verifier: What its code is exchanged with.
        link_user_id: Whose account the identity is linked to; None: it signs in.
        next: The path of ours that the browser goes to in the end.
        posted: What the provider had the browser post; None: nothing was.
    """

    provider: str
    nonce: str
    code_verifier: str
    link_user_id: str | None
    next: str
    posted: dict[str, str] | None = None


def keep_nonce(nonce: str) -> None:
    """The nonce is good, once and for some minutes."""
    with write() as connection:
        connection.execute(
            text(
                "INSERT INTO nonces (nonce_hash, expires_at)"
                " VALUES (:hash, now() + :seconds * interval '1 s')"
            ),
            {"hash": _hash(nonce), "seconds": NONCE_SECONDS},
        )


def use_nonce(nonce: str) -> bool:
    """Whether the nonce was good; it is no more."""
    with write() as connection:
        used = connection.execute(
            text("DELETE FROM nonces WHERE nonce_hash = :hash RETURNING expires_at > now() AS is_good"),
            {"hash": _hash(nonce)},
        ).one_or_none()
        return used is not None and bool(used.is_good)


def begin(state: str, browser: str, attempt: Attempt) -> None:
    """The browser is on its way.

    Args:
        state: What the provider brings back.
        browser: The value of the cookie that the browser keeps.
        attempt: All else.
    """
    with write() as connection:
        connection.execute(
            text(
                "INSERT INTO sign_in_attempts (state_hash, browser_hash, provider, nonce, code_verifier,"
                " link_user_id, next, expires_at) VALUES (:state, :browser, :provider, :nonce,"
                " :code_verifier, :link_user_id, :next, now() + :seconds * interval '1 s')"
            ),
            {
                **attempt._asdict(),
                "state": _hash(state),
                "browser": _hash(browser),
                "seconds": ATTEMPT_SECONDS,
            },
        )


def keep_posted(state: str, provider: str, posted: dict[str, str]) -> bool:
    """Whether there is such an attempt, which has what was posted from now on; what comes first, stays."""
    with write() as connection:
        done = connection.execute(
            text(
                "UPDATE sign_in_attempts SET posted = CAST(:posted AS jsonb)"
                " WHERE state_hash = :state AND provider = :provider AND posted IS NULL"
                " AND expires_at > now()"
            ),
            {"state": _hash(state), "provider": provider, "posted": orjson.dumps(posted).decode()},
        )
        return bool(done.rowcount)


def end(state: str, browser: str, provider: str) -> Attempt | None:
    """The attempt of this state and this browser, which is over; None: there is none.

    Another browser that shows the state is told nothing, and ends nothing.
    """
    with write() as connection:
        row: Any = connection.execute(
            text(
                "DELETE FROM sign_in_attempts"
                " WHERE state_hash = :state AND browser_hash = :browser AND provider = :provider"
                " RETURNING provider, nonce, code_verifier, link_user_id::text, next, posted,"
                " expires_at > now() AS is_good"
            ),
            {"state": _hash(state), "browser": _hash(browser), "provider": provider},
        ).one_or_none()
    return Attempt(*row[:6]) if row is not None and row.is_good else None


def _hash(secret: str) -> bytes:
    # 256 random bits need no slow hash.
    return hashlib.sha256(secret.encode()).digest()
