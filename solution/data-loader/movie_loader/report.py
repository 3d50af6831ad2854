"""What a load did: counts and seconds, for people, for machines and for `dataset_loads`."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import structlog

from movie_loader.faults import Effect, Tally


@dataclass
class Stage:
    """A part of a load: its name, how long it took, and how many rows it handled."""

    name: str
    seconds: float = 0.0
    rows: int | None = None


@dataclass
class LoadReport:
    """Everything a load tells.

    Attributes:
        source: address or folder.
        is_sample: whether it is the bundled sample.
        title_types: IMDb's titleTypes that were wanted.
        started_at: when the load began to read its source.
        files: per dump: name, address, bytes, ETag, Last-Modified, rows read.
        movie_rows: movies of the dumps after the load.
        rating_rows: those of them that have a rating.
        ratings_without_title: ratings whose title is not in the dumps.
        merged: movies inserted, updated, adopted and deleted, and genres after that.
        titles: faults of `title.basics`.
        ratings: faults of `title.ratings`.
        stages: in the order they ended.
    """

    source: str
    is_sample: bool
    title_types: tuple[str, ...]
    started_at: datetime
    files: list[dict[str, Any]] = field(default_factory=list)
    movie_rows: int = 0
    rating_rows: int = 0
    ratings_without_title: int = 0
    merged: dict[str, int] = field(default_factory=dict)
    titles: Tally = field(default_factory=lambda: Tally("title.basics"))
    ratings: Tally = field(default_factory=lambda: Tally("title.ratings"))
    stages: list[Stage] = field(default_factory=list)
    finished_at: datetime | None = None

    @property
    def seconds(self) -> float:
        """Since the load began."""
        return (datetime.now(UTC) - self.started_at).total_seconds()

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a part of the load, and log its rows and seconds at its end."""
        stage = Stage(name)
        began = perf_counter()
        yield stage
        stage.seconds = round(perf_counter() - began, 3)
        self.stages.append(stage)
        structlog.get_logger("movie_loader").info(
            "stage done",
            stage=name,
            seconds=stage.seconds,
            **({} if stage.rows is None else {"rows": stage.rows}),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the report as `movie-loader load --json` prints it."""
        return {
            "state": "done",
            "source": self.source,
            "is_sample": self.is_sample,
            "title_types": list(self.title_types),
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at and self.finished_at.isoformat(),
            "seconds": round(self.seconds, 3),
            "peak_memory_bytes": peak_memory_bytes(),
            "files": self.files,
            "movie_rows": self.movie_rows,
            "genre_rows": self.merged.get("genre_rows", 0),
            "rating_rows": self.rating_rows,
            "ratings_without_title": self.ratings_without_title,
            "merged": self.merged,
            "faults": {tally.file_name: tally.as_dict() for tally in (self.titles, self.ratings)},
            "stages": [asdict(stage) for stage in self.stages],
        }

    def summary(self) -> str:
        """One line for people and for cron."""
        rejected = self.titles.count(Effect.REJECTED) + self.ratings.count(Effect.REJECTED)
        genres = self.merged.get("genre_rows", 0)
        return (
            f"done: {self.movie_rows} movies, {genres} genres, {self.rating_rows} rated, "
            f"{rejected} rows rejected, {self.seconds:.1f} s"
        )


def peak_memory_bytes() -> int:
    """The most memory that this process ever held (resident), as the system counts it."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
