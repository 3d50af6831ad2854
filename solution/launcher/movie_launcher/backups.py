"""Backup and restore: a file is there whole or not at all, and so is a database."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg2
from movie_database import addresses, exits
from movie_database.connections import connected
from movie_database.migrate import migrate
from movie_database.settings import Settings
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from movie_launcher import processes
from movie_launcher.clients import client, connection_words
from movie_launcher.environment import say
from movie_launcher.errors import LauncherError

_MAINTENANCE: Final = "postgres"
_LOCK: Final = "SELECT pg_try_advisory_lock(hashtext('movie_launcher restore'), hashtext(%s))"
_SWAPS: Final = 10
_TERMINATION_MILLISECONDS: Final = 5_000


def backup(settings: Settings, address: str, file: Path, *, force: bool) -> None:
    """The file holds the whole database, in pg_dump's custom format, readable by its owner alone.

    Raises:
        LauncherError: It could not be written; what was there before is untouched.
    """
    if file.exists() and not force:
        raise LauncherError(f"{file} is there already. Name another file, or write over it: --force")
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    words, variables = connection_words(address)
    try:
        # Made here and not by pg_dump: readable by nobody else from the first byte on.
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        command = [str(client(settings, "pg_dump")), "--format=custom", "--no-owner", "--no-privileges"]
        code = processes.run([*command, f"--file={draft}", *words], environment=variables)
        if code != exits.DONE:
            raise LauncherError(
                f"No backup was made: pg_dump failed, as said above; {file} is untouched.", code
            )
        _sync(draft)
        draft.replace(file)
        _sync(file.parent)
    except OSError as error:
        raise LauncherError(f"{file} can't be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def restore(settings: Settings, address: str, file: Path) -> None:
    """The database is what the backup holds, brought to this version's schema.

    It is restored beside the present one, which gives way only when the new one is whole; until
    then, and after any failure, the present one serves on.

    Raises:
        LauncherError: It could not be restored; the database is as it was.
        DatabaseError: Likewise.
    """
    name = addresses.database_name(address)
    fresh = f"{name}_restore_{secrets.token_hex(4)}"
    try:
        with (
            connected(addresses.with_database(address, _MAINTENANCE)) as connection,
            connection.cursor() as cursor,
        ):
            _alone(cursor, name)
            _drop_leftovers(cursor, name)
            with _dropped_unless_kept(cursor, fresh):
                _create_like(cursor, fresh, like=name)
                _fill(settings, addresses.with_database(address, fresh), file)
                _swap(cursor, name, fresh)
    except psycopg2.Error as error:
        reason = " ".join(str(error).split())
        raise LauncherError(f"The backup was not restored; the database is as it was: {reason}") from error


def _alone(cursor: Cursor, name: str) -> None:
    """Nobody else restores this database until the connection ends, however it ends."""
    cursor.execute(_LOCK, (name,))
    if cursor.fetchone() != (True,):
        raise LauncherError("Another restore of this database is running: wait for it.")


def _drop_leftovers(cursor: Cursor, name: str) -> None:
    """Databases of restores that were killed: nobody else restores now."""
    cursor.execute(
        r"SELECT datname FROM pg_database WHERE datname ~ ('^' || %s || '_(restore|replaced)_[0-9a-f]{8}$')",
        (name,),
    )
    for (leftover,) in cursor.fetchall():
        _drop(cursor, leftover)


@contextmanager
def _dropped_unless_kept(cursor: Cursor, name: str) -> Iterator[None]:
    """The database of this name is gone afterwards, if it has not taken another name."""
    try:
        yield
    finally:
        with suppress(psycopg2.Error):
            _drop(cursor, name)


def _drop(cursor: Cursor, name: str) -> None:
    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _create_like(cursor: Cursor, fresh: str, *, like: str) -> None:
    """An empty database with the encoding and, if libc gives it, the locale of another one."""
    cursor.execute(
        "SELECT pg_encoding_to_char(encoding), datlocprovider, datcollate, datctype"
        " FROM pg_database WHERE datname = %s",
        (like,),
    )
    row = cursor.fetchone()
    if row is None:
        raise LauncherError(f"There is no database {like} to take the place of.")
    encoding, provider, collate, ctype = row
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {}").format(
        sql.Identifier(fresh), sql.Literal(encoding)
    )
    if provider == "c":
        statement += sql.SQL(" LOCALE_PROVIDER libc LC_COLLATE {} LC_CTYPE {}").format(
            sql.Literal(collate), sql.Literal(ctype)
        )
    cursor.execute(statement)


def _fill(settings: Settings, address: str, file: Path) -> None:
    """The database of this address holds the backup, at this version's schema."""
    words, variables = connection_words(address)
    command = [
        str(client(settings, "pg_restore")),
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        "--jobs=2",
    ]
    code = processes.run([*command, *words, str(file)], environment=variables)
    if code != exits.DONE:
        raise LauncherError(
            f"{file} was not restored: pg_restore failed, as said above; the database is as it was.", code
        )
    with connected(address) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('schema_scripts') IS NOT NULL")
        if cursor.fetchone() != (True,):
            raise LauncherError(f"{file} is no backup of this product; the database is as it was.")
    migrate(address, settings.sql_scripts)
    say("Gathering the planner's statistics …")
    with connected(address) as connection, connection.cursor() as cursor:
        # A restored table has none, and no page of it is known to be visible to all.
        cursor.execute("VACUUM ANALYZE")


def _swap(cursor: Cursor, name: str, fresh: str) -> None:
    """The fresh database has the name, and the one that had it is gone.

    Raises:
        LauncherError: Others keep the present one open.
    """
    replaced = fresh.replace("_restore_", "_replaced_")
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    for _ in range(_SWAPS):
        cursor.execute(
            "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE datname IN (%s, %s)",
            (_TERMINATION_MILLISECONDS, name, fresh),
        )
        try:
            # One transaction, so that no moment is without a database of this name.
            cursor.execute("BEGIN")
            cursor.execute(rename.format(sql.Identifier(name), sql.Identifier(replaced)))
            cursor.execute(rename.format(sql.Identifier(fresh), sql.Identifier(name)))
            cursor.execute("COMMIT")
        except psycopg2.errors.ObjectInUse:
            cursor.execute("ROLLBACK")  # somebody was quicker to connect again
        else:
            _drop(cursor, replaced)
            return
    raise LauncherError("Others keep the database open; it is as it was. Stop them, then restore again.")


def _sync(path: Path) -> None:
    """What was written to the file, or the folder's list of names, survives a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
