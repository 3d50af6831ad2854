"""The SQL of mails: what is to be sent, and the tokens of those that ask for something.

Whether an address has an account is looked up by the job that writes the mail. What asks for one does the
same for every address, so neither its answer nor the time that it takes tells.
"""

import hashlib
import secrets
from typing import Any, Final

from sqlalchemy import Connection, text

from movie_api.accounts.schemas import email_key
from movie_api.database import write
from movie_api.http.problems import LINK_NOT_VALID, Problem

TOKEN_HOURS: Final = 1
MAIL_TASK: Final = "api:mail"
# What reaches one mailbox an hour, whoever asks for it from wherever.
MAXIMUM_MAILS_AN_HOUR: Final = 5

_INSERT: Final = text(
    "INSERT INTO mails (kind, address, user_id, display_name, password_hash, told)"
    " VALUES (:kind, :address, :user_id, :display_name, :password_hash, :told) RETURNING id"
)
_DEFER: Final = text(f"SELECT jobs_defer('{MAIL_TASK}', jsonb_build_object('mail', CAST(:id AS text)))")


def ask_registration(email: str, display_name: str, password_hash: str) -> None:
    """Whoever reads mails at the address is asked whether the account is to be."""
    with write() as connection:
        _put(connection, "registration", email, display_name=display_name, password_hash=password_hash)


def ask_reset(email: str) -> None:
    """Whoever reads mails at the address gets a link to set a password, if there is such an account."""
    with write() as connection:
        _put(connection, "reset", email)


def ask_email_change(user_id: str, email: str) -> None:
    """Whoever reads mails at the address is asked whether the account is to have it."""
    with write() as connection:
        void(connection, user_id, "email_change")
        _put(connection, "email_change", email, user_id=user_id)


def notice(connection: Connection, user_id: str | None, email: str, told: str) -> None:
    """The address is told of what happened, with the transaction in which it does."""
    _put(connection, "notice", email, user_id=user_id, told=told)


def void(connection: Connection, user_id: str, kind: str) -> None:
    """Links of this kind that the user was sent, or is to be sent, are good no more."""
    connection.execute(
        text(
            "UPDATE mails SET token_hash = NULL, used_at = coalesce(used_at, now())"
            " WHERE user_id = :user_id AND kind = :kind"
        ),
        {"user_id": user_id, "kind": kind},
    )


def use(connection: Connection, token: str, *kinds: str) -> Any:
    """The mail's row, whose token is used up with this transaction.

    Raises:
        Problem: The token is none of ours, out of date or used.
    """
    row = connection.execute(
        text(
            "UPDATE mails SET used_at = now(), token_hash = NULL"
            " WHERE token_hash = :hash AND kind = ANY(:kinds) AND used_at IS NULL AND expires_at > now()"
            " RETURNING id, kind, address, user_id, display_name, password_hash"
        ),
        {"hash": hash_of(token), "kinds": list(kinds)},
    ).one_or_none()
    if row is None:
        raise Problem(LINK_NOT_VALID, "The link was used, is out of date, or was changed on its way.")
    return row


def make_token(connection: Connection, mail_id: str) -> str:
    """A new token for this mail: the one before, if any, is good no more."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        text(
            "UPDATE mails SET token_hash = :hash, expires_at = now() + :hours * interval '1 hour'"
            " WHERE id = :id"
        ),
        {"hash": hash_of(token), "hours": TOKEN_HOURS, "id": mail_id},
    )
    return token


def hash_of(token: str) -> bytes:
    """What is kept of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def find_user(connection: Connection, address: str) -> Any | None:
    """The user with this address, if there is one that may sign in."""
    return connection.execute(
        text("SELECT id, email, display_name FROM users WHERE email_key = :key AND disabled_at IS NULL"),
        {"key": email_key(address)},
    ).one_or_none()


def _put(connection: Connection, kind: str, address: str, **values: Any) -> None:
    row = {"user_id": None, "display_name": None, "password_hash": None, "told": None} | values
    mail_id = connection.execute(_INSERT, {"kind": kind, "address": address, **row}).scalar_one()
    connection.execute(_DEFER, {"id": str(mail_id)})
