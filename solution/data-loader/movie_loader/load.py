"""A load from its first byte to its commit: joins the stages."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import psycopg2
import psycopg2.extensions
import pyarrow as pa
from movie_database.addresses import libpq_address
from psycopg2.extras import Json

from movie_loader import frames, merge, rows, sources, staging
from movie_loader.datasets import RATINGS, TITLES, Dataset
from movie_loader.errors import LoadError
from movie_loader.faults import Effect
from movie_loader.ids import Int64s, SeenKeys, random_uuids
from movie_loader.pipes import Stopper, ahead
from movie_loader.ratings import RatingTable
from movie_loader.report import LoadReport, Stage

APPLICATION_NAME = "movie-loader"

_LOCK = "SELECT pg_try_advisory_lock(hashtext('movie_loader'))"


def load(
    url: str, *, source: str, title_types: tuple[str, ...], is_sample: bool, stopper: Stopper
) -> LoadReport:
    """Bring the dumps at a source into the database at an address, wholly or not at all.

    Raises:
        LoadError: if the source is not what it should be; the database is as it was.
        InterruptedLoadError: if the load was stopped; likewise.
        psycopg2.Error: if the database fails; likewise.
    """
    report = LoadReport(source, is_sample, title_types)
    with closing(_connect(url)) as connection:
        stopper.on_stop(connection.cancel)
        _prepare(connection, is_sample=is_sample)
        with report.stage("ratings") as stage:
            ratings = RatingTable.gather(_rating_frames(report, stage, stopper), report.ratings)
        with report.stage("titles") as stage:
            _stage_titles(connection, ratings, report, stage, stopper)
        stopper.check()
        _publish(connection, report, stopper)
        with report.stage("vacuum"):
            merge.vacuum(connection)
    return report


def _connect(url: str) -> psycopg2.extensions.connection:
    connection = psycopg2.connect(libpq_address(url), application_name=APPLICATION_NAME)
    with connection, connection.cursor() as cursor:
        # A load that is killed in the middle of a long statement must not hold its lock on.
        cursor.execute("SET client_connection_check_interval = '1s'")
        cursor.execute("SET client_min_messages = 'warning'")
    return connection


def _prepare(connection: psycopg2.extensions.connection, *, is_sample: bool) -> None:
    """Keep other loads out until the connection ends, and refuse what must not be."""
    with connection, connection.cursor() as cursor:
        cursor.execute(_LOCK)
        ((is_locked,),) = cursor.fetchall()
        if not is_locked:
            raise LoadError("another load is running", code="load_running")
        cursor.execute("SELECT EXISTS (SELECT FROM dataset_loads WHERE NOT is_sample)")
        ((has_real_data,),) = cursor.fetchall()
        if is_sample and has_real_data:
            raise LoadError("the sample never replaces real data", code="sample_refused")


def _rows(dataset: Dataset, report: LoadReport, stage: Stage, stopper: Stopper) -> Iterator[rows.RowBlock]:
    """Open a dump and yield its wanted rows, unpacked ahead in a thread."""
    dump = sources.local_file(Path(report.source), dataset)
    tally = report.titles if dataset is TITLES else report.ratings
    stage.rows = 0
    with Path(dump.address).open("rb") as file:
        chunks = ahead(sources.unpacked(file, dump.name), depth=8, stopper=stopper)
        for block in rows.row_blocks(chunks, dataset, report.title_types, tally):
            stage.rows += block.read_rows
            yield block
    report.files.append(dump.description() | {"rows": stage.rows})


def _rating_frames(
    report: LoadReport, stage: Stage, stopper: Stopper
) -> Iterator[tuple[Int64s, Int64s, pd.DataFrame]]:
    for block in _rows(RATINGS, report, stage, stopper):
        frame = frames.parse_frame(block.lines, block.line_numbers, RATINGS, report.ratings)
        at = frame.index.to_numpy()
        yield block.keys[at], block.line_numbers[at], frame


def _stage_titles(
    connection: psycopg2.extensions.connection,
    ratings: RatingTable,
    report: LoadReport,
    stage: Stage,
    stopper: Stopper,
) -> None:
    """Fill the staging table, in a transaction of its own."""
    with connection:
        staging.create_staging(connection)
        for csv in ahead(_title_csvs(ratings, report, stage, stopper), depth=2, stopper=stopper):
            staging.copy_csv(connection, csv)
    if not report.movie_rows:
        types = ", ".join(report.title_types)
        raise LoadError(f"{TITLES.name}: holds no title of the type {types}", code="no_rows")
    report.ratings_without_title = ratings.count_unmet()


def _title_csvs(
    ratings: RatingTable, report: LoadReport, stage: Stage, stopper: Stopper
) -> Iterator[pa.Buffer]:
    seen = SeenKeys()
    for block in _rows(TITLES, report, stage, stopper):
        ratings.meet(block.all_keys)
        frame = frames.parse_frame(block.lines, block.line_numbers, TITLES, report.titles)
        at = frame.index.to_numpy()
        keys, line_numbers = block.keys[at], block.line_numbers[at]
        is_new = seen.add(keys)
        report.titles.add(Effect.DUPLICATE, "imdb_id", line_numbers[~is_new], int((~is_new).sum()))
        if not is_new.all():
            frame, keys = frame[is_new], keys[is_new]
        frame = ratings.join(frames.with_title_keys(frame), keys)
        report.movie_rows += len(frame)
        report.rating_rows += int(frame["rating_tenths"].notna().sum())
        ids = pd.Series(random_uuids(len(frame)), index=frame.index, dtype=frames.TEXT)
        yield staging.as_csv(frame.assign(id=ids))


def _publish(connection: psycopg2.extensions.connection, report: LoadReport, stopper: Stopper) -> None:
    """Make the catalogue equal to the staging table, in one transaction."""
    with report.stage("clear indexes"):
        merge.drop_listing_indexes_of_tiny_catalogue(connection)
    try:
        with connection:
            with report.stage("merge") as stage:
                report.merged = asdict(merge.merge_staged(connection))
                stage.rows = report.movie_rows
            with report.stage("indexes"):
                merge.create_listing_indexes(connection)
            staging.drop_staging(connection)
            report.finished_at = datetime.now(UTC)
            _record(connection, report)
            stopper.check()
    except BaseException:
        with connection:
            merge.create_listing_indexes(connection)
        raise


def _record(connection: psycopg2.extensions.connection, report: LoadReport) -> None:
    """Write the load's row, seen when and only when its movies are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO dataset_loads (
                started_at, finished_at, source, is_sample, title_types, files,
                movie_rows, genre_rows, rating_rows, report
            ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                report.started_at,
                report.finished_at,
                report.source,
                report.is_sample,
                list(report.title_types),
                Json(report.files),
                report.movie_rows,
                report.merged["genre_rows"],
                report.rating_rows,
                Json(report.as_dict()),
            ),
        )
