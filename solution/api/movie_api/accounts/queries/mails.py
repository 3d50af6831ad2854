"""The SQL of mails: what is to be sent, and the tokens of those that ask for something.

Whether an address has an account is looked up by the job that writes the mail. What asks for one does the
same for every address, so neither its answer nor the time that it takes tells.
"""

import hashlib
import secrets
from typing import Any, Final, NamedTuple

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
# Two that are taken up for one mailbox at once are counted, and made void, one after the other.
_LOCK: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('mail:' || lower(trim(address)), 0)) FROM mails"
    " WHERE id = :id"
)
_FIND: Final = text(
    "SELECT id, kind, address, user_id, told, created_at FROM mails"
    " WHERE id = :id AND sent_at IS NULL AND used_at IS NULL FOR UPDATE"
)
# What others can have sent to a mailbox. When a token was made is known by its end. Older rows, which only
# somebody who has a job run again takes up, are left out for the index.
_COUNT: Final = text(
    "SELECT count(*) FROM mails WHERE created_at > now() - interval '1 day' AND kind <> 'notice'"
    " AND lower(address) = :key AND id <> :id"
    " AND greatest(sent_at, expires_at - :hours * interval '1 hour') > now() - interval '1 hour'"
)
_ADDRESS: Final = text(
    "UPDATE mails SET address = :address, user_id = coalesce(:user_id, user_id) WHERE id = :id"
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


def void(connection: Connection, user_id: str, kind: str, *, except_for: str | None = None) -> None:
    """Links of this kind that the user was sent, or is to be sent, are good no more, but for one mail's."""
    connection.execute(
        text(
            "UPDATE mails SET token_hash = NULL, used_at = coalesce(used_at, now())"
            " WHERE user_id = :user_id AND kind = :kind AND id IS DISTINCT FROM CAST(:except_for AS uuid)"
        ),
        {"user_id": user_id, "kind": kind, "except_for": except_for},
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
            " RETURNING id, kind, address, user_id, display_name, password_hash, sent_at"
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


class Letter(NamedTuple):
    """What is to be written, and to whom.

    Attributes:
        text: The name of its text: see `mail_texts.TEXTS`.
        address: Who gets it.
        token: For its link; None: it has none.
    """

    text: str
    address: str
    token: str | None = None


class _Recipient(NamedTuple):
    """Who is written to, about what, and whether a token may go there."""

    text: str
    address: str
    user_id: str | None
    has_token: bool


def take_up(mail_id: str) -> Letter | None:
    """What is to be sent for this row; None: nothing, or nothing any more.

    The token's row is committed when this returns: nobody can open a link that is faster than it.
    """
    with write() as connection:
        connection.execute(_LOCK, {"id": mail_id})
        mail = connection.execute(_FIND, {"id": mail_id}).one_or_none()
        if mail is None:
            return None
        if mail.kind == "notice":
            return Letter(str(mail.told), mail.address)
        recipient = _RECIPIENTS[mail.kind](connection, mail)
        if recipient is None or _had_enough(connection, mail_id, recipient.address):
            # Nothing is kept of somebody who is sent nothing.
            connection.execute(text("DELETE FROM mails WHERE id = :id"), {"id": mail_id})
            return None
        connection.execute(
            _ADDRESS, {"id": mail_id, "address": recipient.address, "user_id": recipient.user_id}
        )
        token = make_token(connection, mail_id) if recipient.has_token else None
        return Letter(recipient.text, recipient.address, token)


def mark_sent(mail_id: str) -> None:
    """The mail left, and is not sent again; nothing is kept of whom it told that the account is gone."""
    with write() as connection:
        connection.execute(text("UPDATE mails SET sent_at = now() WHERE id = :id"), {"id": mail_id})
        connection.execute(
            text("DELETE FROM mails WHERE id = :id AND told = 'user.deleted'"), {"id": mail_id}
        )


def _of_registration(connection: Connection, mail: Any) -> _Recipient | None:
    """Whoever reads mails there; the owner of an account is told that there is one."""
    user = _find_user(connection, mail.address)
    if user is None:
        # With a user, it told one of the account at an earlier try; that account has another address now.
        return _Recipient("registration", mail.address, None, has_token=True) if not mail.user_id else None
    connection.execute(
        text("UPDATE mails SET password_hash = NULL, display_name = NULL WHERE id = :id"), {"id": mail.id}
    )
    return _Recipient("registration.known", user.email, user.id, has_token=False)


def _of_reset(connection: Connection, mail: Any) -> _Recipient | None:
    """The account's owner, at the address as the account has it, if this is the last that was asked for."""
    user = _find_user(connection, mail.address)
    if user is None or user.disabled_at is not None:
        return None
    is_overtaken = connection.execute(
        text(
            "SELECT EXISTS (SELECT FROM mails WHERE user_id = :user_id AND kind = 'reset'"
            " AND (created_at, id) > (:created_at, :id))"
        ),
        {"user_id": user.id, "created_at": mail.created_at, "id": mail.id},
    ).scalar_one()
    if is_overtaken:
        return None
    if not _had_enough(connection, mail.id, user.email):
        void(connection, user.id, "reset", except_for=mail.id)
    return _Recipient("reset", user.email, user.id, has_token=True)


def _of_email_change(connection: Connection, mail: Any) -> _Recipient | None:
    """Whoever reads mails at the new address; the owner of another account is told, and gets no token."""
    asker = connection.execute(
        text("SELECT id FROM users WHERE id = :id AND disabled_at IS NULL"), {"id": mail.user_id}
    ).one_or_none()
    if asker is None:
        return None
    owner = _find_user(connection, mail.address)
    if owner is not None and owner.id != asker.id:
        return _Recipient("email_change.taken", owner.email, None, has_token=False)
    return _Recipient("email_change", mail.address, None, has_token=True)


_RECIPIENTS: Final = {
    "registration": _of_registration,
    "reset": _of_reset,
    "email_change": _of_email_change,
}


def _find_user(connection: Connection, address: str) -> Any | None:
    """The user with this address, disabled or not."""
    return connection.execute(
        text("SELECT id, email, disabled_at FROM users WHERE email_key = :key"), {"key": email_key(address)}
    ).one_or_none()


def _had_enough(connection: Connection, mail_id: Any, address: str) -> bool:
    """Whether the mailbox got all that one gets in an hour."""
    values = {"id": mail_id, "key": email_key(address), "hours": TOKEN_HOURS}
    count: int = connection.execute(_COUNT, values).scalar_one()
    return count >= MAXIMUM_MAILS_AN_HOUR


def _put(connection: Connection, kind: str, address: str, **values: Any) -> None:
    row = {"user_id": None, "display_name": None, "password_hash": None, "told": None} | values
    mail_id = connection.execute(_INSERT, {"kind": kind, "address": address, **row}).scalar_one()
    connection.execute(_DEFER, {"id": str(mail_id)})
