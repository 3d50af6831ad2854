"""Makes accounts, keys and sessions straight in the database."""

import hashlib
import secrets
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import psycopg2
from argon2 import PasswordHasher
from movie_database.addresses import libpq_address

PASSWORD: Final = "nine lives of a film club"  # noqa: S105 - of throw-away accounts
# As good as none: a test has no time for more, and the program does not mind.
_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Account(NamedTuple):
    """An account that was made, and how it signs in."""

    id: str
    email: str
    password: str
    pseudonym: str


class AccountFactory:
    """Makes accounts in one database; a context manager that closes its connection."""

    def __init__(self, database_url: str) -> None:
        self._connection = psycopg2.connect(libpq_address(database_url))
        self._connection.autocommit = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def create(
        self,
        *,
        role: str = "user",
        email: str | None = None,
        password: str | None = PASSWORD,
        display_name: str = "Ann",
        is_verified: bool = True,
        is_disabled: bool = False,
    ) -> Account:
        """One account; its address is its own unless one is given, and without a password it has none."""
        email = email or f"{secrets.token_hex(6)}@example.com"
        row = self._row(
            "INSERT INTO users ("
            " email, email_key, email_verified_at, display_name, password_hash, role, disabled_at"
            ") VALUES (%s, lower(%s), CASE WHEN %s THEN now() END, %s, %s, %s, CASE WHEN %s THEN now() END)"
            " RETURNING id, pseudonym",
            email,
            email,
            is_verified,
            display_name,
            _HASHER.hash(password) if password else None,
            role,
            is_disabled,
        )
        return Account(row[0], email, password or "", row[1])

    def disable(self, account: Account) -> None:
        """From now on, nothing of the account is accepted."""
        self._row("UPDATE users SET disabled_at = now() WHERE id = %s RETURNING id", account.id)

    def key(self, account: Account, scopes: Iterable[str] = ("account:read", "catalogue:write")) -> str:
        """An API key of the account's, good for a day."""
        key = f"movies_{secrets.token_urlsafe(32)}"
        self._row(
            "INSERT INTO api_keys (user_id, key_hash, name, hint, scopes, expires_at)"
            " VALUES (%s, %s, 'test', %s, %s, now() + interval '1 day') RETURNING id",
            account.id,
            hashlib.sha256(key.encode()).digest(),
            key[:13],
            list(scopes),
        )
        return key

    def editor_headers(self) -> dict[str, str]:
        """The headers of a request by a new editor's key, which may write the catalogue."""
        return {"Authorization": f"Bearer {self.key(self.create(role='editor'))}"}

    def session(self, account: Account, *, signed_in_minutes_ago: float = 0) -> tuple[str, str]:
        """A session of the account's: its id, and that of its refresh token."""
        (session_id,) = self._row(
            "INSERT INTO sessions (user_id, method, signed_in_at, expires_at) VALUES"
            " (%s, 'password', now() - %s * interval '1 min', now() + interval '30 days') RETURNING id",
            account.id,
            signed_in_minutes_ago,
        )
        (refresh_id,) = self._row(
            "INSERT INTO refresh_tokens (id, session_id) VALUES (gen_random_uuid(), %s) RETURNING id",
            session_id,
        )
        return session_id, refresh_id

    def identity(self, account: Account, provider: str = "google", subject: str | None = None) -> str:
        """The id of an account at a provider that signs this one in."""
        (identity_id,) = self._row(
            "INSERT INTO identities (user_id, provider, subject, email) VALUES (%s, %s, %s, %s) RETURNING id",
            account.id,
            provider,
            subject or secrets.token_hex(8),
            account.email,
        )
        return str(identity_id)

    def _row(self, statement: str, *values: Any) -> tuple[Any, ...]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return tuple(str(one) for one in cursor.fetchone() or ())
