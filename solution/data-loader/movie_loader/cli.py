"""`movie-loader`: what is asked for on the command line, and what is printed."""

import json
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import psycopg2
from movie_database import exits
from movie_database.logs import configure_logging
from movie_database.migrate import migrate
from movie_database.server import database
from movie_database.settings import Settings, SettingsError, read_settings

from movie_loader.errors import InterruptedLoadError, LoadError
from movie_loader.load import load as run_load
from movie_loader.pipes import Stopper

Result = TypeVar("Result")

SAMPLE_FOLDER = Path(__file__).parent / "sample"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Brings IMDb's daily dumps into PostgreSQL."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@main.command()
@click.option("--source", help="Address or folder of the dumps, in place of DATASET_SOURCE.")
@click.option("--sample", is_flag=True, help="Load the bundled sample.")
@click.option("--title-types", help="IMDb's titleTypes to keep, in place of TITLE_TYPES.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def load(*, source: str | None, sample: bool, title_types: str | None, as_json: bool) -> None:
    """Load the dumps: everything, or nothing if anything is wrong."""
    if source and sample:
        raise click.UsageError("--source and --sample exclude each other")
    settings = _settings(dataset_source=source, title_types=title_types)

    def run(url: str, stopper: Stopper) -> dict[str, Any]:
        report = run_load(
            url,
            source=str(SAMPLE_FOLDER) if sample else settings.dataset_source,
            title_types=settings.title_types,
            is_sample=sample,
            stopper=stopper,
        )
        print(report.summary(), file=sys.stderr if as_json else sys.stdout, flush=True)
        return report.as_dict()

    report = _with_database(settings, run, as_json=as_json)
    if as_json:
        print(json.dumps(report))


def _settings(**overrides: Any) -> Settings:
    try:
        settings = read_settings(**overrides)
    except SettingsError as error:
        print(f"failed: {error}", file=sys.stderr)
        sys.exit(exits.WRONG_USAGE)
    configure_logging(settings)
    return settings


def _with_database(settings: Settings, work: Callable[[str, Stopper], Result], *, as_json: bool) -> Result:
    """Run work against the migrated database, in a thread so that Ctrl-C is heard at once."""
    stopper = Stopper()
    try:
        with database(settings) as url:
            migrate(url)
            return _interruptible(lambda: work(url, stopper), stopper)
    except LoadError as error:
        _fail(str(error), error.code, as_json=as_json)
    except psycopg2.Error as error:
        _fail(f"the database: {str(error).strip().splitlines()[0]}", "database", as_json=as_json)
    except (KeyboardInterrupt, InterruptedLoadError):
        print("interrupted: nothing was changed", file=sys.stderr)
        sys.exit(exits.INTERRUPTED)


def _interruptible(work: Callable[[], Result], stopper: Stopper) -> Result:
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised in the main thread
            errors.append(error)

    thread = threading.Thread(target=run, name="load", daemon=True)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        stopper.stop()
        thread.join(timeout=5)
        raise
    if errors:
        raise errors[0]
    return results[0]


def _fail(message: str, code: str, *, as_json: bool) -> NoReturn:
    if as_json:
        print(json.dumps({"state": "failed", "error": {"code": code, "message": message}}))
    print(f"failed: {message}", file=sys.stderr)
    sys.exit(exits.FAILED)
