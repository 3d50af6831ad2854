"""The database that a program works on: the one that is given, or an embedded server.

Each process that works on a DATA_DIR registers there. The first one starts the embedded server, the
last one out stops it, and dead ones don't count.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from movie_database.errors import DatabaseUnavailable
from movie_database.sessions import Registration, Sessions, ended_by_signals, undisturbed
from movie_database.settings import Settings

if TYPE_CHECKING:
    from movie_database.cluster import Cluster

_NO_OPTIONS: Final[Mapping[str, str]] = {}

_log = structlog.get_logger(__name__)


@contextmanager
def database(settings: Settings, options: Mapping[str, str] = _NO_OPTIONS) -> Iterator[str]:
    """A database for as long as the block runs; SIGTERM ends the block as Ctrl-C does.

    Args:
        settings: Say which server.
        options: Settings of PostgreSQL that beat ours, if this call starts the embedded server.

    Yields:
        SQLAlchemy's address of the database.

    Raises:
        DatabaseUnavailable: The embedded server can't be made or started. (Of a server that is given,
            nobody knows before somebody connects to it.)
    """
    sessions = Sessions(settings.data_dir)
    with ended_by_signals():
        if settings.server_address is not None:
            with _registered(sessions):
                yield settings.server_address
            return
        cluster = _cluster(settings, options)
        sessions.prepare()
        registration = None
        try:
            with sessions.alone():
                registration = sessions.register()
                if not cluster.is_running and sessions.are_elsewhere():
                    # PostgreSQL itself would see no process either, and start beside the other server.
                    raise DatabaseUnavailable(
                        f"{settings.data_dir} is used from another machine or container;"
                        " DATA_DIR= names a folder of this one's own, or DATABASE_URL= the other's server"
                    )
                address = cluster.ensure_running()
            yield address
        finally:
            if registration is not None and registration.is_ours:
                was_interrupted = not isinstance(sys.exception(), Exception | None)
                with undisturbed() as came:
                    _leave(sessions, registration, cluster, lambda: was_interrupted or bool(came))


def stop(settings: Settings) -> int:
    """No process uses this DATA_DIR any more, and its embedded server does not run.

    Returns:
        How many processes were ended, the server not counted.

    Raises:
        DatabaseUnavailable: A process belongs to another user.
    """
    sessions = Sessions(settings.data_dir)
    if not (settings.data_dir / "sessions").is_dir():
        return 0
    ended = sessions.end_others()
    cluster = _cluster(settings, _NO_OPTIONS)
    with sessions.alone():
        if not sessions.alive():
            cluster.stop()
    return ended


def client_program(settings: Settings, name: str) -> Path:
    """The path of a program such as `psql` or `pg_dump` that the caller can run, of the server's version.

    Raises:
        DatabaseUnavailable: There is none.
    """
    from movie_database.accounts import Account  # noqa: PLC0415 - the images have no embedded server
    from movie_database.binaries import find_binaries  # noqa: PLC0415

    program = find_binaries(settings.pg_bindir, Account("")).program(name)
    if not program.is_file():
        raise DatabaseUnavailable(f"{program.parent} holds no {name}: PG_BINDIR= names a folder that does")
    return program


@contextmanager
def _registered(sessions: Sessions) -> Iterator[None]:
    """Registers, so that `stop` finds this process; without, where DATA_DIR can't be written."""
    try:
        sessions.prepare()
    except DatabaseUnavailable:
        yield
        return
    with sessions.alone():
        registration = sessions.register()
    try:
        yield
    finally:
        if registration.is_ours:
            registration.end()


def _cluster(settings: Settings, options: Mapping[str, str]) -> "Cluster":
    try:
        from movie_database.cluster import Cluster  # noqa: PLC0415 - the images have no embedded server
    except ModuleNotFoundError as error:
        raise DatabaseUnavailable(
            f"There is no embedded server here ({error.name} is missing): set DATABASE_URL or DB_*"
        ) from error
    return Cluster(settings.data_dir / "postgres", settings.pg_bindir, options)


def _leave(
    sessions: Sessions, registration: Registration, cluster: "Cluster", in_hurry: Callable[[], bool]
) -> None:
    """This process does not count any more; if no other does, the server stops."""
    registration.end()
    with sessions.alone_if_soon() as is_alone:
        if is_alone and not sessions.alive():
            cluster.stop(in_hurry)
