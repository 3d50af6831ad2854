"""All that is kept of a user, and what is kept no longer than it must."""

from typing import Any, Final

from sqlalchemy import text

from movie_api.database import write

# By the name that each has in the export. Secrets and their hashes are left out: they open, and tell nothing.
_PARTS: Final = {
    "user": (
        "SELECT id, email, email_verified_at, display_name, role, pseudonym, created_at, disabled_at,"
        " password_hash IS NOT NULL AS has_password FROM users WHERE id = :id"
    ),
    "identities": (
        "SELECT id, provider, subject, email, client_id, linked_at, used_at,"
        " sealed_refresh_token IS NOT NULL AS has_refresh_token"
        " FROM identities WHERE user_id = :id ORDER BY linked_at"
    ),
    "sessions": (
        "SELECT id, method, signed_in_at, refreshed_at, expires_at, ended_at, address, user_agent"
        " FROM sessions WHERE user_id = :id ORDER BY signed_in_at"
    ),
    "api_keys": (
        "SELECT id, name, hint, scopes, created_at, expires_at, revoked_at"
        " FROM api_keys WHERE user_id = :id ORDER BY created_at"
    ),
    "mails": (
        "SELECT kind, told, address, display_name, created_at, sent_at, expires_at, used_at"
        " FROM mails WHERE user_id = :id ORDER BY created_at"
    ),
    "idempotency_keys": (
        "SELECT key, answer, expires_at FROM idempotency_keys WHERE user_id = :id ORDER BY expires_at"
    ),
    "audit": (
        "SELECT at, action, object, api_key_id, detail FROM audit"
        " WHERE actor = (SELECT pseudonym FROM users WHERE id = :id) ORDER BY audit.id"
    ),
}
_PRUNE: Final = (
    "DELETE FROM sessions WHERE least(ended_at, expires_at) < now() - interval '30 days'",
    # One that is used is remembered for as long as it could be shown again.
    "DELETE FROM refresh_tokens WHERE used_at < now() - :refresh_seconds * interval '1 s'",
    "DELETE FROM mails WHERE created_at < now() - interval '30 days'",
    # It holds a password, and nobody wanted the account.
    "DELETE FROM mails WHERE kind = 'registration' AND created_at < now() - interval '2 days'",
    "DELETE FROM nonces WHERE expires_at < now()",
    "DELETE FROM sign_in_attempts WHERE expires_at < now()",
    "DELETE FROM rate_limits WHERE expires_at < now()",
    "DELETE FROM api_keys WHERE least(revoked_at, expires_at) < now() - interval '90 days'",
)


def all_about(user_id: str) -> dict[str, list[dict[str, Any]]]:
    """Every row that is of this user, by what it is."""
    with write() as connection:
        return {
            name: [dict(row) for row in connection.execute(text(query), {"id": user_id}).mappings()]
            for name, query in _PARTS.items()
        }


def prune(refresh_seconds: float) -> None:
    """What is over is gone.

    Args:
        refresh_seconds: How long a refresh token is good.
    """
    with write() as connection:
        for statement in _PRUNE:
            values = {"refresh_seconds": refresh_seconds} if ":refresh_seconds" in statement else {}
            connection.execute(text(statement), values)
