"""A dump while it is read: its rows, wanted and whole, and who is told about them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd
import psycopg2.extensions

from movie_loader import frames, rows, sources, staging
from movie_loader.datasets import Dataset
from movie_loader.errors import LoadError, SourceChangedError
from movie_loader.faults import Effect, Tally
from movie_loader.ids import Bools, Int64s, SeenKeys
from movie_loader.pipes import Stopper, ahead
from movie_loader.progress import Meter
from movie_loader.report import LoadReport, Stage
from movie_loader.wanted import Wanted


@dataclass(frozen=True)
class Task:
    """What is loaded from and into, and who is told about it."""

    connection: psycopg2.extensions.connection
    dumps: dict[str, sources.Dump]
    report: LoadReport
    meter: Meter
    stopper: Stopper

    def reading(self, dataset: Dataset, stage: Stage, wanted: Wanted | None = None) -> "Reading":
        """A dump that is about to be read."""
        return Reading(self, dataset, self.dumps[dataset.name], stage, wanted)

    def copy(self, table: str, made: Iterable[pd.DataFrame]) -> None:
        """Fill a staging table, within the caller's transaction, while a thread makes its rows."""
        staging.empty(self.connection, table)
        csvs = (frames.as_csv(frame, staging.COLUMNS[table]) for frame in made)
        for csv in ahead(csvs, depth=2, stopper=self.stopper):
            staging.copy_csv(self.connection, table, csv)


@dataclass
class Reading:
    """A dump that is being read, and who is told about it."""

    task: Task
    dataset: Dataset
    dump: sources.Dump
    stage: Stage
    wanted: Wanted | None

    @property
    def report(self) -> LoadReport:
        """Of the load."""
        return self.task.report

    @property
    def tally(self) -> Tally:
        """The faults of the dump's rows."""
        return self.report.tally(self.dataset)

    def blocks(self) -> Iterator[rows.RowBlock]:
        """Yield the wanted rows, unpacked ahead in a thread of its own."""
        position = 0
        self.stage.rows = 0

        def note_position(stored_bytes: int) -> None:
            nonlocal position
            position = stored_bytes

        checksum = sources.Checksum()
        unpacked = sources.unpacked(self.dump, note_position, checksum)
        chunks = ahead(unpacked, depth=8, stopper=self.task.stopper)
        try:
            for block in ahead(
                rows.row_blocks(chunks, self.dataset, self.wanted, self.tally),
                depth=2,
                stopper=self.task.stopper,
            ):
                self.stage.rows += block.read_rows
                self.task.meter.tell(
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

    def parsed(self) -> Iterator["Parsed"]:
        """Yield the wanted rows that are whole."""
        for block in self.blocks():
            frame = frames.parse_frame(block.lines, block.line_numbers, self.dataset, self.tally)
            at = frame.index.to_numpy()
            self.tally.usable_rows += len(frame)
            yield Parsed(frame, block.keys[at], block.line_numbers[at], block.all_keys)

    def first_ones(self) -> Iterator["Parsed"]:
        """Yield the wanted rows that are whole, of those with the same id the first."""
        seen = SeenKeys()
        for part in self.parsed():
            yield part.only(seen.add(part.keys), self.tally, Effect.DUPLICATE, "imdb_id")


@dataclass(frozen=True)
class Parsed:
    """Rows of a dump.

    Attributes:
        frame: under our names for columns, n rows.
        keys: their ids as numbers. Shape (n,).
        line_numbers: where they stand in the file. Shape (n,).
        all_keys: ids of every line read since the last ones. Shape (m,).
    """

    frame: pd.DataFrame
    keys: Int64s
    line_numbers: Int64s
    all_keys: Int64s

    def only(self, is_kept: Bools, tally: Tally, effect: Effect, kind: str) -> "Parsed":
        """Return the rows that are kept, and count the others as having had a fault. Shape (n,)."""
        if is_kept.all():
            return self
        left_out = self.line_numbers[~is_kept]
        tally.add(effect, kind, left_out, len(left_out))
        tally.usable_rows -= len(left_out)
        return Parsed(self.frame[is_kept], self.keys[is_kept], self.line_numbers[is_kept], self.all_keys)
