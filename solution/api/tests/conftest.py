"""The program on a database of the test's own, asked without a network between."""

from collections.abc import Callable, Iterator

import psycopg2.extensions
import pytest
from flask import Flask
from flask.testing import FlaskClient
from movie_api import create_app
from movie_api.extensions import db
from movie_testing.factories.movies import MovieFactory
from sqlalchemy import event
from werkzeug.test import TestResponse

BASE_URL = "http://127.0.0.1:5000"


class Api(FlaskClient):
    """A caller on this machine."""

    def open(self, *arguments, **named) -> TestResponse:
        named.setdefault("base_url", None if str(arguments[0]).startswith("http") else BASE_URL)
        return super().open(*arguments, **named)


class QueryCounter:
    """Counts the statements that the program sends."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def listen(self, app: Flask) -> None:
        statements = self.statements

        class CountingCursor(psycopg2.extensions.cursor):
            def execute(self, query, parameters=None):
                statements.append(query)
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
def queries(app) -> QueryCounter:
    counter = QueryCounter()
    counter.listen(app)
    return counter


@pytest.fixture
def movies(database_url) -> Iterator[MovieFactory]:
    with MovieFactory(database_url) as factory:
        yield factory
