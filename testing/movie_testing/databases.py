"""Databases of the tests: a server, a migrated template on it, and a clone for each test."""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from movie_database import addresses
from movie_database.connections import connected, open_connection
from movie_database.errors import DatabaseError
from movie_database.migrate import migrate
from movie_database.scripts import read_scripts, schema_checksum
from movie_database.server import database, stop
from movie_database.sessions import Sessions
from movie_database.settings import checkout_root, given_settings, read_settings
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class
from pytest_docker.plugin import get_cleanup_command, get_docker_ip, get_docker_services, get_setup_command

EMBEDDED_OPTIONS: Final = {
    # A test's data need not outlive a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Several servers run beside each other, and none holds much.
    "shared_buffers": "64MB",
}
COMPOSE_FILE: Final = Path(__file__).parents[1] / "docker-compose.yml"
_DOCKER_PATIENCE_SECONDS: Final = 10
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - names in it are random
_LEAST_MEMORY_BYTES: Final = 2 << 30
_FOLDER_PREFIX: Final = "movie-tests-"
_LEFTOVER_AGE_SECONDS: Final = 900
_TEMPLATE_LOCK: Final = 0x74657374  # "test"


def make_folder_name() -> Path:
    """A new name for the folder of an embedded server, where every account can reach it.

    In memory where there is enough of it: a test's database is 270 small files, and copying them took 170 ms
    on a slow disk, 27 ms in memory.
    """
    return _places()[0] / f"{_FOLDER_PREFIX}{secrets.token_hex(6)}"


def _places() -> list[Path]:
    """Where servers of tests are kept, the best place first."""
    places = [Path(tempfile.gettempdir())]
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _LEAST_MEMORY_BYTES:
        places.insert(0, _MEMORY)
    return places


def remove_folder(folder: Path) -> None:
    """The folder is gone, and with it a server that a killed test run left there."""
    if folder.is_dir():
        stop(given_settings(data_dir=folder))
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers() -> None:
    """Folders and servers of earlier test runs that were killed are gone."""
    for folder in (one for place in _places() for one in place.glob(f"{_FOLDER_PREFIX}*")):
        with contextlib.suppress(OSError):
            if _is_ours_and_old(folder) and not Sessions(folder).are_alive():
                remove_folder(folder)


@contextlib.contextmanager
def server_for_tests(folder: Path) -> Iterator[str]:
    """A server for tests: the one of `TEST_DATABASE_URL` or `DATABASE_URL`, Docker's, or an embedded one.

    Args:
        folder: Where the embedded one is kept; processes that name one folder share one server.

    Yields:
        SQLAlchemy's address of a database whose user may create others.
    """
    settings = read_settings()
    given = settings.test_database_url
    if given is not None:
        yield given.get_secret_value()
    elif settings.server_address is not None:
        yield settings.server_address
    elif _docker_answers():
        with _docker_server() as address:
            yield address
    else:
        embedded = given_settings(data_dir=folder, pg_bindir=settings.pg_bindir)
        with database(embedded, EMBEDDED_OPTIONS) as address:
            yield address


def ensure_template(server: Connection, server_url: str) -> str:
    """A database with the schema of the checkout's scripts, ready to be cloned, is there.

    Returns:
        Its name, which holds the schema's checksum: another schema is another template.
    """
    folder = checkout_root() / "sql-scripts"
    name = f"test_template_{schema_checksum(read_scripts(folder))[:16]}"
    draft = f"{name}_draft"
    with server.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (_TEMPLATE_LOCK,))
        try:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", (name,))
            if cursor.fetchone() is None:
                # Renamed when done: a template that a killed run left half made has another name.
                drop_database(server, draft)
                create_database(server, draft)
                migrate(addresses.with_database(server_url, draft), folder)
                cursor.execute(_statement("ALTER DATABASE {} RENAME TO {}", draft, name))
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", (_TEMPLATE_LOCK,))
    return name


def create_database(server: Connection, name: str, template: str = "template1") -> None:
    """A database of this name is there, a copy of the template."""
    with server.cursor() as cursor:
        cursor.execute(_statement("CREATE DATABASE {} TEMPLATE {}", name, template))


def drop_database(server: Connection, name: str) -> None:
    """No database of this name is there, whoever is connected to it."""
    with server.cursor() as cursor:
        cursor.execute(_statement("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))


def _statement(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))


def _is_ours_and_old(folder: Path) -> bool:
    status = folder.stat()
    return status.st_uid == os.geteuid() and time.time() - status.st_mtime > _LEFTOVER_AGE_SECONDS


def _docker_answers() -> bool:
    """Whether a Docker engine with Compose can be had."""
    try:
        for command in (["docker", "compose", "version"], ["docker", "info"]):
            subprocess.run(command, check=True, capture_output=True, timeout=_DOCKER_PATIENCE_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


@contextlib.contextmanager
def _docker_server() -> Iterator[str]:
    """PostgreSQL in a container of this process's own, by pytest-docker."""
    with get_docker_services(
        "docker compose",
        str(COMPOSE_FILE),
        f"movie-tests-{os.getpid()}",
        get_setup_command(),
        get_cleanup_command(),
    ) as services:
        address = addresses.make_address(
            host=get_docker_ip(),
            port=services.port_for("database", 5432),
            user="postgres",
            password="test",  # noqa: S106 - a container's that lives as long as the tests
            database="postgres",
        )
        services.wait_until_responsive(lambda: _answers(address), timeout=60, pause=0.2)
        yield address


def _answers(address: str) -> bool:
    try:
        with connected(address):
            return True
    except DatabaseError:
        return False


__all__ = [
    "COMPOSE_FILE",
    "EMBEDDED_OPTIONS",
    "create_database",
    "drop_database",
    "ensure_template",
    "make_folder_name",
    "open_connection",
    "remove_folder",
    "remove_leftovers",
    "server_for_tests",
]
