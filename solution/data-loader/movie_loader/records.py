"""What the database remembers of loads, and the lock that keeps two of them apart."""

from typing import Any, Final

import psycopg2.extensions
from psycopg2.extras import Json, RealDictCursor

from movie_loader.errors import LoadError
from movie_loader.report import LoadReport

_LOCK_KEY: Final = 0x6C6F6164  # "load"

# Who holds a lock with this key in this database. The key's upper half is 0, and 64-bit keys have objsubid 1.
_HOLDER: Final = """
SELECT pg_stat_activity.pid, pg_stat_activity.client_addr, pg_stat_activity.backend_start
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = %s AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def take_lock(connection: psycopg2.extensions.connection) -> None:
    """Keep other loads out of this database until the lock is released or the connection ends.

    Raises:
        LoadError: if another load is running; it says which.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK_KEY,))
        if cursor.fetchone() == (True,):
            return
        cursor.execute(_HOLDER, (_LOCK_KEY,))
        holder = cursor.fetchone()
    who = ""
    if holder:
        pid, client, since = holder
        who = f" since {since:%Y-%m-%d %H:%M:%S %Z} from {client or 'this machine'} (server process {pid})"
    raise LoadError(f"another load is running{who}", code="load_running", is_transient=True)


def release_lock(connection: psycopg2.extensions.connection) -> None:
    """Let other loads in."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")


def has_real_data(connection: psycopg2.extensions.connection) -> bool:
    """Whether anything but the sample was ever loaded."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM dataset_loads WHERE NOT is_sample)")
        return cursor.fetchone() == (True,)


def write_record(connection: psycopg2.extensions.connection, report: LoadReport) -> None:
    """Write the load's row, within the caller's transaction: it is seen when its movies are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO dataset_loads (
                started_at, finished_at, source, is_sample, title_types, files,
                movie_rows, genre_rows, rating_rows, report
            ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                report.started_at,
                report.finished_at,
                report.source,
                report.is_sample,
                list(report.title_types),
                Json(report.files),
                report.movie_rows,
                report.merged["genre_rows"],
                report.rating_rows,
                Json(report.as_dict()),
            ),
        )


def last_record(connection: psycopg2.extensions.connection) -> dict[str, Any] | None:
    """Return the last load that was published, without its report."""
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(
            """
            SELECT id, started_at, finished_at, source, is_sample, title_types, files,
                movie_rows, genre_rows, rating_rows
            FROM dataset_loads ORDER BY id DESC LIMIT 1
            """
        )
        row = cursor.fetchone()
    return None if row is None else dict(row)
