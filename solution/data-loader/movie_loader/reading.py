"""From the dumps to the staging table: joins what reads, parses, matches and copies their rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd
import psycopg2.extensions

from movie_loader import frames, rows, sources, staging
from movie_loader.datasets import RATINGS, TITLES, Dataset
from movie_loader.errors import LoadError, SourceChangedError
from movie_loader.faults import Effect
from movie_loader.ids import Int64s, SeenKeys, random_uuids
from movie_loader.pipes import Stopper, ahead
from movie_loader.progress import Meter
from movie_loader.ratings import RatingTable
from movie_loader.report import LoadReport, Stage


def stage_all(
    connection: psycopg2.extensions.connection,
    dumps: dict[str, sources.Dump],
    report: LoadReport,
    meter: Meter,
    stopper: Stopper,
) -> None:
    """Fill the staging table with the wanted titles and their ratings.

    Raises:
        LoadError: if a dump is not what it should be.
        SourceChangedError: if one was replaced while it was read.
    """
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

        checksum = sources.Checksum()
        unpacked = sources.unpacked(self.dump, note_position, checksum)
        chunks = ahead(unpacked, depth=8, stopper=self.stopper)
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
            {
                "name": self.dataset.name,
                **self.dump.description(),
                "sha256": checksum.hexdigest(),
                "rows": self.stage.rows,
            }
        )


def _rating_frames(reading: _Reading) -> Iterator[tuple[Int64s, Int64s, pd.DataFrame]]:
    for block in reading.blocks():
        frame = frames.parse_frame(block.lines, block.line_numbers, RATINGS, reading.report.ratings)
        at = frame.index.to_numpy()
        reading.report.rating_lines += len(frame)
        yield block.keys[at], block.line_numbers[at], frame


def _title_csvs(reading: _Reading, ratings: RatingTable) -> Iterator[memoryview]:
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
        report.rating_tenths += int(frame["rating_tenths"].sum())
        report.genre_names.update(_genre_names(frame))
        yield frames.as_csv(frame.assign(id=ids), staging.STAGED_COLUMNS)


def _genre_names(frame: pd.DataFrame) -> Iterable[str]:
    """The names in a frame's few distinct lists of genres, case aside."""
    for genres in frame["genres"].dropna().unique():
        yield from (name.lower() for name in genres.split(",") if name.strip())
