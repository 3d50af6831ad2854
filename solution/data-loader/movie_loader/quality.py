"""What makes dumps look wrong, though every one of their rows may be well-formed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from movie_database.settings import Settings

from movie_loader.faults import Effect
from movie_loader.report import LoadReport


@dataclass(frozen=True)
class Limits:
    """What a load may bring without being refused.

    Attributes:
        shrink_percent: how much fewer movies, genres, ratings, people … than the last load.
        rejected_percent: of a file's wanted rows, malformed ones beyond `rejected_rows`.
        rejected_rows: malformed rows of a file, whatever share that is.
        rating_shift: how far the mean rating may be from the last load's.
    """

    shrink_percent: float = 5.0
    rejected_percent: float = 1.0
    rejected_rows: int = 100
    rating_shift: float = 0.5

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that are set."""
        return cls(
            settings.max_shrink_percent,
            settings.max_rejected_percent,
            settings.max_rejected_rows,
            settings.max_rating_shift,
        )


@dataclass(frozen=True)
class Baseline:
    """The last good load of the same source and title types, which a new one is compared with.

    Attributes:
        load_id: which it was.
        movie_rows: its movies.
        genre_rows: their genres.
        rating_rows: how many of them were rated.
        mean_rating: of these; None if there was none, or the load is of a version that did not keep it.
        person_rows: people whom they name; None if the load had the cast and this one has not, or the
            other way round, or is of a version that read none.
        credit_rows: how often they do; likewise.
        other_title_rows: their other titles; None if one of both loads read none.
    """

    load_id: int
    movie_rows: int
    genre_rows: int
    rating_rows: int
    mean_rating: float | None
    person_rows: int | None = None
    credit_rows: int | None = None
    other_title_rows: int | None = None


def malformed(report: LoadReport, limits: Limits) -> Iterator[str]:
    """Yield a sentence for each file of which too many rows had to be rejected."""
    for tally in report.faults.values():
        rejected = tally.count(Effect.REJECTED)
        wanted = rejected + tally.usable_rows
        if rejected > limits.rejected_rows and rejected * 100 > limits.rejected_percent * wanted:
            yield (
                f"{rejected:,} of {wanted:,} rows of {tally.file_name} are malformed, "
                f"over {limits.rejected_percent:g} %"
            )


def shrunk(report: LoadReport, baseline: Baseline, limits: Limits) -> Iterator[str]:
    """Yield a sentence for each figure that fell or moved too far since the last good load."""
    for what, before, now in (
        ("movies", baseline.movie_rows, report.movie_rows),
        ("genres", baseline.genre_rows, report.genre_rows),
        ("ratings", baseline.rating_rows, report.rating_rows),
        ("people", baseline.person_rows, report.person_rows),
        ("credits", baseline.credit_rows, report.credit_rows),
        ("other titles", baseline.other_title_rows, report.other_title_rows),
    ):
        if before is not None and (before - now) * 100 > limits.shrink_percent * before:
            yield (
                f"{now:,} {what} after {before:,} in load {baseline.load_id}, "
                f"over {limits.shrink_percent:g} % fewer"
            )
    if baseline.mean_rating is None or report.mean_rating is None:
        return
    if abs(report.mean_rating - baseline.mean_rating) > limits.rating_shift:
        yield (
            f"a mean rating of {report.mean_rating:.2f} after {baseline.mean_rating:.2f} in load "
            f"{baseline.load_id}, over {limits.rating_shift:g} apart"
        )
