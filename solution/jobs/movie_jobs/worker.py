"""The worker: runs the jobs of all queues, puts periodic ones there, and takes up those of dead workers.

It asks for jobs rather than listening for them: a listener that can't reconnect at once would end the
worker, and nothing here is in such a hurry. A database that is away for less than a minute is waited
for; after that the worker ends with exit code 1, and whoever runs it starts it again.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import procrastinate
import psycopg2
import structlog
from movie_database import exits
from movie_database.errors import DatabaseError
from movie_database.setting_types import NEVER
from movie_database.settings import Settings
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker
from psycopg_pool import PoolTimeout

from movie_jobs import queue, schedules
from movie_jobs.alerts import raise_alert
from movie_jobs.connector import PatientConnector
from movie_jobs.shell import in_thread, shell
from movie_jobs.tasks import Run, Task, component_of

_CLOSE_SECONDS: Final = 0.5
_CONCURRENCY: Final = 4
_LEAST_TAKE_UPS: Final = 3
"""How often a job loses its worker before it counts as the cause."""
_MISSED_SECONDS: Final = 60.0
"""How late a tick is still served, as when the worker was restarted just then."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often things are looked at, and how long they are waited for; all in seconds.

    Attributes:
        poll_seconds: Between two looks for jobs that wait.
        heartbeat_seconds: Between two signs of life.
        stalled_seconds: After so long without a sign, a worker is dead.
        grace_seconds: How long jobs may run on when the worker is asked to end. Then they are
            cancelled, and a program of theirs has `programs.PATIENCE_SECONDS`.
        end_seconds: After so long, the worker ends whatever is left to do: the launcher kills it after 6.
        patience_seconds: How long a database that is away is waited for.
    """

    poll_seconds: float = 2.0
    heartbeat_seconds: float = queue.STALLED_SECONDS / 3
    stalled_seconds: float = queue.STALLED_SECONDS
    grace_seconds: float = 1.5
    end_seconds: float = 5.0
    patience_seconds: float = 60.0


def own_tasks() -> dict[str, Task]:
    """The tasks of the queue itself."""

    def prune(run: Run) -> None:
        queue.prune(run.url)

    return {"jobs:prune": Task("prune", prune, schedule="17 4 * * *", runs_at_start=True, is_quiet=True)}


def make_app(
    connector: PatientConnector, url: str, settings: Settings, tasks: Mapping[str, Task]
) -> procrastinate.App:
    """Procrastinate's app with these tasks, not opened yet.

    Args:
        connector: Leads to the queue.
        url: SQLAlchemy's address of the database.
        settings: Handed on to the tasks.
        tasks: By their full names.
    """
    app = procrastinate.App(connector=connector, periodic_defaults={"max_delay": _MISSED_SECONDS})
    for name, task in tasks.items():
        registered = app.task(
            name=name,
            queue=component_of(name),
            # Never two at once, and never two that wait for their first run.
            lock=None if task.takes_arguments else name,
            queueing_lock=None if task.takes_arguments else name,
            retry=task.backoff,
            pass_context=True,
        )(shell(name, task, url, settings))
        if schedules.next_tick(task.schedule) is not None:
            app.periodic(cron=task.schedule)(registered)
        elif task.schedule != NEVER:
            _log.warning("A schedule has no date at all", task=name, schedule=task.schedule)
    return app


def work(url: str, settings: Settings, tasks: Mapping[str, Task], pace: Pace | None = None) -> int:
    """Runs jobs until SIGTERM or SIGINT.

    Args:
        url: SQLAlchemy's address of the database.
        settings: Handed on to the tasks.
        tasks: By their full names; the queue's own are added.
        pace: How often things are looked at.

    Returns:
        The exit code: 0 after SIGTERM, 130 after SIGINT, 1 if the worker could not go on.
    """
    _quieten(settings)
    return asyncio.run(_Running(url, settings, {**own_tasks(), **tasks}, pace or Pace()).until_signal())


@dataclass(frozen=True)
class _Running:
    """A worker that runs, with what it was given."""

    url: str
    settings: Settings
    tasks: Mapping[str, Task]
    pace: Pace

    async def until_signal(self) -> int:
        """Runs; the exit code."""
        signals: list[int] = []
        stop = asyncio.Event()

        def hear(number: int) -> None:
            signals.append(number)
            stop.set()

        # For good, and not Procrastinate's own, which a second signal would get past: `stop` of the
        # launcher and a service manager may well both send one.
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_tell_of_database)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, hear, number)
        connector = PatientConnector(self.url, _CONCURRENCY + 1, self.pace.patience_seconds)
        app = make_app(connector, self.url, self.settings, self.tasks)
        try:
            await app.open_async()
            try:
                await in_thread(_put_those_of_the_start, self.url, self.tasks)
                await self._until(stop, app, connector)
            finally:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(app.close_async(), _CLOSE_SECONDS)
        except (ConnectorException, DatabaseError, PoolTimeout, psycopg2.Error) as error:
            _log.error("The worker can't go on", error=_line(error))
        if not signals:
            return exits.FAILED
        return exits.INTERRUPTED if signals[0] == signal.SIGINT else exits.DONE

    async def _until(self, stop: asyncio.Event, app: procrastinate.App, connector: PatientConnector) -> None:
        """Runs jobs until it is asked to stop, or can't go on."""
        pace = self.pace
        worker = Worker(
            app,
            concurrency=_CONCURRENCY,
            fetch_job_polling_interval=pace.poll_seconds,
            abort_job_polling_interval=pace.poll_seconds,
            shutdown_graceful_timeout=pace.grace_seconds,
            listen_notify=False,
            install_signal_handlers=False,
            update_heartbeat_interval=pace.heartbeat_seconds,
            stalled_worker_timeout=pace.stalled_seconds,
        )
        running = asyncio.ensure_future(worker.run())  # type: ignore[no-untyped-call]
        stopping = asyncio.ensure_future(stop.wait())
        taking_up = asyncio.ensure_future(self._take_up_stalled(worker))
        try:
            _log.info("The worker runs", **_due(self.tasks))
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                _log.info("The worker ends")
                connector.patience_seconds = 0
                worker.stop()  # type: ignore[no-untyped-call]
                await asyncio.wait({running}, timeout=pace.end_seconds)
            if running.done():
                running.result()
            else:
                # Its jobs are a dead worker's then, and are taken up again by the next.
                _log.warning("The worker ends without having put everything back")
        finally:
            stopping.cancel()
            taking_up.cancel()

    async def _take_up_stalled(self, worker: Worker) -> None:
        """Again and again: jobs whose worker died wait for another one."""
        retries = {name: max(task.backoff.retries, _LEAST_TAKE_UPS) for name, task in self.tasks.items()}
        seconds = self.pace.stalled_seconds
        while True:
            own_jobs = [context.job.id for context in worker._running_jobs.values()]  # noqa: SLF001
            try:
                taken_up = await in_thread(
                    queue.take_up_stalled, self.url, retries, worker.worker_id, own_jobs, seconds
                )
            except (DatabaseError, psycopg2.Error) as error:
                _log.warning("Jobs of dead workers can't be looked for", error=" ".join(str(error).split()))
                taken_up = []
            for job in taken_up:
                _log.warning("The worker of a job died", task=job["task"], job=job["id"], now=job["status"])
                if job["status"] == "failed":
                    message = f"{job['task']} failed: {job['error']}, again and again"
                    await in_thread(raise_alert, self.url, self.settings, f"job:{job['task']}", message)
            await asyncio.sleep(seconds / 2)


