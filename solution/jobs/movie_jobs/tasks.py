"""Tasks: what components declare, how a failed one is tried again, and where the declarations are found."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points
from typing import Any, Final

import procrastinate
from movie_database.setting_types import NEVER
from movie_database.settings import Settings
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy

ENTRY_POINTS: Final = "movie_jobs"
"""The group in which a component names its function from settings to tasks."""
FAILURES: Final = "failures"
"""The argument of a job that counts how often it failed. (Procrastinate's `attempts` counts every run,
also one that a shutdown interrupted, which is nobody's failure.)"""
ERROR: Final = "error"
"""The argument of a job that says why it failed last, for `movie-jobs list`."""

_JITTER: Final = 0.2


class JobError(Exception):
    """A job failed, and says so in a line for people.

    Attributes:
        is_transient: Whether another try can help.
        is_told: Whether no alert is needed: one of the job's own tells of it already, or it is nothing that
            whoever runs this can help.
    """

    def __init__(self, message: str, *, is_transient: bool, is_told: bool = False) -> None:
        super().__init__(message)
        self.is_transient = is_transient
        self.is_told = is_told


class NotNowError(Exception):
    """The job can't run at the moment, which is no failure: it goes back to the queue for a while.

    Attributes:
        seconds: For how long.
    """

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True)
class Backoff(BaseRetryStrategy):
    """Tries a failed job again, after a wait that grows with each failure.

    Attributes:
        retries: How often it is tried again.
        first_seconds: The wait after the first failure.
        factor: By what it grows.
        longest_seconds: What it never exceeds.
    """

    retries: int = 0
    first_seconds: float = 60.0
    factor: float = 2.0
    longest_seconds: float = 1800.0

    def wait_seconds(self, failures: int) -> float:
        """The wait after so many earlier failures: up to a fifth more or less than the rule says.

        Jobs that failed together, as when a server went away, are then not all back together.
        """
        rule = self.first_seconds * self.factor**failures
        jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
        return min(rule * jitter, self.longest_seconds)

    def is_last(self, error: BaseException, failures: int) -> bool:
        """Whether the job is not tried again after this error and so many earlier failures."""
        return failures >= self.retries or (isinstance(error, JobError) and not error.is_transient)

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> procrastinate.RetryDecision | None:
        """When the job is due again; None: it ends as failed."""
        if isinstance(exception, asyncio.CancelledError):
            # The worker ends. The job is due at once, for the next worker.
            return procrastinate.RetryDecision()
        if isinstance(exception, NotNowError):
            return _in(exception.seconds)
        failures = int(job.task_kwargs.get(FAILURES) or 0)  # type: ignore[arg-type]
        if self.is_last(exception, failures):
            return None
        return _in(self.wait_seconds(failures))


def _in(seconds: float) -> procrastinate.RetryDecision:
    return procrastinate.RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=seconds))


@dataclass(frozen=True)
class Run:
    """What a task is given when it runs.

    Attributes:
        url: SQLAlchemy's address of the database.
        settings: Those of the worker.
        failures: How often this job failed before.
        arguments: Of the job, if its task takes any.
    """

    url: str
    settings: Settings
    failures: int = 0
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """Work that a component has done for it.

    Attributes:
        name: Within its component; elsewhere, it is `component:name`.
        run: Does it. A coroutine function runs on the worker's loop, must not block, and is cancelled
            when its time is over or the worker ends; any other runs in a thread, which nobody can end:
            it is left behind then, so it must be harmless to run it once more beside it.
        schedule: Five fields of cron in UTC, or `never`.
        runs_at_start: Whether it also runs each time that a worker starts.
        time_limit: How long it may take.
        backoff: Whether and when it is tried again.
        is_quiet: Whether the log is spared of its successes.
        takes_arguments: Whether a job is one piece of work among many, put there by `jobs_defer` of the
            database. Any number of them wait and run; of another task, one at a time.
    """

    name: str
    run: Callable[[Run], Awaitable[None] | None]
    schedule: str = NEVER
    runs_at_start: bool = False
    time_limit: timedelta = timedelta(minutes=10)
    backoff: Backoff = field(default_factory=Backoff)
    is_quiet: bool = False
    takes_arguments: bool = False


def installed_tasks(settings: Settings) -> dict[str, Task]:
    """Tasks of all components that are installed, by their full names."""
    return dict(sorted(_collect(settings)))


def component_of(name: str) -> str:
    """The component of a full name, which is its queue too."""
    return name.partition(":")[0]


def _collect(settings: Settings) -> Iterator[tuple[str, Task]]:
    for component in entry_points(group=ENTRY_POINTS):
        for task in component.load()(settings):
            yield f"{component.name}:{task.name}", task
