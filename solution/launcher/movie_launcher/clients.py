"""PostgreSQL's own client programs: psql, pg_dump, pg_restore."""

import shutil
from pathlib import Path

from movie_database import addresses
from movie_database.errors import DatabaseUnavailable
from movie_database.server import client_program
from movie_database.settings import Settings
from psycopg2.extensions import make_dsn, parse_dsn


def client(settings: Settings, name: str) -> Path:
    """The program's path: in `PG_BINDIR`, else from PyPI, else on PATH.

    Raises:
        DatabaseUnavailable: It is in none of them.
    """
    try:
        return client_program(settings, name)
    except DatabaseUnavailable:
        found = shutil.which(name)
        if found is None or settings.pg_bindir is not None:
            raise
        return Path(found)


def connection_words(address: str) -> tuple[list[str], dict[str, str]]:
    """Arguments and variables that lead a client to the database; the password is in no argument.

    Arguments of a process can be read by everybody on the machine, its variables by its owner.
    """
    parts = parse_dsn(addresses.libpq_address(address))
    password = parts.pop("password", None)
    return [f"--dbname={make_dsn(**parts)}"], {} if password is None else {"PGPASSWORD": password}
