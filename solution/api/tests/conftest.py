"""The program on a database of the test's own, asked without a network between."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg2
import psycopg2.extensions
import pytest
from flask import Flask
from flask.testing import FlaskClient
from movie_api import create_app
from movie_api.accounts import tokens
from movie_api.extensions import db
from movie_database import addresses
from movie_database.addresses import libpq_address
from movie_database.settings import given_settings
from movie_testing import databases
from movie_testing.api_server import RunningApi, running_api
from movie_testing.factories.accounts import Account, AccountFactory
from movie_testing.factories.loads import LoadFactory
from movie_testing.factories.movies import MovieFactory
from movie_testing.factories.people import PersonFactory
from sqlalchemy import event
from werkzeug.test import TestResponse

BASE_URL = "http://127.0.0.1:5000"


class Api(FlaskClient):
    """A caller on this machine."""

    def open(self, *arguments, **named) -> TestResponse:
        named.setdefault("base_url", None if str(arguments[0]).startswith("http") else BASE_URL)
        # A file that is sent is read and closed.
        named.setdefault("buffered", True)
        return super().open(*arguments, **named)


def as_caller(app: Flask, headers: dict[str, str]) -> FlaskClient:
    """A caller who sends this token or key with every request."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = headers["Authorization"]
    return client


class QueryCounter:
    """Counts the statements that the program sends; a plan is made once for many, and not counted."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def listen(self, app: Flask) -> None:
        statements = self.statements

        class CountingCursor(psycopg2.extensions.cursor):
            def execute(self, query, parameters=None):
                text = query.decode() if isinstance(query, bytes) else query
                if not text.startswith(("PREPARE", "DEALLOCATE")):
                    statements.append(text)
                return super().execute(query, parameters)

        def use_counting_cursors(connection, _record):
            connection.cursor_factory = CountingCursor

        with app.app_context():
            event.listen(db.engine, "connect", use_counting_cursors)

    def count(self, ask: Callable[[], object]) -> int:
        """How many statements asking sends."""
        before = len(self.statements)
        ask()
        return len(self.statements) - before


@pytest.fixture(scope="session")
def idle_database_url(server_url, _server, _template) -> Iterator[str]:
    """An empty database that no test writes to."""
    name = f"idle_{secrets.token_hex(4)}"
    databases.create_database(_server, name, _template)
    yield addresses.with_database(server_url, name)
    databases.drop_database(_server, name)


@pytest.fixture(scope="session")
def idle_api(idle_database_url, tmp_path_factory) -> Iterator[FlaskClient]:
    """The program, made once: for tests that write nothing and need no movies."""
    app = create_app(given_settings(database_url=idle_database_url, data_dir=tmp_path_factory.mktemp("idle")))
    app.test_client_class = Api
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def idle_editor_headers(idle_database_url) -> dict[str, str]:
    """The headers of a caller who may write, for tests whose writes are refused."""
    with AccountFactory(idle_database_url) as factory:
        return factory.editor_headers()


@pytest.fixture(scope="session")
def idle_editor(idle_api, idle_editor_headers) -> FlaskClient:
    """That caller, without a network between."""
    return as_caller(idle_api.application, idle_editor_headers)


@pytest.fixture(scope="session")
def idle_server(idle_database_url, tmp_path_factory) -> Iterator[RunningApi]:
    """The server, started once: for tests that write nothing and need no movies."""
    with running_api(idle_database_url, tmp_path_factory.mktemp("server"), web_concurrency=2) as api:
        yield api


@pytest.fixture
def make_app(database_url, make_settings) -> Iterator[Callable[..., Flask]]:
    """Makes the program with settings of the test's choice."""
    apps = []

    def make(**settings) -> Flask:
        app = create_app(make_settings(**({"database_url": database_url} | settings)))
        app.test_client_class = Api
        apps.append(app)
        return app

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app) -> Flask:
    return make_app()


@pytest.fixture
def api(app) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def editor(app, accounts) -> FlaskClient:
    """A caller who may write the catalogue."""
    return as_caller(app, accounts.editor_headers())


@pytest.fixture
def queries(app) -> QueryCounter:
    counter = QueryCounter()
    counter.listen(app)
    return counter


@pytest.fixture
def accounts(database_url) -> Iterator[AccountFactory]:
    with AccountFactory(database_url) as factory:
        yield factory


@pytest.fixture
def session_headers(app, accounts) -> Callable[..., dict[str, str]]:
    """Makes the headers of a request in a session: of this account, or of a new one of this role."""

    def make(account: Account | None = None, *, role: str = "user", minutes_ago: float = 0) -> dict[str, str]:
        account = account or accounts.create(role=role)
        session_id, refresh_id = accounts.session(account, signed_in_minutes_ago=minutes_ago)
        with app.app_context():
            made = tokens.make(account.id, session_id, refresh_id)
        return {"Authorization": f"Bearer {made.access}"}

    return make


@pytest.fixture
def movies(database_url) -> Iterator[MovieFactory]:
    with MovieFactory(database_url) as factory:
        yield factory


@pytest.fixture
def people(database_url) -> Iterator[PersonFactory]:
    with PersonFactory(database_url) as factory:
        yield factory


@pytest.fixture
def loads(database_url) -> Iterator[LoadFactory]:
    with LoadFactory(database_url) as factory:
        yield factory


@pytest.fixture
def database_cursor(database_url):
    """A cursor on the test's database, past the program; each statement is committed."""
    with closing(psycopg2.connect(libpq_address(database_url))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor
