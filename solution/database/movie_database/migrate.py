"""Brings a database's schema to the state of the scripts; safe at every start, from many processes.

yoyo-migrations keeps the record of what was applied. Three things it leaves open are done here: its
lock outlives a kill -9, so all of this runs under an advisory lock, which does not; it notes a script
in another transaction than the script's own, so a kill between the two would apply it twice; and it
does not see that an applied file was edited, so checksums are kept beside its record.
"""

import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg2
import psycopg2.errors
import structlog
from psycopg2.extensions import TRANSACTION_STATUS_INTRANS
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from movie_database.connections import connected
from movie_database.errors import MigrationError, UnsuitableDatabase
from movie_database.scripts import Script, read_scripts
from movie_database.settings import checkout_root

OLDEST_SERVER: Final = 15
LOCK_PATIENCE_SECONDS: Final = 120.0
"""How long a script may be kept from its locks: as long as a load publishes, and more."""
_ADVISORY_LOCK: Final = 0x6D6F766965  # "movie"
_POLL_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0

_log = structlog.get_logger(__name__)

_CREATE_RECORD: Final = """
    CREATE TABLE IF NOT EXISTS schema_scripts (
        name text COLLATE "C" CONSTRAINT schema_scripts_pkey PRIMARY KEY,
        checksum text COLLATE "C" NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    );
    COMMENT ON TABLE schema_scripts IS 'The scripts that made this schema; beside yoyo''s own record.';
    COMMENT ON COLUMN schema_scripts.name IS 'The file''s name.';
    COMMENT ON COLUMN schema_scripts.checksum IS 'SHA-256 of the file''s text as it was applied.';
    COMMENT ON COLUMN schema_scripts.applied_at IS 'When it was applied.';
"""


def migrate(address: str, scripts: Path | None = None) -> list[str]:
    """The schema is that of the scripts; each was applied once, whole or not at all.

    Args:
        address: Of the database.
        scripts: The folder of the scripts; the checkout's `sql-scripts` if none is given.

    Returns:
        Names of the scripts that were applied by this call, in order.

    Raises:
        DatabaseUnavailable: The server does not answer.
        UnsuitableDatabase: The server is too old, or the database can't hold every script of the world.
        MigrationError: A script fails, was changed after it was applied, or could not get its locks.
    """
    wanted = read_scripts(scripts or checkout_root() / "sql-scripts")
    with connected(address) as connection, connection.cursor() as cursor:
        _check_database(cursor)
        # Most starts end here: no lock is taken, and yoyo, slow to import, stays out.
        if not _pending(cursor, wanted):
            return []
        with _alone(connection):
            pending = _pending(cursor, wanted)
            _check_extensions(cursor, pending)
            if pending:
                try:
                    _apply(connection, pending)
                except psycopg2.Error as error:
                    reason = " ".join(str(error).split())
                    raise MigrationError(f"The schema's record could not be kept: {reason}") from error
            return [script.name for script in pending]


def _check_database(cursor: Cursor) -> None:
    """Refuses what would only fail later, or find nothing.

    Raises:
        UnsuitableDatabase: With the reason.
    """
    cursor.execute(
        "SELECT current_setting('server_version_num')::integer / 10000, current_setting('server_version'),"
        " datname, pg_encoding_to_char(encoding), datctype"
        " FROM pg_database WHERE datname = current_database()"
    )
    row = cursor.fetchone()
    assert row is not None  # noqa: S101 - we are connected to it
    major, version, name, encoding, ctype = row
    if major < OLDEST_SERVER:
        raise UnsuitableDatabase(f"The server is PostgreSQL {version}; {OLDEST_SERVER} or newer is needed")
    how = f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
    if encoding != "UTF8":
        raise UnsuitableDatabase(
            f"Database {name} is encoded in {encoding}, which can't hold all titles; make it anew: {how}"
        )
    if ctype in {"C", "POSIX"}:
        # Under plain C, pg_trgm sees letters in ASCII alone, and finds nothing in 東京物語.
        raise UnsuitableDatabase(
            f"Database {name} has LC_CTYPE {ctype}, under which titles in other scripts"
            f" can't be searched; make it anew: {how}"
        )


def _pending(cursor: Cursor, wanted: list[Script]) -> list[Script]:
    """The scripts that were not applied yet.

    Raises:
        MigrationError: One was changed after it was applied.
    """
    cursor.execute("SELECT to_regclass('schema_scripts') IS NOT NULL")
    if cursor.fetchone() == (False,):
        return wanted
    cursor.execute("SELECT name, checksum, to_char(applied_at, 'YYYY-MM-DD HH24:MI') FROM schema_scripts")
    applied = {name: (checksum, at) for name, checksum, at in cursor}
    for script in wanted:
        checksum, at = applied.get(script.name, (script.checksum, None))
        if checksum != script.checksum:
            raise MigrationError(
                f"{script.path} was changed after it was applied to this database on {at}:"
                " put its old text back, and write the change as a new script"
            )
    return [script for script in wanted if script.name not in applied]


def _check_extensions(cursor: Cursor, pending: list[Script]) -> None:
    needed = set().union(*(script.extensions for script in pending))
    cursor.execute("SELECT name FROM pg_available_extensions WHERE name = ANY(%s)", (list(needed),))
    missing = sorted(needed - {name for (name,) in cursor})
    if missing:
        raise UnsuitableDatabase(
            f"The server lacks {', '.join(missing)}: install PostgreSQL's contrib package"
            " (postgresql-contrib) on its machine"
        )


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """No other process migrates this database meanwhile; ends with the connection, however that ends."""
    told = False
    with connection.cursor() as cursor:
        # Asked again and again rather than waited for: libpq's wait does not let Ctrl-C through.
        while not _try_lock(cursor):
            if not told:
                _log.info("Waiting for another process that applies the schema's scripts")
                told = True
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            if not connection.closed:
                cursor.execute("SELECT pg_advisory_unlock(%s)", (_ADVISORY_LOCK,))


def _try_lock(cursor: Cursor) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", (_ADVISORY_LOCK,))
    return cursor.fetchone() == (True,)


def _apply(connection: Connection, pending: list[Script]) -> None:
    """Applies the scripts under yoyo's lock; whoever held it is dead, since we have the advisory lock."""
    backend = _make_backend(connection)
    backend.init_database()
    backend.break_lock()
    with backend.lock():
        backend.ensure_internal_schema_updated()
        backend.execute(_CREATE_RECORD)
        for script in pending:
            started = time.monotonic()
            _apply_patiently(backend, script)
            _log.info("Applied", script=script.name, seconds=round(time.monotonic() - started, 2))


def _apply_patiently(backend: Any, script: Script) -> None:
    """Tries until the script gets its locks; it sets `lock_timeout`, so that none waits behind it long."""
    give_up_at = time.monotonic() + LOCK_PATIENCE_SECONDS
    pause_seconds = _POLL_SECONDS
    while True:
        try:
            _apply_once(backend, script)
        except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected) as error:
            if time.monotonic() > give_up_at:
                raise MigrationError(
                    f"{script.name}: other work on the database kept its tables locked for"
                    f" {LOCK_PATIENCE_SECONDS:g} s; try again when that is done"
                ) from error
            _log.info("Trying again: others hold the locks", script=script.name)
            time.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
        except psycopg2.Error as error:
            position = error.diag.statement_position
            place = script.line_of(int(position) if position else None)
            raise MigrationError(f"{place}: {error.diag.message_primary or error}") from error
        else:
            return


def _apply_once(backend: Any, script: Script) -> None:
    """The script, yoyo's note of it and its checksum, in one transaction."""
    from yoyo.migrations import Migration  # noqa: PLC0415 - slow, and seldom needed

    migration = Migration(script.path.stem, str(script.path), str(script.path.parent))
    with backend.transaction():
        cursor = backend.cursor()
        # Whole, as psql sends it: PostgreSQL itself finds the statements' ends. yoyo would let sqlparse
        # split them, which is a guess where a function's body holds semicolons.
        cursor.execute(script.sql)
        if backend.connection.info.transaction_status != TRANSACTION_STATUS_INTRANS:
            raise MigrationError(f"{script.name} ends its transaction: it must not say COMMIT or ROLLBACK")
        backend.log_migration(migration, "apply")
        backend.mark_one(migration, log=False)
        cursor.execute("INSERT INTO schema_scripts VALUES (%s, %s)", (script.name, script.checksum))


def _make_backend(connection: Connection) -> Any:
    """A backend of yoyo's over our connection, which holds the advisory lock: both end together."""
    from yoyo.backends.core.postgresql import PostgresqlBackend  # noqa: PLC0415 - slow, and seldom needed
    from yoyo.connections import parse_uri  # noqa: PLC0415
    from yoyo.migrations import default_migration_table  # noqa: PLC0415

    class Backend(PostgresqlBackend):  # type: ignore[misc]
        def connect(self, dburi: object) -> Connection:  # noqa: ARG002
            return connection

        def init_database(self) -> None:
            # yoyo tries whether DDL is transactional at each start, by making tables.
            if self.lock_table not in self.list_tables():
                self.create_lock_table()

        def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, object]:
            # yoyo asks for the operating system's user, whom a container need not have a name for, and
            # for the host's full name, which can take seconds where DNS does not answer.
            return {
                "id": str(uuid.uuid4()),
                "migration_id": migration and migration.id,
                "migration_hash": migration and migration.hash,
                "username": self.connection.info.user,
                "hostname": socket.gethostname(),
                "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
                "operation": operation,
            }

    return Backend(parse_uri("postgresql:///"), default_migration_table)
