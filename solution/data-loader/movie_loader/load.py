"""A load from its first byte to its commit: joins the stages."""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import structlog
from movie_database.addresses import libpq_address

from movie_loader import merge, quality, records, sources, staging
from movie_loader.datasets import wanted_datasets
from movie_loader.errors import (
    InterruptedLoadError,
    LoadError,
    RefusedLoadError,
    SourceChangedError,
)
from movie_loader.patience import Patience
from movie_loader.pipes import Stopper
from movie_loader.progress import Meter
from movie_loader.quality import Limits
from movie_loader.report import LoadReport

APPLICATION_NAME: Final = "movie-loader"

READINGS: Final = 3
"""How often a source is read from the start if it is replaced in the middle."""

MERGES: Final = 4
"""How often a merge is tried that others' writes get in the way of."""

SECONDS_BETWEEN_MERGES: Final = 0.5

SECONDS_TO_RECORD: Final = 20.0
"""How long a failed load waits for its database to come back, to write down why it failed."""

_log = structlog.get_logger("movie_loader")


@dataclass(frozen=True)
class Order:
    """What is to be loaded.

    Attributes:
        source: an http(s) address, or the path of a folder.
        is_sample: whether it is the bundled sample.
        title_types: IMDb's titleTypes to keep.
        downloads: the folder where downloads are kept.
        patience: of downloads.
        limits: what is refused.
        is_forced: whether dumps that are those of the last load are loaded again.
        accepts_shrink: whether `limits` to what differs from the last load are passed over.
        with_cast: whether the movies' billed cast is loaded too; without it, they have none.
        with_akas: whether their other titles are, likewise.
    """

    source: str
    is_sample: bool
    title_types: tuple[str, ...]
    downloads: Path
    patience: Patience
    limits: Limits = field(default_factory=Limits)
    is_forced: bool = False
    accepts_shrink: bool = False
    with_cast: bool = False
    with_akas: bool = False


def load(url: str, order: Order, meter: Meter, stopper: Stopper) -> LoadReport:
    """Bring the dumps into the database at an address, wholly or not at all.

    Whatever becomes of it stands in its row of `dataset_loads`.

    Raises:
        RunningLoadError: if another load is at work.
        RefusedLoadError: if the dumps look wrong; the database is as it was.
        LoadError: if the source is not what it should be; likewise.
        InterruptedLoadError: if the load was stopped; likewise.
        psycopg2.Error: if the database fails; likewise.
    """
    report = LoadReport(
        order.source,
        order.is_sample,
        order.title_types,
        datetime.now(UTC),
        with_cast=order.with_cast,
        with_akas=order.with_akas,
    )
    try:
        with _connected(url, stopper) as connection:
            records.take_lock(connection)
            for message in records.mark_dead_loads(connection):
                _log.warning(message)
            if order.is_sample and records.has_real_data(connection):
                raise LoadError("the sample never replaces real data", code="sample_refused")
            report.load_id = records.begin_record(connection, report)
            try:
                _load(connection, order, report, meter, stopper)
            except BaseException as error:
                _record_failure(connection, url, report, error, stopper)
                raise
            if report.state == "done":
                _tidy_up(connection, report, meter, stopper)
    except psycopg2.errors.QueryCanceled:
        stopper.check()
        raise
    return report


def _load(
    connection: psycopg2.extensions.connection,
    order: Order,
    report: LoadReport,
    meter: Meter,
    stopper: Stopper,
) -> None:
    if _read(connection, order, report, meter, stopper):
        _refuse_what_looks_wrong(connection, order, report)
        _publish(connection, report, meter, stopper)
        return
    report.state = "unchanged"
    report.finished_at = datetime.now(UTC)
    with connection:
        staging.drop_staging(connection)
        records.end_record(connection, report)


