"""How queries reach PostgreSQL, and how its refusals become problems."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import psycopg2
from flask import current_app
from movie_database.settings import Settings
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from movie_api.extensions import db
from movie_api.http import problems
from movie_api.http.problems import Fault, Kind, Problem
from movie_api.reader import Reader, Row

RETRY_AFTER_SECONDS: Final = 5
_CONNECT_TIMEOUT_SECONDS: Final = 3
_UNANSWERED_MILLISECONDS: Final = 15_000

Answer = TypeVar("Answer")

# Constraint names come before SQLSTATEs: they say more. A refusal that is not here is a fault of ours.
_OF_CONSTRAINT: Final[dict[str, tuple[Kind, str, tuple[Fault, ...]]]] = {
    "movies_imdb_id_key": (
        problems.MOVIE_EXISTS,
        "A movie with this IMDb id exists already, or did and was retired.",
        (Fault("body", "imdb_link", "names a movie that exists, or is retired"),),
    ),
    # A load made the same one at the same time: whoever asks first finds out without it.
    "genres_name_key": (
        problems.GENRE_EXISTS,
        "There is a genre with this name already.",
        (Fault("body", "name", "is another genre's"),),
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


# Of these, the first line too holds values: of what was no number, or is there already.
_TELLING_CLASSES: Final = ("22", "23", "P0")


class StatementError(psycopg2.Error):
    """PostgreSQL refused a statement, by a fault of ours: what it said, without the values that it quoted.

    A fault is in the log with its text, and the values are addresses, names and hashes.
    """

    def __init__(self, refusal: psycopg2.Error) -> None:
        self._refusal = refusal
        diagnosis = refusal.diag
        state = refusal.pgcode or ""
        parts = [type(refusal).__name__, state, diagnosis.table_name, diagnosis.constraint_name]
        if not state.startswith(_TELLING_CLASSES):
            parts.append(diagnosis.message_primary)
        super().__init__(" ".join(part for part in parts if part))

    @property
    def pgcode(self) -> str | None:  # type: ignore[override]
        """The SQLSTATE."""
        return self._refusal.pgcode

    @property
    def diag(self) -> Any:  # type: ignore[override]
        """All that PostgreSQL said, values too."""
        return self._refusal.diag


def engine_options(settings: Settings) -> dict[str, Any]:
    """How SQLAlchemy reaches the database: a fixed number of connections, each with its limits."""
    timeout = round(settings.statement_timeout_seconds * 1000)
    return {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.statement_timeout_seconds,
        # A fault's text is in the log: what a statement was given are addresses, names and hashes too.
        "hide_parameters": True,
        "connect_args": {
            "application_name": "movie-api",
            "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
            "tcp_user_timeout": _UNANSWERED_MILLISECONDS,
            # No parallel workers: a page is a few rows, and starting one takes longer than reading them.
            "options": f"-c statement_timeout={timeout} -c max_parallel_workers_per_gather=0",
        },
    }


class Readers(threading.local):
    """The connection for reads of each thread, made at its first read and kept from then on.

    It is none of the pool's: to take one from there and to give it back takes as long as half a read (50 µs).
    """

    reader: Reader | None = None


def read(sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """The rows of one query, in one round trip.

    Raises:
        Problem: If the database is away, or gives the query up.
    """
    return _with_reader(lambda reader: reader.rows(sql, parameters))


def read_one(sql: str, key: Any) -> Row | None:
    """The row of a query by a unique key, its only parameter; None if there is none.

    Raises:
        Problem: If the database is away, or gives the query up.
    """
    return _with_reader(lambda reader: reader.row_by_key(sql, key))


def _with_reader(ask: Callable[[Reader], Answer]) -> Answer:
    """What the thread's reader answers.

    A connection that died since its last use is found out here and replaced, once: asking the server
    before each query whether it is still there would cost a round trip each time.
    """
    readers: Readers = current_app.extensions["readers"]
    for is_last_try in (False, True):
        reader = readers.reader or _connect(readers)
        try:
            return ask(reader)
        except psycopg2.Error as error:
            if not reader.is_gone:
                raise _problem(error) from None
            readers.reader = None
            if is_last_try:
                raise _problem(error) from None
            # What ended this connection has ended those of the pool, of which the next reader is one.
            db.engine.dispose()
    raise AssertionError("the last try answers or raises")


def _connect(readers: Readers) -> Reader:
    try:
        pooled = db.engine.raw_connection()
    except (psycopg2.Error, SQLAlchemyError) as error:
        raise _problem(error) from None
    readers.reader = Reader(pooled.dbapi_connection)
    pooled.detach()
    return readers.reader


@contextmanager
def write() -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back by any fault.

    A write to the catalogue is a `catalogue.change()`, which publishes what it did.

    Raises:
        Problem: If the database refuses, or is away.
    """
    try:
        with _live_connection() as connection, connection.begin():
            yield connection
    except SQLAlchemyError as error:
        raise _problem(error) from None


def _live_connection() -> Connection:
    """A connection of the pool that answers.

    Whether a write came through before its connection died can't be known, so none is tried again; one that
    was dead all along is found out before, and writes are few.
    """
    connection = db.engine.connect()
    try:
        connection.exec_driver_sql("SELECT")
    except DBAPIError as error:
        connection.close()
        if not error.connection_invalidated:
            raise
        return db.engine.connect()
    connection.rollback()
    return connection


def _problem(error: BaseException) -> Exception:
    """The problem that a refusal of the database is; if it is a fault of ours, what may be told of it."""
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
    if kind_of_state is None and isinstance(original, psycopg2.Error):
        return StatementError(original).with_traceback(error.__traceback__)
    if kind_of_state is None:
        return original if isinstance(original, Exception) else Exception(str(original))
    return Problem(kind_of_state, _DETAILS[kind_of_state], headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
