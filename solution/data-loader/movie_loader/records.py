"""What the database remembers of loads, and the lock that keeps two of them apart."""

import os
import socket
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import psycopg2.extensions
from psycopg2.extras import Json, RealDictCursor

from movie_loader.errors import RunningLoadError
from movie_loader.quality import Baseline
from movie_loader.report import LoadReport

_LOCK_KEY: Final = 0x6C6F6164  # "load"

DIED: Final = "died"
"""The error code of a load that ended without a word."""

_COLUMNS: Final = """
    id, state, started_at, finished_at, source, is_sample, title_types, files, movie_rows, genre_rows,
    rating_rows, mean_rating, with_cast, with_akas, person_rows, credit_rows, other_title_rows,
    rejected, inserted, updated, retired, phases, error_code, error, loader
"""


class Freshness(NamedTuple):
    """How old the data is.

    Attributes:
        fresh_at: when it was last known to be the source's.
        is_sample: whether it is the bundled sample, which never ages.
        age: since then; never negative, whatever the clock does.
    """

    fresh_at: datetime
    is_sample: bool
    age: timedelta


def take_lock(connection: psycopg2.extensions.connection) -> None:
    """Keep other loads out of this database until the lock is released or the connection ends.

    Raises:
        RunningLoadError: if another load is running; it says which, and since when.
    """
    with connection, connection.cursor() as cursor:
        if _got_lock(cursor):
            return
        cursor.execute(
            """
            SELECT id, started_at, loader FROM dataset_loads WHERE state = 'running' ORDER BY id DESC LIMIT 1
            """
        )
        holder = cursor.fetchone()
    who = ""
    if holder:
        load_id, since, loader = holder
        who = f" since {since:%Y-%m-%d %H:%M:%S %Z}: load {load_id}, {loader}"
    raise RunningLoadError(f"another load is running{who}")


def _got_lock(cursor: psycopg2.extensions.cursor) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK_KEY,))
    return cursor.fetchone() == (True,)


def release_lock(connection: psycopg2.extensions.connection) -> None:
    """Let other loads in."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")


def fail_dead_loads(connection: psycopg2.extensions.connection) -> list[str]:
    """Mark loads that ended without a word as failed, unless one is running; return what to tell of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM dataset_loads WHERE state = 'running')")
        if cursor.fetchone() != (True,) or not _got_lock(cursor):
            return []
        try:
            return mark_dead_loads(connection)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", (_LOCK_KEY,))


def mark_dead_loads(connection: psycopg2.extensions.connection) -> list[str]:
    """Mark all loads that are said to run as failed; return what to tell of them.

    Only the lock's holder can know that they don't.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE dataset_loads SET
                state = 'failed', finished_at = greatest(now(), started_at), error_code = %s,
                error = 'died without a word: it was killed, or its machine or its database went away'
            WHERE state = 'running'
            RETURNING id, started_at, loader
            """,
            (DIED,),
        )
        return [
            f"load {load_id} of {started_at:%Y-%m-%d %H:%M:%S %Z} died without a word ({loader})"
            for load_id, started_at, loader in cursor
        ]