@contextmanager
def _connected(url: str, stopper: Stopper) -> Iterator[psycopg2.extensions.connection]:
    connection = _connect(url)
    with closing(connection):
        stopper.on_stop(lambda: _cancel(connection))
        with connection, connection.cursor() as cursor:
            cursor.execute("SET client_min_messages = 'warning'")
            cursor.execute("SET statement_timeout = 0")
        # A load that is killed in the middle of a long statement must not hold its lock on. Not every
        # system's server can see that its client is gone.
        with suppress(psycopg2.Error), connection, connection.cursor() as cursor:
            cursor.execute("SET client_connection_check_interval = '1s'")
        try:
            yield connection
        finally:
            # The server ends a session some time after its client has left.
            with suppress(psycopg2.Error):
                connection.rollback()
                records.release_lock(connection)


def _connect(url: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(
        libpq_address(url), application_name=APPLICATION_NAME, client_encoding="utf8", connect_timeout=10
    )


def _cancel(connection: psycopg2.extensions.connection) -> None:
    with suppress(psycopg2.Error):
        connection.cancel()


def _read(
    connection: psycopg2.extensions.connection,
    order: Order,
    report: LoadReport,
    meter: Meter,
    stopper: Stopper,
) -> bool:
    """Fill the staging table; from the start again if the source is replaced in the middle.

    Returns:
        Whether there is anything to merge: not if the dumps are those of the last load.
    """
    done_fingerprint = None if order.is_forced else records.done_fingerprint(connection)
    about = _about(connection, order)
    for reading in range(1, READINGS + 1):
        report.begin_reading()
        try:
            with sources.opened(
                order.source,
                wanted_datasets(with_cast=order.with_cast, with_akas=order.with_akas),
                folder=order.downloads,
                patience=order.patience,
                on_bytes=lambda name, done, total: meter.tell(
                    f"download {name}", done_bytes=done, total_bytes=total
                ),
                stopper=stopper,
            ) as dumps:
                if done_fingerprint:
                    report.files = [
                        {"name": name, **dump.description(), "sha256": dump.stored_checksum(), "rows": None}
                        for name, dump in dumps.items()
                    ]
                    report.fingerprint = _fingerprint(report.files, about)
                    if report.fingerprint == done_fingerprint:
                        return False
                    report.files = []
                # Takes half a second to import, which a load of unchanged dumps need not wait for.
                from movie_loader.reading import stage_all  # noqa: PLC0415

                stage_all(connection, dumps, report, meter, stopper)
        except SourceChangedError as error:
            if reading == READINGS:
                raise
            _log.warning("reading from the start again", reason=str(error))
        else:
            # Known only now where a server does not tell its versions apart.
            report.fingerprint = _fingerprint(report.files, about)
            return report.fingerprint != done_fingerprint
    raise AssertionError


def _about(connection: psycopg2.extensions.connection, order: Order) -> dict[str, Any]:
    """Everything but the files that decides what is loaded."""
    return {
        "title_types": sorted(order.title_types),
        "is_sample": order.is_sample,
        "with_cast": order.with_cast,
        "with_akas": order.with_akas,
        "schema": records.schema_version(connection),
        "loader": version("movie-loader"),
    }


def _fingerprint(files: list[dict[str, Any]], about: dict[str, Any]) -> str | None:
    """What two loads have in common that load the same; None while a file's bytes are not known."""
    checksums = {file["name"]: file["sha256"] for file in files}
    if None in checksums.values():
        return None
    content = json.dumps({"files": checksums, **about}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _refuse_what_looks_wrong(
    connection: psycopg2.extensions.connection, order: Order, report: LoadReport
) -> None:
    reasons = list(quality.malformed(report, order.limits))
    advice = ""
    baseline = None if order.is_sample else records.baseline(connection, report)
    if baseline is not None:
        shrunk = list(quality.shrunk(report, baseline, order.limits))
        if shrunk and order.accepts_shrink:
            _log.warning("accepted, as was asked for", reason="; ".join(shrunk))
        elif shrunk:
            reasons += shrunk
            advice = " (if that is right: --accept-shrink)"
    if reasons:
        raise RefusedLoadError(f"the dumps look wrong: {'; '.join(reasons)}{advice}")


def _publish(
    connection: psycopg2.extensions.connection, report: LoadReport, meter: Meter, stopper: Stopper
) -> None:
    """Make the catalogue equal to the staging table, in one transaction."""
    stopper.check()
    merge.drop_indexes_of_tiny_tables(connection, report.movie_rows)
    try:
        for attempt in range(1, MERGES + 1):
            try:
                _merge(connection, report, meter, stopper)
            except merge.LOST_RACES as error:
                if attempt == MERGES:
                    raise
                _log.warning("others write to the catalogue: merging again", reason=_one_line(error))
                time.sleep(SECONDS_BETWEEN_MERGES * attempt)
                stopper.check()
            else:
                return
    except BaseException:
        with suppress(psycopg2.Error), connection:
            merge.create_indexes(connection)
        raise


def _merge(
    connection: psycopg2.extensions.connection, report: LoadReport, meter: Meter, stopper: Stopper
) -> None:
    with connection:
        with meter.waiting("merge"), report.stage("merge") as stage:
            merged = merge.merge_staged(connection)
            report.merged = asdict(merged)
            stage.rows = report.movie_rows
        with meter.waiting("indexes"), report.stage("indexes"):
            merge.create_indexes(connection)
        staging.drop_staging(connection)
        report.state = "done"
        report.finished_at = datetime.now(UTC)
        records.end_record(connection, report)
        stopper.check()
        merge.publish(connection, merged, report.load_id)


def _record_failure(
    connection: psycopg2.extensions.connection,
    url: str,
    report: LoadReport,
    error: BaseException,
    stopper: Stopper,
) -> None:
    """Write down why the load failed; on a new connection if this one is gone."""
    report.state = "refused" if isinstance(error, RefusedLoadError) else "failed"
    report.finished_at = datetime.now(UTC)
    report.merged = {}
    code, message = error_code(error), _one_line(error)
    # Who was told to stop has no time to wait for a server.
    give_up_at = time.monotonic() + (1 if stopper.is_stopped else SECONDS_TO_RECORD)
    while True:
        try:
            with _usable(connection, url) as usable, usable:
                # What fills a disk goes first.
                staging.drop_staging(usable)
                records.end_record(usable, report, error_code=code, error=message)
        except psycopg2.Error as trouble:
            if time.monotonic() > give_up_at:
                # The next load finds that this one did not end, and says so.
                _log.warning("could not write down why the load failed", reason=_one_line(trouble))
                return
            time.sleep(SECONDS_BETWEEN_MERGES)
        else:
            return


@contextmanager
def _usable(connection: psycopg2.extensions.connection, url: str) -> Iterator[psycopg2.extensions.connection]:
    """The connection, ready for another transaction; a new one if it was lost."""
    if not connection.closed:
        connection.rollback()
        yield connection
        return
    with closing(_connect(url)) as another:
        yield another


def error_code(error: BaseException) -> str:
    """Return the word for what ended a load."""
    if isinstance(error, LoadError):
        return error.code
    if isinstance(error, InterruptedLoadError | KeyboardInterrupt | psycopg2.errors.QueryCanceled):
        return "interrupted"
    if isinstance(error, psycopg2.errors.DiskFull):
        return "disk"
    return "database" if isinstance(error, psycopg2.Error) else "internal"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _tidy_up(
    connection: psycopg2.extensions.connection, report: LoadReport, meter: Meter, stopper: Stopper
) -> None:
    """Have the server mark what is visible to all. The load is done, whatever comes of it."""
    try:
        with meter.waiting("vacuum"), report.stage("vacuum"):
            changed = sum(report.merged[name] for name in ("inserted", "updated", "retired"))
            merge.vacuum(connection, changed / report.movie_rows)
        with connection:
            records.write_phases(connection, report)
    except psycopg2.Error as error:
        if stopper.is_stopped:
            raise InterruptedLoadError("the load is done") from None
        _log.warning("the server could not tidy up", reason=str(error))
