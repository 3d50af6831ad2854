"""`movie-jobs`: what is asked for on the command line, and what is printed."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NoReturn

import click
import psycopg2
from movie_database import exits
from movie_database.errors import DatabaseError
from movie_database.logs import configure_logging
from movie_database.migrate import migrate
from movie_database.server import database
from movie_database.settings import Settings, SettingsError, read_settings

from movie_jobs import alerts, queue
from movie_jobs.tasks import Task, installed_tasks
from movie_jobs.worker import own_tasks, work

_HELP: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_STATES: Final = {
    "doing": "runs at the moment",
    "succeeded": "succeeded: `run` has its task run once more",
}
_TIME: Final = "%Y-%m-%d %H:%M:%S"


class _Failed(Exception):  # noqa: N818 - it is no error of the program
    """What was asked for could not be done; the message says why."""


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Runs the command that the words name, and ends the process with its exit code."""
    sys.exit(_run(lambda: commands.main(words, prog_name="movie-jobs", standalone_mode=False)))


@click.group(context_settings=_HELP)
def commands() -> None:
    """Jobs that run by themselves: the daily reload, and what watches over it.

    They wait in the database, and the worker runs them. A job that failed is tried again if that can
    help; one that failed for good stays in the list, and is alerted to ALERT_URLS.

    Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 130 interrupted.
    """


@commands.command()
def worker() -> int:
    """Run the jobs, until Ctrl-C or SIGTERM. Several workers may run at once."""
    settings = _settings()
    tasks = installed_tasks(settings)
    if settings.server_address is not None:
        # As the API, it does not count as a command on this DATA_DIR: whoever started it ends it.
        migrate(settings.server_address, settings.sql_scripts)
        return work(settings.server_address, settings, tasks)
    with _database(settings) as url:
        return work(url, settings, tasks)


@commands.command("list")
@click.option("--failed", is_flag=True, help="Only those that failed for good, or whose worker died.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_jobs(*, failed: bool, limit: int, as_json: bool) -> None:
    """List the latest jobs, the newest first."""
    with _database(_settings()) as url:
        jobs = queue.jobs(url, only_failed=failed, limit=limit)
    if as_json:
        print(json.dumps(jobs, default=datetime.isoformat))
        return
    if not jobs:
        print("There are no such jobs.")
        return
    _print_table(jobs)


@commands.command()
@click.argument("job", metavar="ID", type=int)
def retry(job: int) -> None:
    """Run a job again that failed, was cancelled, or whose worker died. `list` shows its ID."""
    with _database(_settings()) as url:
        if not queue.retry(url, job):
            status = queue.status(url, job)
            raise _Failed(
                f"There is no job {job}"
                if status is None
                else f"Job {job} {_STATES.get(status, f'is {status}')}"
            )
        print(f"Job {job} waits for the worker{_unless_there_is_one(url)}.")


@commands.command()
@click.argument("task")
def run(task: str) -> None:
    """Have TASK run as soon as a worker can, such as loader:reload."""
    settings = _settings()
    known = _known_tasks(settings)
    whole = [name for name, one in known.items() if not one.takes_arguments]
    if task not in known:
        raise click.UsageError(f"There is no task {task!r}; there are {', '.join(whole)}.")
    if task not in whole:
        raise click.UsageError(
            f"A job of {task} is one piece of work among many, and put there by the program that has it;"
            " `retry ID` has one run again."
        )
    with _database(settings) as url:
        waiting = queue.put(url, task, in_hurry=True)
        already = "" if waiting.is_new else " already"
        print(f"Job {waiting.id} waits{already} for the worker{_unless_there_is_one(url)}.")


@commands.command("alert-test")
def alert_test() -> None:
    """Send a test message to each address of ALERT_URLS, and tell whether it went."""
    settings = _settings()
    if not settings.alert_urls:
        raise _Failed("ALERT_URLS is not set: alerts go to the log alone")
    deliveries = alerts.send_test(settings)
    for delivery in deliveries:
        print(f"{delivery.place}: {'sent' if delivery.reason is None else f'not sent: {delivery.reason}'}")
    if any(delivery.reason is not None for delivery in deliveries):
        raise _Failed("Not every address took the message")


def _known_tasks(settings: Settings) -> dict[str, Task]:
    return {**own_tasks(), **installed_tasks(settings)}


def _unless_there_is_one(url: str) -> str:
    return "" if queue.living_workers(url) else ", but none runs: ./run.sh worker starts one"


def _print_table(jobs: list[dict[str, Any]]) -> None:
    from rich import box  # noqa: PLC0415 - the worker does without, for as long as it runs
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("ID", "Task", "Status", "Runs", "Due (UTC)", "Began (UTC)", "Error", box=box.SIMPLE)
    for job in jobs:
        times = (job[name].strftime(_TIME) if job[name] else "" for name in ("scheduled_at", "started_at"))
        table.add_row(
            str(job["id"]), job["task"], job["status"], str(job["attempts"]), *times, job["error"] or ""
        )
    console = Console()
    # Where nobody looks, lines are as long as they are: a pipe has no width.
    console.print(table) if console.is_terminal else Console(width=200).print(table)


def _settings() -> Settings:
    settings = read_settings()
    configure_logging(settings)
    return settings


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """The database's address, at this version's schema."""
    with database(settings) as url:
        migrate(url, settings.sql_scripts)
        yield url


def _run(command: Callable[[], object]) -> int:
    """The command's exit code; what went wrong is told in plain lines."""
    try:
        result = command()
    except (click.Abort, KeyboardInterrupt):
        faults, code = ["interrupted"], exits.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return exits.WRONG_USAGE
    except SettingsError as error:
        faults, code = error.faults, exits.WRONG_USAGE
    except (DatabaseError, _Failed) as error:
        faults, code = [str(error)], exits.FAILED
    except psycopg2.Error as error:
        faults, code = [f"the database: {' '.join(str(error).split())}"], exits.FAILED
    else:
        return result if isinstance(result, int) else exits.DONE
    for fault in faults:
        print(f"movie-jobs: {fault}", file=sys.stderr)
    return code
