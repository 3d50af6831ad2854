"""pytest's plugin: each test that asks for a database gets a fresh one, on a real PostgreSQL."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from movie_database import addresses
from movie_database.settings import Settings, given_settings
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from movie_testing import databases

_SERVER_FOLDER: Final = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Names the folder of the embedded server, one for all workers of a run."""
    if hasattr(config, "workerinput"):
        config.stash[_SERVER_FOLDER] = Path(config.workerinput["movie_server_folder"])
    else:
        databases.remove_leftovers()
        config.stash[_SERVER_FOLDER] = databases.make_folder_name()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of pytest-xdist which folder that is."""
    node.workerinput["movie_server_folder"] = str(node.config.stash[_SERVER_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes the folder when the workers are done."""
    if not hasattr(config, "workerinput"):
        databases.remove_folder(config.stash[_SERVER_FOLDER])


@pytest.fixture(scope="session")
def server_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """SQLAlchemy's address of a database on a server where tests may create databases."""
    with databases.server_for_tests(pytestconfig.stash[_SERVER_FOLDER]) as address:
        yield address


@pytest.fixture(scope="session")
def _server(server_url: str) -> Iterator[Connection]:
    connection = databases.open_connection(server_url)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def _template(server_url: str, _server: Connection) -> str:
    return databases.ensure_template(_server, server_url)


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest, server_url: str, _server: Connection, _template: str
) -> Iterator[str]:
    """SQLAlchemy's address of a database of this test's own, with the product's schema and no rows."""
    yield from _fresh_database(request, server_url, _server, _template)


@pytest.fixture
def empty_database_url(request: pytest.FixtureRequest, server_url: str, _server: Connection) -> Iterator[str]:
    """SQLAlchemy's address of a database of this test's own, without any schema."""
    yield from _fresh_database(request, server_url, _server, "template1")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A name for a DATA_DIR of this test's own that the embedded server's account can reach.

    pytest's `tmp_path` is for its owner alone, and PostgreSQL never runs as root. What still runs
    there when the test is done is stopped.
    """
    folder = databases.make_folder_name()
    yield folder
    databases.remove_folder(folder)


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Makes settings of the values given and the defaults, whatever the environment holds."""

    def make(**values: Any) -> Settings:
        return given_settings(**({"data_dir": tmp_path / "data"} | values))

    return make


def _fresh_database(
    request: pytest.FixtureRequest, server_url: str, server: Connection, template: str
) -> Iterator[str]:
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = f"test_{worker}_{secrets.token_hex(4)}"
    databases.create_database(server, name, template)
    yield addresses.with_database(server_url, name)
    databases.drop_database(server, name)
