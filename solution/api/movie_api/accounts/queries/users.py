"""The SQL of users."""

from typing import Any, Final

from sqlalchemy import Connection, text

from movie_api import audit
from movie_api.accounts.queries import mails
from movie_api.accounts.schemas import email_key
from movie_api.database import write
from movie_api.http.access import Caller
from movie_api.http.problems import ADDRESS_TAKEN, BAD_TOKEN, CHALLENGE, LAST_ADMIN, LINK_NOT_VALID, Problem

USER_COLUMNS: Final = (
    "users.id, users.email, users.email_verified_at, users.display_name, users.role,"
    " users.password_hash IS NOT NULL AS has_password, users.created_at, users.pseudonym, users.disabled_at"
)
_BY_ID: Final = text(f"SELECT {USER_COLUMNS} FROM users WHERE id = :id")
_BY_EMAIL: Final = text(f"SELECT {USER_COLUMNS}, password_hash FROM users WHERE email_key = :email_key")
_INSERT: Final = text(
    f"""
    INSERT INTO users (email, email_key, email_verified_at, display_name, password_hash, role)
    VALUES (
        :email, :email_key, CASE WHEN :is_verified THEN now() END, :display_name, :password_hash, :role
    )
    ON CONFLICT (email_key) DO NOTHING RETURNING {USER_COLUMNS}
    """
)
_END_SESSIONS: Final = text(
    "UPDATE sessions SET ended_at = now() WHERE user_id = :user_id AND ended_at IS NULL"
)


def find(user_id: str) -> Any:
    """The user's row of `USER_COLUMNS`.

    Raises:
        Problem: It was deleted a moment ago; or the database is away.
    """
    with write() as connection:
        row = connection.execute(_BY_ID, {"id": user_id}).one_or_none()
    if row is None:
        raise Problem(BAD_TOKEN, "The account is gone.", headers=CHALLENGE)
    return row


def find_by_email(email: str) -> Any | None:
    """The row of the user with this address, and its password's hash; None: there is none."""
    with write() as connection:
        return connection.execute(_BY_EMAIL, {"email_key": email_key(email)}).one_or_none()


def insert(
    connection: Connection,
    *,
    email: str | None,
    display_name: str,
    is_verified: bool = False,
    password_hash: str | None = None,
    role: str = "user",
) -> Any | None:
    """The new user's row; None: another has the address."""
    values = {
        "email": email,
        "email_key": None if email is None else email_key(email),
        "is_verified": is_verified and email is not None,
        "display_name": display_name,
        "password_hash": password_hash,
        "role": role,
    }
    return connection.execute(_INSERT, values).one_or_none()


def rename(user_id: str, display_name: str) -> Any:
    """The user's row with its new name."""
    with write() as connection:
        return connection.execute(
            text(f"UPDATE users SET display_name = :name WHERE id = :id RETURNING {USER_COLUMNS}"),
            {"id": user_id, "name": display_name},
        ).one()


def password_hash_of(user_id: str) -> str | None:
    """The hash of the user's password; None: there is no password."""
    with write() as connection:
        found: str | None = connection.execute(
            text("SELECT password_hash FROM users WHERE id = :id"), {"id": user_id}
        ).scalar_one()
        return found


def rehash(user_id: str, old_hash: str, new_hash: str) -> None:
    """The same password is kept by a hash of today's strength, unless it was changed in between."""
    with write() as connection:
        connection.execute(
            text("UPDATE users SET password_hash = :new WHERE id = :id AND password_hash = :old"),
            {"id": user_id, "old": old_hash, "new": new_hash},
        )


def change_password(caller: Caller, old_hash: str | None, new_hash: str) -> bool:
    """The user has the new password; all its sessions are over, and it is told.

    Args:
        caller: Whose.
        old_hash: The one that the current password was compared with; None: there was none.
        new_hash: Of the new password.

    Returns:
        False: the password was changed in between, and is that other one.
    """
    with write() as connection:
        is_as_it_was = connection.execute(
            text(
                "SELECT password_hash IS NOT DISTINCT FROM CAST(:old_hash AS text) FROM users"
                " WHERE id = :id FOR UPDATE"
            ),
            {"id": caller.user_id, "old_hash": old_hash},
        ).scalar_one_or_none()
        if is_as_it_was:
            _set_password(connection, caller.user_id, new_hash, "password.change", caller)
        return bool(is_as_it_was)


def reset_password(token: str, password_hash: str) -> None:
    """Who has the mail's token has this password; all sessions of the account are over, and it is told.

    Raises:
        Problem: The token is none of ours, out of date or used.
    """
    with write() as connection:
        mail = mails.use(connection, token, "reset")
        if mail.sent_at is not None:
            # What was printed for who runs the server proves nothing of a mailbox.
            connection.execute(
                text(
                    "UPDATE users SET email_verified_at = coalesce(email_verified_at, now())"
                    " WHERE id = :id AND email_key = :email_key"
                ),
                {"id": mail.user_id, "email_key": email_key(mail.address)},
            )
        _set_password(connection, mail.user_id, password_hash, "password.reset", None)


