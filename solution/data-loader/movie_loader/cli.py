"""`movie-loader`: what is asked for on the command line, and what is printed."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO, TypeVar, cast

import click
import psycopg2
import structlog
from movie_database import exits
from movie_database.connections import connected
from movie_database.errors import DatabaseError
from movie_database.logs import configure_logging
from movie_database.migrate import migrate
from movie_database.server import database
from movie_database.settings import Settings, SettingsError, read_settings
from movie_jobs import alerts
from rich.console import Console
from rich.file_proxy import FileProxy

from movie_loader import history as histories
from movie_loader import load as loading
from movie_loader import records
from movie_loader.errors import InterruptedLoadError, LoadError, RefusedLoadError, RunningLoadError
from movie_loader.patience import Patience
from movie_loader.pipes import Stopper
from movie_loader.progress import meter
from movie_loader.quality import Limits

Result = TypeVar("Result")

SAMPLE_FOLDER: Final = Path(__file__).parent / "sample"
SECONDS_TO_STOP: Final = 8.0
NICENESS: Final = 10
"""Whoever answers requests on this machine comes first while dumps are unpacked and parsed."""


def main() -> NoReturn:
    """Run the command that is asked for, and end with its exit code."""
    # What stops services is to be heard like Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        # Alone, click would end with 1 after Ctrl-C.
        sys.exit(commands.main(prog_name="movie-loader", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        _interrupted("nothing was done yet")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Brings IMDb's daily dumps into PostgreSQL."""


@commands.command()
@click.option("--source", help="Address or folder of the dumps, in place of DATASET_SOURCE.")
@click.option("--sample", is_flag=True, help="Load the bundled sample.")
@click.option("--title-types", help="IMDb's titleTypes to keep, in place of TITLE_TYPES.")
@click.option("--force", is_flag=True, help="Load dumps again that are those of the last load.")
@click.option(
    "--accept-shrink",
    is_flag=True,
    help="Once, take fewer movies, genres and ratings, or another mean rating, than is believed by itself.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, all else to stderr.")
def load(
    *,
    source: str | None,
    sample: bool,
    title_types: str | None,
    force: bool,
    accept_shrink: bool,
    as_json: bool,
) -> None:
    """Load the dumps: everything, or nothing if anything is wrong.

    Exit codes: 0 done, or nothing to do; 1 failed; 2 wrong usage or setting; 3 another load is running;
    4 refused, for the dumps look wrong; 130 interrupted. But for 0, the data is what it was.
    """
    if source and sample:
        raise click.UsageError("--source and --sample exclude each other.")
    os.nice(NICENESS)
    settings = _settings(dataset_source=source, title_types=title_types)
    console = Console(stderr=True)
    # While bars are drawn, lines of the log must go above them.
    stream = cast("TextIO", FileProxy(console, sys.stderr)) if console.is_terminal else sys.stderr
    configure_logging(settings, stream=stream)
    order = loading.Order(
        source=str(SAMPLE_FOLDER) if sample else settings.dataset_source,
        is_sample=sample,
        title_types=settings.title_types,
        downloads=settings.data_dir / "downloads",
        patience=Patience(settings.download_timeout_seconds, settings.download_retries),
        limits=Limits.of(settings),
        is_forced=force,
        accepts_shrink=accept_shrink,
        # They are few in the sample, and show what there can be.
        with_cast=sample or settings.with_cast,
        with_akas=sample or settings.with_akas,
    )

    def work(url: str, stopper: Stopper) -> tuple[str, dict[str, Any]]:
        with _alerting(url, settings, order), meter(console) as shown:
            report = loading.load(url, order, shown, stopper)
        return report.summary(), report.as_dict()

    summary, report = _with_database(settings, work, as_json=as_json)
    if as_json:
        print(json.dumps(report))
    print(summary, file=sys.stderr if as_json else sys.stdout, flush=True)


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON; null if there was no load.")
def status(*, as_json: bool) -> None:
    """Tell what was loaded last."""
    settings = _settings()
    configure_logging(settings)

    def work(url: str, _stopper: Stopper) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        return _ask(url, records.last_record), _ask(url, lambda connection: records.history(connection, 1))

    record, newest = _with_database(settings, work, as_json=as_json)
    if as_json:
        print(json.dumps(record, default=str))
    else:
        for line in histories.describe(record, newest):
            print(line)


