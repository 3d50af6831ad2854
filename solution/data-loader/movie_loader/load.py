"""A load from its first byte to its commit: joins the stages."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd
import psycopg2
import psycopg2.errors
import psycopg2.extensions
import pyarrow as pa
import structlog
from movie_database.addresses import libpq_address

from movie_loader import frames, merge, records, rows, sources, staging
from movie_loader.datasets import RATINGS, TITLES, Dataset
from movie_loader.errors import InterruptedLoadError, LoadError, SourceChangedError
from movie_loader.faults import Effect
from movie_loader.ids import Int64s, SeenKeys, random_uuids
from movie_loader.patience import Patience
from movie_loader.pipes import Stopper, ahead
from movie_loader.progress import Meter
from movie_loader.ratings import RatingTable
from movie_loader.report import LoadReport, Stage

APPLICATION_NAME: Final = "movie-loader"

READINGS: Final = 3
"""How often a source is read from the start if it is replaced in the middle."""


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
    """

    source: str
    is_sample: bool
    title_types: tuple[str, ...]
    downloads: Path
    patience: Patience


def load(url: str, order: Order, meter: Meter, stopper: Stopper) -> LoadReport:
    """Bring the dumps into the database at an address, wholly or not at all.

    Raises:
        LoadError: if the source is not what it should be; the database is as it was.
        InterruptedLoadError: if the load was stopped; likewise.
        psycopg2.Error: if the database fails; likewise.
    """
    try:
        with _connected(url, stopper) as connection:
            records.take_lock(connection)
            if order.is_sample and records.has_real_data(connection):
                raise LoadError("the sample never replaces real data", code="sample_refused")
            report = _read(connection, order, meter, stopper)
            _publish(connection, report, meter, stopper)
            _tidy_up(connection, report, meter, stopper)
    except psycopg2.errors.QueryCanceled:
        stopper.check()
        raise
    return report


@contextmanager
def _connected(url: str, stopper: Stopper) -> Iterator[psycopg2.extensions.connection]:
    connection = psycopg2.connect(
        libpq_address(url), application_name=APPLICATION_NAME, client_encoding="utf8", connect_timeout=10
    )
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


def _cancel(connection: psycopg2.extensions.connection) -> None:
    with suppress(psycopg2.Error):
        connection.cancel()


def _read(
    connection: psycopg2.extensions.connection, order: Order, meter: Meter, stopper: Stopper
) -> LoadReport:
    """Fill the staging table; from the start again if the source is replaced in the middle."""
    began_at = datetime.now(UTC)
    for reading in range(1, READINGS + 1):
        report = LoadReport(order.source, order.is_sample, order.title_types, began_at)
        try:
            with sources.opened(
                order.source,
                (RATINGS, TITLES),
                folder=order.downloads,
                patience=order.patience,
                on_bytes=lambda name, done, total: meter.tell(
                    f"download {name}", done_bytes=done, total_bytes=total
                ),
                stopper=stopper,
            ) as dumps:
                _stage_all(connection, dumps, report, meter, stopper)
        except SourceChangedError as error:
            if reading == READINGS:
                raise
            _log.warning("reading from the start again", reason=str(error))
        else:
            return report
    raise AssertionError


def _stage_all(
    connection: psycopg2.extensions.connection,
    dumps: dict[str, sources.Dump],
    report: LoadReport,
    meter: Meter,
    stopper: Stopper,
) -> None:
    with report.stage("ratings") as stage:
        ratings_file = _Reading(RATINGS, dumps[RATINGS.name], report, stage, meter, stopper)
        ratings = RatingTable.gather(_rating_frames(ratings_file), report.ratings)
    with report.stage("titles") as stage, connection:
        titles_file = _Reading(TITLES, dumps[TITLES.name], report, stage, meter, stopper)
        staging.create_staging(connection)
        for csv in ahead(_title_csvs(titles_file, ratings), depth=2, stopper=stopper):
            staging.copy_csv(connection, csv)
        if not report.movie_rows:
            types = ", ".join(report.title_types)
            raise LoadError(f"{titles_file.dump.address}: holds no title of the type {types}", code="no_rows")
    report.ratings_without_title = ratings.count_unmet()


