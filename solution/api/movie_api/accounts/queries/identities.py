"""The SQL of identities: accounts at providers, and which account of ours each signs in.

An identity is known by its provider and that one's own id for the person, never by an address: those change
hands. An address finds an account the first time alone, and only where both sides know its owner.
"""

from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from movie_api import audit
from movie_api.accounts.queries import mails, revocations, users
from movie_api.accounts.queries.users import USER_COLUMNS
from movie_api.accounts.schemas import email_key
from movie_api.database import write
from movie_api.http.access import Caller
from movie_api.http.problems import (
    ADDRESS_TAKEN,
    CHALLENGE,
    IDENTITY_TAKEN,
    LAST_WAY_IN,
    NO_SUCH_ENTRY,
    PROVIDER_REFUSED,
    REGISTRATION_CLOSED,
    Problem,
)

IDENTITY_COLUMNS: Final = "id, provider, email, linked_at, used_at"
_TRIES: Final = 3


class Person(NamedTuple):
    """What a provider says of who signed in there.

    Attributes:
        provider: Which.
        subject: Its own id for the person.
        email: The address that it knows, if any.
        is_verified: Whether it vouches for that.
        display_name: What an account is called that is made now.
        client_id: The client of ours that the refresh token was given to.
        sealed_refresh_token: That token, if there is one.
    """

    provider: str
    subject: str
    email: str | None
    is_verified: bool
    display_name: str
    client_id: str | None = None
    sealed_refresh_token: str | None = None


class _OvertakenError(Exception):
    """Another sign-in did the same at the same time, and was first."""


def sign_in(person: Person, *, may_register: bool) -> Any:
    """The row of the user that this person is, who may be new.

    Args:
        person: Who signed in at the provider.
        may_register: Whether people may get accounts by themselves.

    Raises:
        Problem: The account is disabled; or another has the address, and never proved it; or nobody may
            register.
    """
    for _ in range(_TRIES):
        try:
            with write() as connection:
                return (
                    _known(connection, person)
                    or _of_address(connection, person)
                    or _new(connection, person, may_register=may_register)
                )
        except _OvertakenError:
            # What the other one made is there now.
            continue
    raise AssertionError("an identity is there, or is made")


def link(person: Person, user_id: str) -> Any:
    """The row of this user, whom the person signs in from now on.

    Raises:
        Problem: The person signs in another one; or the account is disabled, or gone.
    """
    with write() as connection:
        user = connection.execute(
            text(f"SELECT {USER_COLUMNS} FROM users WHERE id = :id FOR UPDATE"), {"id": user_id}
        ).one_or_none()
        if user is None:
            raise _refused("The account is gone.")
        _refuse_disabled(user)
        if _insert(connection, person, user):
            _tell(connection, person, user)
            return user
        identity = _update(connection, person)
        if identity is None or str(identity.user_id) != str(user.id):
            raise Problem(IDENTITY_TAKEN, "This account at the provider signs in another user here.")
        return user


def all_of(user_id: str) -> list[Any]:
    """The user's identities, the oldest first."""
    with write() as connection:
        return list(
            connection.execute(
                text(
                    f"SELECT {IDENTITY_COLUMNS} FROM identities WHERE user_id = :user_id"
                    " ORDER BY linked_at, id"
                ),
                {"user_id": user_id},
            )
        )


def unlink(caller: Caller, identity_id: str, providers: list[str]) -> None:
    """The identity signs the caller in no more; its provider is told by a job.

    Args:
        caller: Whose.
        identity_id: Which.
        providers: Those that anybody can sign in through.

    Raises:
        Problem: The caller has no such identity, or no other way to sign in.
    """
    with write() as connection:
        # Of two that are unlinked at once, the second sees that the first is gone.
        user = connection.execute(
            text(f"SELECT {USER_COLUMNS} FROM users WHERE id = :id FOR UPDATE"), {"id": caller.user_id}
        ).one()
        found = connection.execute(
            text("SELECT id::text, provider FROM identities WHERE user_id = :user_id FOR UPDATE"),
            {"user_id": caller.user_id},
        ).all()
        unlinked = next((one for one in found if one.id == identity_id), None)
        if unlinked is None:
            raise Problem(NO_SUCH_ENTRY, "Your account has no such identity.")
        others = [one for one in found if one.id != identity_id and one.provider in providers]
        # A password is shown together with an address.
        if not others and not (user.has_password and user.email is not None):
            raise Problem(LAST_WAY_IN, "Without it, you could not sign in to your account any more.")
        revocations.put(connection, identity_id)
        connection.execute(text("DELETE FROM identities WHERE id = :id"), {"id": identity_id})
        audit.record(connection, caller, "identity.unlink", caller.pseudonym, {"provider": unlinked.provider})


