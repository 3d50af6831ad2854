"""The program in the worker: queries are the same there as in a request."""

import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

import psycopg2
from flask import Flask
from movie_database.settings import Settings
from movie_jobs.tasks import JobError, NotNowError, Run
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from movie_api.http.problems import DATABASE_AWAY, DATABASE_BUSY, Problem

_AWAY_SECONDS: Final = 10.0

_lock = threading.Lock()


@contextmanager
def app_context(run: Run) -> Iterator[None]:
    """Queries reach the run's database.

    Raises:
        NotNowError: The database is away, or too busy.
        JobError: It refused. What it says of that holds the values of rows, and a job's error is kept, logged
            and sent to people: they are told no more than where to look.
    """
    with _lock:  # the first two jobs may be begun together
        app = _app(run.url, run.settings)
    try:
        with app.app_context():
            yield
    except Problem as problem:
        if problem.kind not in (DATABASE_AWAY, DATABASE_BUSY):
            raise
        raise NotNowError(problem.detail, seconds=_AWAY_SECONDS) from None
    except (psycopg2.Error, SQLAlchemyError) as error:
        # Source: PostgreSQL's manual, Appendix A, "PostgreSQL Error Codes".
        state = getattr(error, "pgcode", None) or type(error).__name__
        constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
        frames = traceback.extract_tb(error.__traceback__)
        place = next((frame.name for frame in reversed(frames) if "/queries/" in frame.filename), "us")
        message = f"the database refused {place}: {state}{f' of {constraint}' if constraint else ''}"
        raise JobError(message, is_transient=True) from None


@lru_cache(maxsize=1)
def _app(url: str, settings: Settings) -> Flask:
    from movie_api import create_app  # noqa: PLC0415 - it imports the features, and these the jobs

    # The worker may have started the embedded server, whose address no setting has.
    return create_app(settings.model_copy(update={"database_url": SecretStr(url)}))
