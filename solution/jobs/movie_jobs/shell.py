"""What is around each run of a task: its time limit, a line in the log, its failures, its alert."""

import asyncio
import contextlib
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import psycopg2
import structlog
from movie_database.errors import DatabaseError, DatabaseUnavailable
from movie_database.settings import Settings
from procrastinate import JobContext

from movie_jobs import queue
from movie_jobs.alerts import clear_alerts, raise_alert
from movie_jobs.connector import AWAY_CODES
from movie_jobs.tasks import ERROR, FAILURES, JobError, NotNowError, Run, Task

Result = TypeVar("Result")

_ERROR_CHARACTERS: Final = 500
_AWAY_SECONDS: Final = 10.0

_log = structlog.get_logger(__name__)


def shell(name: str, task: Task, url: str, settings: Settings) -> Callable[..., Awaitable[None]]:
    """The coroutine function that Procrastinate runs for this task.

    Args:
        name: The task's full name.
        task: What is run.
        url: SQLAlchemy's address of the database.
        settings: Those of the worker.
    """

    async def run(context: JobContext, **arguments: Any) -> None:
        number, failures = context.job.id or 0, int(arguments.pop(FAILURES, None) or 0)
        arguments.pop(ERROR, None)
        this = Run(url, settings, failures, arguments)
        log = _log.bind(task=name, job=number)
        began_at = time.monotonic()
        try:
            await in_thread(queue.note_begin, url, number)
            if not task.is_quiet:
                log.info("Began")
            await _limited(task, this)
        except asyncio.CancelledError:
            log.warning("Interrupted: it goes back to the queue")
            raise
        except Exception as error:
            if (not_now := _not_now(error)) is not None:
                log.info("Not now: back to the queue", reason=str(not_now), seconds=not_now.seconds)
                raise not_now from None
            await _fail(name, task, this, number, error)
            raise
        if not task.is_quiet:
            log.info("Done", seconds=round(time.monotonic() - began_at, 1))
        await in_thread(clear_alerts, url, settings, f"job:{name}", f"{name} is done.")

    return run


async def in_thread(function: Callable[..., Result], *arguments: Any) -> Result:
    """What the function returns, run in a thread that nothing waits for when the worker ends."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, caught = None, None
        try:
            result = function(*arguments)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            caught = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, caught)

    threading.Thread(target=work, name=getattr(function, "__name__", "job"), daemon=True).start()
    return await future


def _not_now(error: Exception) -> NotNowError | None:
    """Whether this is no failure of the job: it says so, or the database went away under it."""
    if isinstance(error, NotNowError):
        return error
    is_lost = isinstance(error, psycopg2.Error) and (
        # No code: the connection broke, or could not be made.
        isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
        and (error.pgcode is None or error.pgcode.startswith(AWAY_CODES))
    )
    if is_lost or isinstance(error, DatabaseUnavailable):
        return NotNowError(" ".join(str(error).split()), seconds=_AWAY_SECONDS)
    return None


async def _fail(name: str, task: Task, run: Run, number: int, error: Exception) -> None:
    """The failure is told: to the log, to the job's row, and to people if it is the last one."""
    is_last = task.backoff.is_last(error, run.failures)
    is_expected = isinstance(error, JobError)
    told = (" ".join(str(error).split()) if is_expected else repr(error))[:_ERROR_CHARACTERS]
    _log.error(
        "Failed for good" if is_last else "Failed: it will be tried again",
        task=name,
        job=number,
        error=told,
        failures=run.failures + 1,
        exc_info=None if is_expected else error,
    )
    # Without the database, the job is a dead worker's before long, and is taken up again.
    with contextlib.suppress(DatabaseError, psycopg2.Error):
        await in_thread(queue.note_failure, run.url, number, run.failures + 1, told)
    if is_last and not (isinstance(error, JobError) and error.is_told):
        await in_thread(raise_alert, run.url, run.settings, f"job:{name}", f"{name} failed: {told}")


async def _limited(task: Task, run: Run) -> None:
    """The task, for no longer than it may take.

    Raises:
        JobError: It took longer.
    """
    try:
        async with asyncio.timeout(task.time_limit.total_seconds()) as limit:
            if inspect.iscoroutinefunction(task.run):
                await task.run(run)
            else:
                await in_thread(task.run, run)
    except TimeoutError:
        if not limit.expired():
            raise
        message = f"it took longer than {task.time_limit.total_seconds():g} s"
        raise JobError(message, is_transient=True) from None
