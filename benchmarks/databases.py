"""Databases that benchmarks fill and throw away, on the server that the settings name."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import psycopg2
from movie_database.addresses import libpq_address
from movie_database.migrate import migrate
from movie_database.server import database
from movie_database.settings import read_settings
from sqlalchemy import make_url

DATA_DIR: Final = Path(".data/bench/server")


@contextmanager
def server(data_dir: Path = DATA_DIR) -> Iterator[str]:
    """The address of a server for as long as the block runs: the one that is set, or an embedded one.

    An embedded one has a folder of its own, so that nothing of the product's is touched or timed.
    """
    settings = read_settings(data_dir=str(data_dir.absolute()))
    with database(settings) as url:
        yield url


@contextmanager
def fresh_database(server_url: str, name: str, *, keep: bool = False) -> Iterator[str]:
    """The address of an empty database; dropped afterwards unless it is to be kept."""
    _administer(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    yield database_address(server_url, name)
    if not keep:
        _administer(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def copied_database(server_url: str, source_url: str, name: str) -> Iterator[str]:
    """The address of a copy of a database that nobody is connected to; dropped afterwards."""
    source = make_url(source_url).database
    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    _administer(server_url, drop, f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    yield database_address(server_url, name)
    _administer(server_url, drop)


def database_address(server_url: str, name: str) -> str:
    """The address of another database of the same server."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def database_exists(server_url: str, name: str) -> bool:
    """Whether the server has a database of this name."""
    with closing(psycopg2.connect(libpq_address(server_url))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", (name,))
        return cursor.rowcount > 0


def catalogue(server_url: str, dumps: Path) -> str:
    """The address of a database that holds these dumps, loaded now unless it was before."""
    name = "bench_catalogue"
    url = database_address(server_url, name)
    if database_exists(server_url, name) and _holds(url, dumps):
        return url
    with fresh_database(server_url, name, keep=True):
        program = Path(sys.executable).with_name("movie-loader")
        environment = {**os.environ, "DATABASE_URL": url}
        subprocess.run([program, "load", "--source", str(dumps.absolute())], env=environment, check=True)
    return url


def _holds(url: str, dumps: Path) -> bool:
    """Whether the last load was of these dumps, as large as they are now, into the schema of now."""
    sizes = {path.stat().st_size for path in dumps.glob("*.tsv.gz")}
    migrate(url)
    with closing(psycopg2.connect(libpq_address(url))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT source, files FROM dataset_loads ORDER BY id DESC LIMIT 1")
        row = cursor.fetchone()
    # There may be dumps of the cast and of other titles, which a load reads only if it is told to.
    return row is not None and row[0] == str(dumps.absolute()) and sizes >= {one["bytes"] for one in row[1]}


def server_version(server_url: str) -> str:
    """PostgreSQL's version, as it tells it."""
    with closing(psycopg2.connect(libpq_address(server_url))) as connection:
        number: str = connection.info.parameter_status("server_version") or ""
        return number


def _administer(server_url: str, *statements: str) -> None:
    with closing(psycopg2.connect(libpq_address(server_url))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            # What one contender wrote must not be synced in another's time.
            cursor.execute("CHECKPOINT")