def has_real_data(connection: psycopg2.extensions.connection) -> bool:
    """Whether anything but the sample was ever loaded."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM dataset_loads WHERE state = 'done' AND NOT is_sample)")
        return cursor.fetchone() == (True,)


def begin_record(connection: psycopg2.extensions.connection, report: LoadReport) -> int:
    """Write the row of a load that begins, and return its id."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO dataset_loads (
                state, started_at, source, is_sample, title_types, with_cast, with_akas, loader
            )
            VALUES ('running', %s, %s, %s, %s, %s, %s, %s) RETURNING id
            """,
            (
                report.started_at,
                report.source,
                report.is_sample,
                list(report.title_types),
                report.with_cast,
                report.with_akas,
                f"process {os.getpid()} on {socket.gethostname()}",
            ),
        )
        ((load_id,),) = cursor.fetchall()
    return int(load_id)


def end_record(
    connection: psycopg2.extensions.connection,
    report: LoadReport,
    *,
    error_code: str | None = None,
    error: str | None = None,
) -> None:
    """Write what became of a load into its row, within the caller's transaction."""
    merged = report.merged
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE dataset_loads SET
                state = %s, finished_at = %s, files = %s, fingerprint = %s,
                movie_rows = %s, genre_rows = %s, rating_rows = %s, mean_rating = %s,
                person_rows = %s, credit_rows = %s, other_title_rows = %s, rejected = %s,
                inserted = %s, updated = %s, retired = %s, phases = %s, report = %s,
                error_code = %s, error = %s
            WHERE id = %s AND state = 'running'
            """,
            (
                report.state,
                report.finished_at,
                Json(report.files),
                report.fingerprint,
                report.movie_rows or None,
                report.genre_rows if report.movie_rows else None,
                report.rating_rows if report.movie_rows else None,
                report.mean_rating,
                report.person_rows if report.movie_rows else None,
                report.credit_rows if report.movie_rows else None,
                report.other_title_rows if report.movie_rows else None,
                Json(report.rejected),
                merged.get("inserted"),
                merged.get("updated"),
                merged.get("retired"),
                Json(report.as_dict()["stages"]),
                Json(report.as_dict()),
                error_code,
                error,
                report.load_id,
            ),
        )


def write_phases(connection: psycopg2.extensions.connection, report: LoadReport) -> None:
    """Write what was done after a load's row was ended, within the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE dataset_loads SET phases = %s, report = %s WHERE id = %s",
            (Json(report.as_dict()["stages"]), Json(report.as_dict()), report.load_id),
        )


def done_fingerprint(connection: psycopg2.extensions.connection) -> str | None:
    """Return the fingerprint of the last load that was done, if its rows are still in this database."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT fingerprint FROM (
                SELECT fingerprint, movie_rows FROM dataset_loads
                WHERE state = 'done' ORDER BY id DESC LIMIT 1
            ) AS last
            WHERE movie_rows = (SELECT count(*) FROM movies WHERE source = 'imdb' AND retired_at IS NULL)
            """
        )
        row = cursor.fetchone()
    return None if row is None else row[0]


def schema_version(connection: psycopg2.extensions.connection) -> str:
    """Return the name of the last script that made this schema."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT max(name) FROM schema_scripts")
        ((name,),) = cursor.fetchall()
    return str(name)


def baseline(connection: psycopg2.extensions.connection, report: LoadReport) -> Baseline | None:
    """Return the last good load of this source and these title types; the sample is none."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, movie_rows, genre_rows, rating_rows, mean_rating,
                CASE WHEN with_cast = %(with_cast)s THEN person_rows END,
                CASE WHEN with_cast = %(with_cast)s THEN credit_rows END,
                CASE WHEN with_akas AND %(with_akas)s THEN other_title_rows END
            FROM dataset_loads
            WHERE state = 'done' AND NOT is_sample AND rtrim(source, '/') = rtrim(%(source)s, '/')
                AND title_types @> %(types)s AND title_types <@ %(types)s
            ORDER BY id DESC LIMIT 1
            """,
            {
                "source": report.source,
                "types": list(report.title_types),
                "with_cast": report.with_cast,
                "with_akas": report.with_akas,
            },
        )
        row = cursor.fetchone()
    return None if row is None else Baseline(*row)


def freshness(connection: psycopg2.extensions.connection) -> Freshness | None:
    """Return how old the data is; None if nothing was ever loaded."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT finished_at, is_sample, greatest(now() - finished_at, interval '0') FROM dataset_loads
            WHERE state IN ('done', 'unchanged') ORDER BY id DESC LIMIT 1
            """
        )
        row = cursor.fetchone()
    return None if row is None else Freshness(*row)


def last_record(connection: psycopg2.extensions.connection) -> dict[str, Any] | None:
    """Return the load whose data is served, without its report."""
    found = _records(connection, "WHERE state = 'done'", 1)
    return found[0] if found else None


def history(connection: psycopg2.extensions.connection, limit: int) -> list[dict[str, Any]]:
    """Return the last loads, the newest first, without their reports."""
    return _records(connection, "", limit)


def _records(connection: psycopg2.extensions.connection, where: str, limit: int) -> list[dict[str, Any]]:
    with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM dataset_loads {where} ORDER BY id DESC LIMIT %s",  # noqa: S608
            (limit,),
        )
        return [dict(row) for row in cursor]
