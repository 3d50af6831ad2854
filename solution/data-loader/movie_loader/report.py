"""What a load did: counts and seconds, for people, for machines and for `dataset_loads`."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import structlog

from movie_loader.datasets import Dataset
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
        with_cast: whether the billed cast was.
        with_akas: whether other titles were.
        started_at: when the load began to read its source.
        load_id: its row in `dataset_loads`; None before there is one.
        state: running, done, unchanged, refused or failed.
        fingerprint: what decides what is loaded; None while it is not known.
        files: per dump: name, address, bytes, ETag, Last-Modified, SHA-256, rows read.
        movie_rows: movies in the dumps, as far as they were read.
        genre_names: their genres, case aside.
        rating_rows: those of the movies that have a rating.
        rating_tenths: the sum of these ratings, times ten.
        rating_lines: usable rows of `title.ratings`, whatever title they are of.
        ratings_without_title: ratings whose title is not in the dumps.
        person_rows: people whom the movies name, and `name.basics` knows.
        people_without_name: people whom the movies name, and `name.basics` does not know.
        credit_rows: pairs of a movie and a director, writer or actor of it.
        other_title_rows: other titles of the movies.
        merged: what `merge.Merged` tells.
        faults: by the name of the dump.
        stages: in the order they ended.
    """

    source: str
    is_sample: bool
    title_types: tuple[str, ...]
    started_at: datetime
    with_cast: bool = False
    with_akas: bool = False
    load_id: int | None = None
    state: str = "running"
    fingerprint: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    movie_rows: int = 0
    genre_names: set[str] = field(default_factory=set)
    rating_rows: int = 0
    rating_tenths: int = 0
    rating_lines: int = 0
    ratings_without_title: int = 0
    person_rows: int = 0
    people_without_name: int = 0
    credit_rows: int = 0
    other_title_rows: int = 0
    merged: dict[str, int] = field(default_factory=dict)
    faults: dict[str, Tally] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    finished_at: datetime | None = None
    # The clock may be set back while a load runs.
    _began: float = field(default_factory=perf_counter)

    def begin_reading(self) -> None:
        """Forget what was read, for the source is read from its start."""
        self.files, self.stages, self.genre_names = [], [], set()
        self.movie_rows = self.rating_rows = self.rating_tenths = 0
        self.rating_lines = self.ratings_without_title = 0
        self.person_rows = self.people_without_name = self.credit_rows = self.other_title_rows = 0
        self.faults = {}

    def tally(self, dataset: Dataset) -> Tally:
        """The faults of a dump's rows."""
        return self.faults.setdefault(dataset.name, Tally(dataset.name))

    @property
    def seconds(self) -> float:
        """Since the load began."""
        return perf_counter() - self._began

    @property
    def genre_rows(self) -> int:
        """How many genres the movies have."""
        return len(self.genre_names)

    @property
    def mean_rating(self) -> float | None:
        """Of the movies that have a rating."""
        return self.rating_tenths / self.rating_rows / 10 if self.rating_rows else None

    @property
    def rejected(self) -> dict[str, dict[str, int]]:
        """Malformed rows of the wanted types, by file and kind."""
        return {name: tally.as_dict()["rejected"] for name, tally in self.faults.items()}

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
            "state": self.state,
            "load_id": self.load_id,
            "source": self.source,
            "is_sample": self.is_sample,
            "title_types": list(self.title_types),
            "with_cast": self.with_cast,
            "with_akas": self.with_akas,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at and self.finished_at.isoformat(),
            "seconds": round(self.seconds, 3),
            "peak_memory_bytes": peak_memory_bytes(),
            "files": self.files,
            "movie_rows": self.movie_rows,
            "genre_rows": self.genre_rows,
            "rating_rows": self.rating_rows,
            "mean_rating": self.mean_rating,
            "ratings_without_title": self.ratings_without_title,
            "person_rows": self.person_rows,
            "people_without_name": self.people_without_name,
            "credit_rows": self.credit_rows,
            "other_title_rows": self.other_title_rows,
            "merged": self.merged,
            "faults": {name: tally.as_dict() for name, tally in self.faults.items()},
            "stages": [asdict(stage) for stage in self.stages],
        }

    def summary(self) -> str:
        """One line for people and for cron."""
        if self.state == "unchanged":
            return f"nothing to do: the dumps are those of the last load, {self.seconds:.1f} s"
        rejected = sum(tally.count(Effect.REJECTED) for tally in self.faults.values())
        inserted, updated, retired = (self.merged[name] for name in ("inserted", "updated", "retired"))
        return (
            f"done: {self.movie_rows} movies, {self.genre_rows} genres, {self.rating_rows} rated, "
            f"{self.person_rows} people, {inserted} new, {updated} changed, {retired} gone, "
            f"{rejected} rows rejected, {self.seconds:.1f} s"
        )


def peak_memory_bytes() -> int:
    """The most memory that this process ever held (resident).

    Source: Linux's proc_pid_status(5), VmHWM; elsewhere getrusage(2), which on Linux would count what
    the process held that this one was forked from.
    """
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024