@commands.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many loads.")
@click.option("--json", "as_json", is_flag=True, help="Print them as a JSON array.")
def history(*, limit: int, as_json: bool) -> None:
    """Tell what became of the last loads, the newest first."""
    settings = _settings()
    configure_logging(settings)

    def work(url: str, _stopper: Stopper) -> list[dict[str, Any]]:
        return _ask(url, lambda connection: records.history(connection, limit))

    loads = _with_database(settings, work, as_json=as_json)
    if as_json:
        print(json.dumps(loads, default=str))
    elif not loads:
        print(histories.NOTHING_YET)
    else:
        histories.print_table(loads)


def _ask(url: str, question: Callable[[psycopg2.extensions.connection], Result]) -> Result:
    with connected(url) as connection:
        connection.autocommit = False
        return question(connection)


@contextmanager
def _alerting(url: str, settings: Settings, order: loading.Order) -> Iterator[None]:
    """Tell whoever is to be told what went wrong with the load, and when it is well again."""
    source = "the sample" if order.is_sample else order.source
    try:
        yield
    except (RunningLoadError, InterruptedLoadError, psycopg2.errors.QueryCanceled):
        raise
    except Exception as error:
        code = loading.error_code(error)
        verb = "was refused" if isinstance(error, RefusedLoadError) else "failed"
        message = f"The load of {source} {verb}: {' '.join(str(error).split())}"
        alerts.raise_alert(url, settings, f"load:{code}", f"{message}. The data is what it was.")
        raise
    alerts.clear_alerts(url, settings, "load", f"The load of {source} went well again.")
    alerts.clear_alerts(url, settings, "stale", "The data is fresh again.")


def _settings(**overrides: Any) -> Settings:
    try:
        return read_settings(**overrides)
    except SettingsError as error:
        for fault in error.faults:
            print(f"failed: {fault}", file=sys.stderr)
        sys.exit(exits.WRONG_USAGE)


def _with_database(settings: Settings, work: Callable[[str, Stopper], Result], *, as_json: bool) -> Result:
    """Do work on the migrated database, and end the program as its failures ask for."""
    stopper = Stopper()
    try:
        with database(settings) as url:
            migrate(url, settings.sql_scripts)
            return _interruptible(lambda: work(url, stopper), stopper)
    except LoadError as error:
        _fail(error, str(error), as_json=as_json)
    except DatabaseError as error:
        _fail(error, str(error), as_json=as_json)
    except psycopg2.Error as error:
        _fail(error, f"the database: {' '.join(str(error).split())}", as_json=as_json)
    except (KeyboardInterrupt, InterruptedLoadError) as error:
        _interrupted(str(error) or "nothing was done yet")
    except Exception as error:  # noqa: BLE001 - cron gets one line and an exit code, whatever happens
        structlog.get_logger("movie_loader").exception("a fault of the loader's own")
        _fail(error, f"{type(error).__name__}: {error}", as_json=as_json)


def _interruptible(work: Callable[[], Result], stopper: Stopper) -> Result:
    """Do work in a thread, so that Ctrl-C is heard whatever the work waits for."""
    results: list[Result] = []
    errors: list[BaseException] = []
    # Not Thread.join: interrupted once, it takes the thread for dead (CPython issue 90882).
    is_over = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised in the main thread
            errors.append(error)
        finally:
            is_over.set()

    threading.Thread(target=run, name="load", daemon=True).start()
    try:
        is_over.wait()
    except KeyboardInterrupt:
        stopper.stop()
        is_over.wait(SECONDS_TO_STOP)
        if not errors:
            done = "the load is done" if results else "the server takes back what was begun"
            raise InterruptedLoadError(done) from None
        if not isinstance(errors[0], InterruptedLoadError):
            raise InterruptedLoadError from None
    if errors:
        raise errors[0]
    return results[0]


def _fail(error: Exception, message: str, *, as_json: bool) -> NoReturn:
    state = "refused" if isinstance(error, RefusedLoadError) else "failed"
    if as_json:
        # What the network or the database did may be over by the next time; a fault of ours will not.
        is_transient = (
            error.is_transient
            if isinstance(error, LoadError)
            else isinstance(error, DatabaseError | psycopg2.OperationalError | psycopg2.InterfaceError)
        )
        code = loading.error_code(error)
        told = {"code": code, "message": message, "is_transient": is_transient}
        print(json.dumps({"state": state, "error": told}))
    print(f"{state}: {message}", file=sys.stderr, flush=True)
    if isinstance(error, RunningLoadError):
        sys.exit(exits.BUSY)
    sys.exit(exits.REFUSED if state == "refused" else exits.FAILED)


def _interrupted(message: str) -> NoReturn:
    print(f"interrupted: {message}", file=sys.stderr, flush=True)
    sys.exit(exits.INTERRUPTED)
