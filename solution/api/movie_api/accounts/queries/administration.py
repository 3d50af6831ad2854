"""The SQL of those who run the server: accounts made, promoted, disabled, and the first of them all."""

import uuid
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from movie_database.errors import DatabaseUnavailable
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from movie_api import audit
from movie_api.accounts.queries import keys, mails, users
from movie_api.accounts.queries.users import USER_COLUMNS
from movie_api.accounts.schemas import email_key
from movie_api.database import write
from movie_api.http.access import Role
from movie_api.http.problems import ADDRESS_TAKEN, NO_SUCH_ENTRY, NOT_ALLOWED, Problem

_FIRST_ADMIN_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('movie_api first admin'))"
_CONNECT_TIMEOUT_SECONDS: Final = 10
_KEY_DAYS: Final = 90


class Made(NamedTuple):
    """An account, and the token of the link that sets its password."""

    user: Any
    token: str


class FirstAdmin(NamedTuple):
    """What the first admin begins with: secrets that are kept nowhere else."""

    email: str
    token: str
    api_key: str
    key_days: int


def all_users() -> list[Any]:
    """The rows of all users, the oldest first.

    Raises:
        Problem: If the database is away.
    """
    with write() as connection:
        return list(connection.execute(text(f"SELECT {USER_COLUMNS} FROM users ORDER BY created_at, id")))


def create(email: str, display_name: str, role: Role) -> Made:
    """A new account without a password.

    Raises:
        Problem: Another has the address.
    """
    with write() as connection:
        return _create(connection, email, display_name, role)


def set_role(who: str, role: Role) -> tuple[Any, bool]:
    """The user's row with this role, and whether it had another.

    Args:
        who: An e-mail address or an id.
        role: What the user is from now on, at once.

    Raises:
        Problem: There is no such user, or it is the last admin, and would be one no more.
    """
    with write() as connection:
        row = _find(connection, who)
        if row.role == role:
            return row, False
        if role != "admin":
            users.keep_an_admin(connection, str(row.id))
        detail = {"role": role, "before": row.role}
        audit.record(connection, None, "user.role", str(row.pseudonym), detail)
        return _update(connection, row.id, "role = :role", role=role), True


def disable(who: str) -> tuple[Any, bool]:
    """The user's row, of whom nothing is accepted any more, and whether anything was before.

    Raises:
        Problem: There is no such user, or it is the last admin.
    """
    with write() as connection:
        row = _find(connection, who)
        if row.disabled_at is not None:
            return row, False
        users.keep_an_admin(connection, str(row.id))
        connection.execute(
            text("UPDATE sessions SET ended_at = now() WHERE user_id = :id AND ended_at IS NULL"),
            {"id": row.id},
        )
        # Links that were sent before would otherwise work once the account is enabled again.
        for kind in ("reset", "email_change"):
            mails.void(connection, str(row.id), kind)
        audit.record(connection, None, "user.disable", str(row.pseudonym))
        return _update(connection, row.id, "disabled_at = now()"), True


def enable(who: str) -> tuple[Any, bool]:
    """The user's row, who may sign in again and whose keys work again, and whether that was not so before.

    Raises:
        Problem: There is no such user.
    """
    with write() as connection:
        row = _find(connection, who)
        if row.disabled_at is None:
            return row, False
        audit.record(connection, None, "user.enable", str(row.pseudonym))
        return _update(connection, row.id, "disabled_at = NULL"), True


def make_link(who: str) -> Made:
    """The user, and the token of a new link to set the password: those before are good no more.

    Raises:
        Problem: There is no such user, it is disabled, or has no address to sign in with.
    """
    with write() as connection:
        row = _find(connection, who)
        if row.disabled_at is not None:
            raise Problem(NOT_ALLOWED, "The account is disabled: enable it first.")
        if row.email is None:
            raise Problem(NOT_ALLOWED, "The account has no e-mail address to sign in with a password.")
        audit.record(connection, None, "user.link", str(row.pseudonym))
        return Made(row, _reset_token(connection, row))


def make_first_admin(address: str, email: str, keep: Callable[[FirstAdmin], None]) -> bool:
    """Whether there was no user at all, and so an admin was made; of several at once, one makes it.

    It has connections of its own: those of the program must not be there before its workers are.

    Args:
        address: SQLAlchemy's, of the database.
        email: What the admin signs in with.
        keep: Keeps what the admin begins with. If it fails, nothing is made.

    Raises:
        DatabaseUnavailable: The database refuses.
    """
    engine = create_engine(
        address, poolclass=NullPool, connect_args={"connect_timeout": _CONNECT_TIMEOUT_SECONDS}
    )
    try:
        with engine.begin() as connection:
            if _has_users(connection):
                return False
            connection.exec_driver_sql(_FIRST_ADMIN_LOCK)
            # Again: whoever held the lock may have made one.
            if _has_users(connection):
                return False
            keep(_first_admin(connection, email))
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise DatabaseUnavailable(f"The first admin could not be made: {reason}") from error
    return True


def _first_admin(connection: Connection, email: str) -> FirstAdmin:
    made = _create(connection, email, "Admin", "admin")
    key = keys.insert(connection, str(made.user.id), "first start", ["catalogue:write"], _KEY_DAYS)
    pseudonym = str(made.user.pseudonym)
    audit.record(connection, None, "key.make", pseudonym, {"key": str(key.row.id)})
    return FirstAdmin(email, made.token, key.secret, _KEY_DAYS)


def _create(connection: Connection, email: str, display_name: str, role: Role) -> Made:
    row = users.insert(connection, email=email, display_name=display_name, role=role)
    if row is None:
        raise Problem(ADDRESS_TAKEN, f"There is an account with the address {email} already.")
    audit.record(connection, None, "user.create", str(row.pseudonym), {"role": role})
    return Made(row, _reset_token(connection, row))


def _reset_token(connection: Connection, row: Any) -> str:
    """The token of a mail that is not sent, but shown at once to who runs the server."""
    mails.void(connection, str(row.id), "reset")
    mail_id = connection.execute(
        text("INSERT INTO mails (kind, address, user_id) VALUES ('reset', :address, :user_id) RETURNING id"),
        {"address": row.email, "user_id": row.id},
    ).scalar_one()
    return mails.make_token(connection, str(mail_id))


def _find(connection: Connection, who: str) -> Any:
    """The user with this address or id.

    It is not locked: `keep_an_admin` locks all admins in one order, and this one first would be another.

    Raises:
        Problem: There is none.
    """
    try:
        condition, value = "id = :value", str(uuid.UUID(who))
    except ValueError:
        condition, value = "email_key = :value", email_key(who)
    row = connection.execute(
        text(f"SELECT {USER_COLUMNS} FROM users WHERE {condition}"), {"value": value}
    ).one_or_none()
    if row is None:
        raise Problem(NO_SUCH_ENTRY, f"There is no account with the address or id {who}.")
    return row


def _update(connection: Connection, user_id: Any, change: str, **values: Any) -> Any:
    return connection.execute(
        text(f"UPDATE users SET {change} WHERE id = :id RETURNING {USER_COLUMNS}"), {"id": user_id, **values}
    ).one()


def _has_users(connection: Connection) -> bool:
    found: bool = connection.execute(text("SELECT EXISTS (SELECT FROM users)")).scalar_one()
    return found
