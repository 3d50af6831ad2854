"""How queries reach PostgreSQL, and how its refusals become problems."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg2
import psycopg2.extensions
from movie_database.settings import Settings
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from movie_api.extensions import db
from movie_api.http import problems
from movie_api.http.problems import Fault, Kind, Problem

RETRY_AFTER_SECONDS: Final = 5
_CONNECT_TIMEOUT_SECONDS: Final = 3
_UNANSWERED_MILLISECONDS: Final = 15_000

Row = tuple[Any, ...]

# SQLAlchemy has UUIDs read as objects: five microseconds for each row, and callers get text anyway.
_UUID_AS_TEXT: Final = psycopg2.extensions.new_type((2950,), "UUID", lambda value, _cursor: value)

# Constraint names come before SQLSTATEs: they say more. A refusal that is not here is a fault of ours.
_OF_CONSTRAINT: Final[dict[str, tuple[Kind, str, tuple[Fault, ...]]]] = {
    "movies_imdb_id_key": (
        problems.MOVIE_EXISTS,
        "A movie with this IMDb id exists.",
        (Fault("body", "imdb_link", "names a movie that exists"),),
    ),
}
# Source: PostgreSQL's manual, Appendix A, "PostgreSQL Error Codes".
_OF_STATE: Final[dict[str, Kind]] = {
    "40001": problems.DATABASE_BUSY,  # serialization_failure
    "40P01": problems.DATABASE_BUSY,  # deadlock_detected
    "53300": problems.DATABASE_BUSY,  # too_many_connections
    "55P03": problems.DATABASE_BUSY,  # lock_not_available
    "57014": problems.DATABASE_BUSY,  # query_canceled: statement_timeout
    "25006": problems.DATABASE_AWAY,  # read_only_sql_transaction: a standby
    "53100": problems.DATABASE_AWAY,  # disk_full
    "57P01": problems.DATABASE_AWAY,  # admin_shutdown
    "57P02": problems.DATABASE_AWAY,  # crash_shutdown
    "57P03": problems.DATABASE_AWAY,  # cannot_connect_now
}
_DETAILS: Final = {
    problems.DATABASE_AWAY: "The database can't be reached at the moment.",
    problems.DATABASE_BUSY: "The database could not answer in time.",
}


def engine_options(settings: Settings) -> dict[str, Any]:
    """How SQLAlchemy reaches the database: a fixed number of connections, each with its limits."""
    timeout = round(settings.statement_timeout_seconds * 1000)
    return {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.statement_timeout_seconds,
        "connect_args": {
            "application_name": "movie-api",
            "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
            "tcp_user_timeout": _UNANSWERED_MILLISECONDS,
            # No parallel workers: a page is a few rows, and the Append of its ranges must stay in order.
            "options": f"-c statement_timeout={timeout} -c max_parallel_workers_per_gather=0",
        },
    }


def read(sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """The rows of one query, in one round trip.

    A connection that died since its last use is found out here and replaced, once: asking the server
    before each query whether it is still there would cost a round trip each time.

    Raises:
        Problem: If the database is away, or gives the query up.
    """
    try:
        return _read_once(sql, parameters)
    except _ConnectionDiedError:
        db.engine.dispose()
    try:
        return _read_once(sql, parameters)
    except _ConnectionDiedError as error:
        raise _problem(error.__cause__ or error) from error


@contextmanager
def write() -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back by any fault.

    Raises:
        Problem: If the database refuses, or is away.
    """
    # What was written before a connection died can't be known, so a write is never tried again. But a
    # connection that was dead all along is found out by a read, and writes are few.
    read("SELECT")
    try:
        with db.engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise _problem(error) from error


class _ConnectionDiedError(Exception):
    """The connection was lost; its cause says how."""


def _read_once(sql: str, parameters: Sequence[Any]) -> list[Row]:
    try:
        pooled = db.engine.raw_connection()
    except (psycopg2.Error, SQLAlchemyError) as error:
        raise _problem(error) from error
    connection: Any = pooled.dbapi_connection
    try:
        # Without a transaction there is no BEGIN before and no ROLLBACK after: one round trip, not three.
        connection.autocommit = True
        with connection.cursor() as cursor:
            psycopg2.extensions.register_type(_UUID_AS_TEXT, cursor)
            cursor.execute(sql, parameters)
            return cursor.fetchall()  # type: ignore[no-any-return]
    except psycopg2.Error as error:
        if connection.closed:
            raise _ConnectionDiedError from error
        raise _problem(error) from error
    finally:
        if connection.closed:
            pooled.invalidate()
        else:
            connection.autocommit = False
        pooled.close()


def _problem(error: BaseException) -> Exception:
    """The problem that a refusal of the database is; the refusal itself, if it is a fault of ours."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    state = getattr(original, "pgcode", None)
    diagnosis = getattr(original, "diag", None)
    constraint = getattr(diagnosis, "constraint_name", None)
    if constraint in _OF_CONSTRAINT:
        kind, detail, faults = _OF_CONSTRAINT[constraint]
        return Problem(kind, detail, faults)
    kind_of_state = _OF_STATE.get(state or "")
    if isinstance(original, PoolTimeoutError):
        kind_of_state = problems.DATABASE_BUSY
    elif kind_of_state is None and (state is None or state.startswith("08")):
        is_connection = isinstance(original, psycopg2.OperationalError | psycopg2.InterfaceError)
        kind_of_state = problems.DATABASE_AWAY if is_connection else None
    if kind_of_state is None:
        return original if isinstance(original, Exception) else Exception(str(original))
    return Problem(kind_of_state, _DETAILS[kind_of_state], headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
