"""Jobs of the loader: the daily reload, and the watch over it. Thin: each has a command that does the same.

Nothing here may import pandas: the worker lives for months, and holds what it has imported.
"""

import json
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from movie_database import exits
from movie_database.connections import connected
from movie_database.settings import Settings
from movie_jobs import queue, schedules
from movie_jobs.alerts import clear_alerts, is_alerted, raise_alert
from movie_jobs.programs import Ended, run_program
from movie_jobs.shell import in_thread
from movie_jobs.tasks import Backoff, JobError, NotNowError, Run, Task
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from movie_loader.records import fail_dead_loads, freshness

RELOAD: Final = "loader:reload"
LOAD_COMMAND: Final = (str(Path(sys.executable).with_name("movie-loader")), "load", "--json")
PATIENCE_SECONDS: Final = 8.0
"""How long a load that is out of time may take to end by itself."""
BUSY_SECONDS: Final = 300.0
INTERRUPTED_SECONDS: Final = 60.0
# By their signals, if it had not come so far as to hear them.
_INTERRUPTED: Final = {exits.INTERRUPTED, -signal.SIGINT, -signal.SIGTERM}
# The server looks once a second whether its client is still there.
_FREE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.2
# A tick that is no older may still be on its way through the queue.
_TICK_AGE: Final = timedelta(minutes=2)
_UNITS: Final = {"d": 86_400, "h": 3600, "min": 60}


def tasks(settings: Settings) -> list[Task]:
    """What the worker does for the loader."""
    return [
        Task(
            "reload",
            reload,
            schedule=settings.reload_cron,
            # Its own limit comes first, and says so in its own words.
            time_limit=settings.reload_time_limit + timedelta(minutes=1),
            backoff=Backoff(retries=4, first_seconds=60, factor=3, longest_seconds=1800),
        ),
        Task("watch", watch, schedule="*/5 * * * *", runs_at_start=True, is_quiet=True),
    ]


async def reload(
    run: Run, command: Sequence[str | Path] = LOAD_COMMAND, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """The dumps are loaded, by a process of its own: its memory goes back to the system with it.

    Args:
        run: Where and how.
        command: The program, which ends and prints as `movie-loader load --json` does.
        patience_seconds: How long it may take to end when its time is over.

    Raises:
        JobError: The load failed or was refused.
        NotNowError: Another load runs, or this one was interrupted.
    """
    limit_seconds = run.settings.reload_time_limit.total_seconds()
    ended = await run_program(
        command,
        # Where our own settings don't say which database, it is the embedded one.
        environment={} if run.settings.server_address else {"DATABASE_URL": run.url},
        time_limit_seconds=limit_seconds,
        patience_seconds=patience_seconds,
    )
    if ended.is_out_of_time and ended.code != exits.DONE:
        await _died(run, "time_limit", f"it took longer than {_words(limit_seconds)} (RELOAD_TIME_LIMIT)")
    if ended.code in _INTERRUPTED:
        raise NotNowError("the load was interrupted", seconds=INTERRUPTED_SECONDS)
    if ended.code < 0:
        await _died(run, "killed", f"signal {-ended.code} killed it, as the system does when memory runs out")
    if ended.code == exits.BUSY:
        raise NotNowError("another load is running", seconds=BUSY_SECONDS)
    if ended.code != exits.DONE:
        raise await _failure(run, ended)


def watch(run: Run) -> None:
    """People know if the data is old or a load died, and a reload that was missed is made up for."""
    url, settings = run.url, run.settings
    with connected(url) as connection:
        dead = fail_dead_loads(connection)
        known = freshness(connection)
    if dead:
        raise_alert(url, settings, "load:died", f"{'; '.join(dead)}. The data is what it was.")
    if known is None or known.is_sample:
        return
    if known.age > settings.stale_after:
        limit = _words(settings.stale_after.total_seconds())
        raise_alert(
            url,
            settings,
            "stale",
            f"The data is of {known.fresh_at:%Y-%m-%d %H:%M} UTC, older than {limit} (STALE_AFTER):"
            " movie-loader history tells what became of the loads since.",
        )
    else:
        clear_alerts(url, settings, "stale", "The data is fresh again.")
    tick = schedules.latest_tick(settings.reload_cron, datetime.now(UTC) - _TICK_AGE)
    if tick is not None and known.fresh_at < tick and not queue.had_job_since(url, RELOAD, tick):
        # Nobody was there when it was due: the machine was off, or the worker was.
        queue.put(url, RELOAD)


async def _died(run: Run, code: str, reason: str) -> None:
    """Tells of a load that could not do so itself.

    Raises:
        JobError: Always.
    """
    await in_thread(_tell_of_death, run, code, reason)
    raise JobError(reason, is_transient=True, is_told=True)


def _tell_of_death(run: Run, code: str, reason: str) -> None:
    give_up_at = time.monotonic() + _FREE_SECONDS
    with connected(run.url) as connection:
        # Or the watch would tell of it once more. The dead load's lock may be held for a moment yet.
        while not fail_dead_loads(connection) and _is_one_running(connection):
            if time.monotonic() > give_up_at:
                break
            time.sleep(_PAUSE_SECONDS)
    message = f"The load of {run.settings.dataset_source} failed: {reason}. The data is what it was."
    raise_alert(run.url, run.settings, f"load:{code}", message)


def _is_one_running(connection: Connection) -> bool:
    """Whether a load has a row that says that it runs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM dataset_loads WHERE state = 'running')")
        return cursor.fetchone() == (True,)


async def _failure(run: Run, ended: Ended) -> JobError:
    """The error that the load told in its last line, or that it told none."""
    told: dict[str, Any] = {}
    try:
        told = dict(json.loads(ended.last_line)["error"])
    except (ValueError, KeyError, TypeError):
        told = {"message": f"exit code {ended.code} without a word; the log has its last ones"}
    return JobError(
        str(told.get("message")),
        is_transient=ended.code == exits.FAILED and told.get("is_transient") is True,
        # A load that could not reach its settings or the database told nobody.
        is_told=await in_thread(is_alerted, run.url, f"load:{told.get('code')}"),
    )


def _words(seconds: float) -> str:
    """A length of time in its largest unit that fits."""
    for unit, length in _UNITS.items():
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"