def _known(connection: Connection, person: Person) -> Any | None:
    """The row of the user that this person signed in before, or was linked to; None: nobody's."""
    identity = _update(connection, person)
    if identity is None:
        return None
    user = connection.execute(
        text(f"SELECT {USER_COLUMNS} FROM users WHERE id = :id"), {"id": identity.user_id}
    ).one_or_none()
    if user is None:
        raise _OvertakenError
    _refuse_disabled(user)
    return user


def _of_address(connection: Connection, person: Person) -> Any | None:
    """The row of the user who has the person's address, and is linked now; None: nobody has it.

    Raises:
        Problem: Somebody has it, and never proved to read mails there: it may be a stranger who hopes for
            just this.
    """
    if person.email is None or not person.is_verified:
        return None
    user = connection.execute(
        text(f"SELECT {USER_COLUMNS} FROM users WHERE email_key = :key FOR UPDATE"),
        {"key": email_key(person.email)},
    ).one_or_none()
    if user is None:
        return None
    if user.email_verified_at is None:
        raise Problem(ADDRESS_TAKEN, "An account here has this address, and never confirmed it.")
    _refuse_disabled(user)
    if not _insert(connection, person, user):
        raise _OvertakenError
    _tell(connection, person, user)
    return user


def _new(connection: Connection, person: Person, *, may_register: bool) -> Any:
    """The row of a new user.

    Raises:
        Problem: Nobody may register.
    """
    if not may_register:
        raise Problem(REGISTRATION_CLOSED, "Nobody has this account at the provider here, nor may register.")
    user = users.insert(
        connection,
        email=person.email if person.is_verified else None,
        display_name=person.display_name,
        is_verified=person.is_verified,
    )
    if user is None or not _insert(connection, person, user):
        raise _OvertakenError
    pseudonym = str(user.pseudonym)
    audit.record(connection, pseudonym, "user.register", pseudonym, {"provider": person.provider})
    return user


def _insert(connection: Connection, person: Person, user: Any) -> bool:
    """Whether the person is this user from now on; False: it is somebody already."""
    done = connection.execute(
        text(
            "INSERT INTO identities (user_id, provider, subject, email, client_id, sealed_refresh_token)"
            " VALUES (:user_id, :provider, :subject, :email, :client_id, :sealed_refresh_token)"
            " ON CONFLICT (provider, subject) DO NOTHING"
        ),
        {**person._asdict(), "user_id": user.id},
    )
    return bool(done.rowcount)


def _tell(connection: Connection, person: Person, user: Any) -> None:
    """The user hears of the new way in, and the audit too."""
    if user.email is not None and user.email_verified_at is not None:
        mails.notice(connection, str(user.id), user.email, "identity.linked")
    pseudonym = str(user.pseudonym)
    audit.record(connection, pseudonym, "identity.link", pseudonym, {"provider": person.provider})


def _update(connection: Connection, person: Person) -> Any | None:
    """The identity's row, with what the provider says now; None: it is nobody's."""
    return connection.execute(
        text(
            "UPDATE identities SET used_at = now(), email = coalesce(:email, email),"
            " client_id = CASE WHEN CAST(:sealed_refresh_token AS text) IS NULL"
            " THEN client_id ELSE :client_id END,"
            " sealed_refresh_token = coalesce(:sealed_refresh_token, sealed_refresh_token)"
            " WHERE provider = :provider AND subject = :subject RETURNING user_id"
        ),
        person._asdict(),
    ).one_or_none()


def _refuse_disabled(user: Any) -> None:
    if user.disabled_at is not None:
        raise _refused("The account is disabled.")


def _refused(detail: str) -> Problem:
    return Problem(PROVIDER_REFUSED, detail, headers=CHALLENGE)
