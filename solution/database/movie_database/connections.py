"""Plain connections for the schema's and the server's own work; the programs have pools of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from movie_database import addresses
from movie_database.errors import DatabaseUnavailable

CONNECT_TIMEOUT_SECONDS: Final = 10


def open_connection(address: str) -> Connection:
    """A connection in autocommit mode that no timeout of its role cuts short.

    If this process is killed, the server ends the statement that it was at within a second, and frees
    its locks; by itself, it would not notice before the statement is done.

    Raises:
        DatabaseUnavailable: The server does not answer, or does not let us in.
    """
    try:
        opened = psycopg2.connect(
            addresses.libpq_address(address),
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            client_encoding="utf8",
            application_name="movie_database",
        )
    except psycopg2.Error as error:
        reason = " ".join(str(error).split())
        place = addresses.without_password(address)
        raise DatabaseUnavailable(f"No connection to PostgreSQL at {place}: {reason}") from error
    opened.autocommit = True
    with opened.cursor() as cursor:
        cursor.execute(
            "SET statement_timeout = 0; SET lock_timeout = 0; SET client_connection_check_interval = '1s'"
        )
    return opened


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """A connection of `open_connection`, closed afterwards."""
    opened = open_connection(address)
    try:
        yield opened
    finally:
        opened.close()
