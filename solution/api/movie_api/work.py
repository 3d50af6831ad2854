"""The program in the worker: queries are the same there as in a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from flask import Flask
from movie_database.settings import Settings
from movie_jobs.tasks import Run
from pydantic import SecretStr


@contextmanager
def app_context(run: Run) -> Iterator[None]:
    """Queries reach the run's database."""
    with _app(run.url, run.settings).app_context():
        yield


@lru_cache(maxsize=1)
def _app(url: str, settings: Settings) -> Flask:
    from movie_api import create_app  # noqa: PLC0415 - it imports the features, and these the jobs

    # The worker may have started the embedded server, whose address no setting has.
    return create_app(settings.model_copy(update={"database_url": SecretStr(url)}))