def _put_those_of_the_start(url: str, tasks: Mapping[str, Task]) -> None:
    for name, task in tasks.items():
        if task.runs_at_start:
            queue.put(url, name)


def _due(tasks: Mapping[str, Task]) -> dict[str, Any]:
    """For the log: when the tasks are due that are not quiet."""
    return {
        name: schedules.describe(task.schedule)
        for name, task in tasks.items()
        if not task.is_quiet and task.schedule != NEVER
    }


def _tell_of_database(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A job's end that can't be noted is a line in the log: the database is away, or another took it up."""
    error = context.get("exception")
    if isinstance(error, ConnectorException | PoolTimeout):
        _log.warning("The end of a job can't be noted", error=_line(error))
    else:
        loop.default_exception_handler(context)


def _line(error: BaseException) -> str:
    return " ".join(f"{error} {error.__cause__ or ''}".split())


def _quieten(settings: Settings) -> None:
    """Procrastinate's INFO is our DEBUG; what became of a job is told by `shell`."""
    level = "DEBUG" if settings.log_level == "DEBUG" else "WARNING"
    logging.getLogger("procrastinate").setLevel(level)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_in_a_line)


def _in_a_line(record: logging.LogRecord) -> bool:
    """Leaves out what `shell` tells of jobs, and the traces of what the end of the worker tells in a line."""
    if not record.name.startswith("procrastinate"):
        return True
    record.exc_info = record.exc_text = None
    return not str(getattr(record, "action", "")).startswith(("job_error", "job_aborted"))