def confirm_registration(connection: Connection, mail: Any) -> Any:
    """The account that a registration asked for.

    Raises:
        Problem: The address got another account meanwhile.
    """
    row = insert(
        connection,
        email=mail.address,
        display_name=mail.display_name,
        is_verified=True,
        password_hash=mail.password_hash,
    )
    if row is None:
        raise Problem(LINK_NOT_VALID, "The account exists already: sign in.")
    # Others that were asked for with this address hold passwords that nobody is to keep.
    connection.execute(
        text("DELETE FROM mails WHERE kind = 'registration' AND lower(address) = :key AND id <> :id"),
        {"key": email_key(mail.address), "id": mail.id},
    )
    connection.execute(
        text("UPDATE mails SET password_hash = NULL, user_id = :user_id WHERE id = :id"),
        {"id": mail.id, "user_id": row.id},
    )
    audit.record(connection, str(row.pseudonym), "user.register", str(row.pseudonym))
    return row


def confirm_email(connection: Connection, mail: Any) -> Any:
    """The user has the new address, and the old one is told.

    Raises:
        Problem: Another account has the address by now.
    """
    key = email_key(mail.address)
    is_taken = connection.execute(
        text("SELECT EXISTS (SELECT FROM users WHERE email_key = :key AND id <> :id)"),
        {"key": key, "id": mail.user_id},
    ).scalar_one()
    if is_taken:
        raise Problem(ADDRESS_TAKEN, "Another account has this address.")
    old = connection.execute(_BY_ID, {"id": mail.user_id}).one()
    if old.email is not None and old.email_verified_at is not None:
        mails.notice(connection, str(old.id), old.email, "email.changed")
    row = connection.execute(
        text(
            "UPDATE users SET email = :email, email_key = :key, email_verified_at = now()"
            f" WHERE id = :id RETURNING {USER_COLUMNS}"
        ),
        {"email": mail.address, "key": key, "id": mail.user_id},
    ).one()
    # A link that is on its way to the old address must not open the account any more.
    mails.void(connection, str(old.id), "reset")
    audit.record(connection, str(row.pseudonym), "email.change", str(row.pseudonym))
    return row


def verify(token: str) -> tuple[str, Any]:
    """What a mail's token confirms, `registration` or `email_change`, is done; gives it, and the user's row.

    Raises:
        Problem: The token is none of ours, out of date or used; or the address got another account.
    """
    with write() as connection:
        mail = mails.use(connection, token, "registration", "email_change")
        confirm = confirm_registration if mail.kind == "registration" else confirm_email
        return mail.kind, confirm(connection, mail)


def delete(caller: Caller) -> None:
    """The account is gone, and all that is personal with it; providers are told by a job.

    Raises:
        Problem: It is the last admin.
    """
    with write() as connection:
        keep_an_admin(connection, caller.user_id)
        row = connection.execute(_BY_ID, {"id": caller.user_id}).one()
        revocations = connection.execute(
            text(
                "INSERT INTO token_revocations (provider, client_id, sealed_refresh_token)"
                " SELECT provider, client_id, sealed_refresh_token FROM identities"
                " WHERE user_id = :id AND sealed_refresh_token IS NOT NULL RETURNING id"
            ),
            {"id": caller.user_id},
        )
        for (revocation_id,) in revocations.all():
            connection.execute(
                text("SELECT jobs_defer('api:revoke', jsonb_build_object('revocation', CAST(:id AS text)))"),
                {"id": str(revocation_id)},
            )
        if row.email is not None:
            # What is still to be sent there, but for the last word, goes with the account.
            connection.execute(
                text("DELETE FROM mails WHERE lower(address) = :key"), {"key": email_key(row.email)}
            )
        connection.execute(text("DELETE FROM users WHERE id = :id"), {"id": caller.user_id})
        if row.email is not None and row.email_verified_at is not None:
            mails.notice(connection, None, row.email, "user.deleted")
        audit.record(connection, caller, "user.delete", caller.pseudonym)


def keep_an_admin(connection: Connection, leaving_id: str) -> None:
    """There is an admin beside this user, or it is none.

    Raises:
        Problem: It is the last one.
    """
    # Locked in one order: of two that leave at once, the second sees that the first is gone.
    admins = connection.execute(
        text("SELECT id FROM users WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id FOR UPDATE")
    )
    ids = [str(one.id) for one in admins]
    if ids == [leaving_id]:
        raise Problem(LAST_ADMIN, "This is the last account that is an admin.")


def _set_password(
    connection: Connection, user_id: Any, password_hash: str, action: str, caller: Caller | None
) -> None:
    row = connection.execute(
        text(f"UPDATE users SET password_hash = :hash WHERE id = :id RETURNING {USER_COLUMNS}"),
        {"hash": password_hash, "id": user_id},
    ).one()
    connection.execute(_END_SESSIONS, {"user_id": user_id})
    mails.void(connection, str(user_id), "reset")
    if row.email is not None and row.email_verified_at is not None:
        mails.notice(connection, str(user_id), row.email, "password.changed")
    audit.record(connection, caller or str(row.pseudonym), action, str(row.pseudonym))
