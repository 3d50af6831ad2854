"""The SQL of tokens that providers are to be told are needed no more."""

from typing import Any, Final

from sqlalchemy import Connection, text

from movie_api.database import write

REVOKE_TASK: Final = "api:revoke"


def put(connection: Connection, identity_id: str) -> None:
    """If there is a token of this identity, its provider is told with the transaction that ends it."""
    revocation_id = connection.execute(
        text(
            "INSERT INTO token_revocations (provider, client_id, sealed_refresh_token)"
            " SELECT provider, client_id, sealed_refresh_token FROM identities"
            " WHERE id = :id AND sealed_refresh_token IS NOT NULL AND client_id IS NOT NULL RETURNING id"
        ),
        {"id": identity_id},
    ).scalar_one_or_none()
    if revocation_id is not None:
        connection.execute(
            text(f"SELECT jobs_defer('{REVOKE_TASK}', jsonb_build_object('revocation', CAST(:id AS text)))"),
            {"id": str(revocation_id)},
        )


def find(revocation_id: str) -> Any | None:
    """What is to be told; None: it was."""
    with write() as connection:
        return connection.execute(
            text(
                "SELECT id, provider, client_id, sealed_refresh_token FROM token_revocations WHERE id = :id"
            ),
            {"id": revocation_id},
        ).one_or_none()


def done(revocation_id: str) -> None:
    """The provider was told."""
    with write() as connection:
        connection.execute(text("DELETE FROM token_revocations WHERE id = :id"), {"id": revocation_id})