@dataclass
class _Reading:
    """A dump that is being read, and who is told about it."""

    dataset: Dataset
    dump: sources.Dump
    report: LoadReport
    stage: Stage
    meter: Meter
    stopper: Stopper

    def blocks(self) -> Iterator[rows.RowBlock]:
        """Yield the wanted rows, unpacked ahead in a thread of its own."""
        tally = self.report.titles if self.dataset is TITLES else self.report.ratings
        position = 0
        self.stage.rows = 0

        def note_position(stored_bytes: int) -> None:
            nonlocal position
            position = stored_bytes

        chunks = ahead(sources.unpacked(self.dump, note_position), depth=8, stopper=self.stopper)
        try:
            for block in ahead(
                rows.row_blocks(chunks, self.dataset, self.report.title_types, tally),
                depth=2,
                stopper=self.stopper,
            ):
                self.stage.rows += block.read_rows
                self.meter.tell(
                    f"load {self.dataset.name}",
                    done_bytes=position,
                    total_bytes=self.dump.total_bytes,
                    rows=self.stage.rows,
                )
                yield block
        except LoadError as error:
            if self.dump.was_kept and not error.is_transient:
                # The copy on disk went bad after its last load; the source may be fine.
                self.dump.discard()
                raise SourceChangedError(str(error)) from None
            raise
        self.report.files.append(
            {"name": self.dataset.name, **self.dump.description(), "rows": self.stage.rows}
        )


def _rating_frames(reading: _Reading) -> Iterator[tuple[Int64s, Int64s, pd.DataFrame]]:
    for block in reading.blocks():
        frame = frames.parse_frame(block.lines, block.line_numbers, RATINGS, reading.report.ratings)
        at = frame.index.to_numpy()
        yield block.keys[at], block.line_numbers[at], frame


def _title_csvs(reading: _Reading, ratings: RatingTable) -> Iterator[pa.Buffer]:
    seen = SeenKeys()
    report = reading.report
    for block in reading.blocks():
        ratings.meet(block.all_keys)
        frame = frames.parse_frame(block.lines, block.line_numbers, TITLES, report.titles)
        at = frame.index.to_numpy()
        keys, line_numbers = block.keys[at], block.line_numbers[at]
        is_new = seen.add(keys)
        report.titles.add(Effect.DUPLICATE, "imdb_id", line_numbers[~is_new], int((~is_new).sum()))
        if not is_new.all():
            frame, keys = frame[is_new], keys[is_new]
        frame = ratings.join(frames.with_title_keys(frame), keys)
        ids = pd.Series(random_uuids(len(frame)), index=frame.index, dtype=frames.TEXT)
        report.movie_rows += len(frame)
        report.rating_rows += int(frame["rating_tenths"].notna().sum())
        yield staging.as_csv(frame.assign(id=ids))


def _publish(
    connection: psycopg2.extensions.connection, report: LoadReport, meter: Meter, stopper: Stopper
) -> None:
    """Make the catalogue equal to the staging table, in one transaction."""
    stopper.check()
    merge.drop_listing_indexes_of_tiny_catalogue(connection)
    try:
        with connection:
            with meter.waiting("merge"), report.stage("merge") as stage:
                report.merged = asdict(merge.merge_staged(connection))
                stage.rows = report.movie_rows
            with meter.waiting("indexes"), report.stage("indexes"):
                merge.create_listing_indexes(connection)
            staging.drop_staging(connection)
            report.finished_at = datetime.now(UTC)
            records.write_record(connection, report)
            stopper.check()
    except BaseException:
        with suppress(psycopg2.Error), connection:
            merge.create_listing_indexes(connection)
        raise


def _tidy_up(
    connection: psycopg2.extensions.connection, report: LoadReport, meter: Meter, stopper: Stopper
) -> None:
    """Have the server mark what is visible to all. The load is done, whatever comes of it."""
    try:
        with meter.waiting("vacuum"), report.stage("vacuum"):
            merge.vacuum(connection)
    except psycopg2.Error as error:
        if stopper.is_stopped:
            raise InterruptedLoadError("the load is done") from None
        _log.warning("the server could not tidy up", reason=str(error))
