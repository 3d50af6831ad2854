"""Makes the full-size dumps that the other benchmarks read.

IMDb's own cannot be given away, and change every day; these are the same for everyone who makes
them with the same parameters. What is in them stands in `movie_testing.dumps`.
"""

import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import click
from movie_testing import people_dumps
from movie_testing.dumps import RATINGS_FILE, TITLES_FILE, DumpCounts, generator_fingerprint, write_dumps
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.report import Value, print_and_save

FOLDER: Final = Path(".data/bench/dumps")
MANIFEST_FILE: Final = "manifest.json"
PEOPLE_MANIFEST_FILE: Final = "people.json"
FULL_TITLES: Final = 11_800_000
FULL_MOVIES: Final = 720_000
FULL_RATINGS: Final = 1_600_000


@dataclass(frozen=True)
class PeopleDump:
    """A dump that is made beside those of titles and ratings: what it is called, and what makes it."""

    file: str
    write: Callable[..., int]


PEOPLE_DUMPS: Final = {
    "crew": PeopleDump(people_dumps.CREW_FILE, people_dumps.write_crew),
    "names": PeopleDump(people_dumps.NAMES_FILE, people_dumps.write_names),
    "cast": PeopleDump(people_dumps.CAST_FILE, people_dumps.write_cast),
    "akas": PeopleDump(people_dumps.AKAS_FILE, people_dumps.write_akas),
}


@dataclass(frozen=True)
class Parameters:
    """What decides every byte of the dumps."""

    titles: int
    movies: int
    ratings: int
    seed: int
    generator: str

    @classmethod
    def of(cls, *, titles: int, movies: int | None, ratings: int | None, seed: int) -> Self:
        """The parameters, with the full size's share of movies and ratings where none is given."""
        return cls(
            titles=titles,
            movies=titles * FULL_MOVIES // FULL_TITLES if movies is None else movies,
            ratings=titles * FULL_RATINGS // FULL_TITLES if ratings is None else ratings,
            seed=seed,
            generator=generator_fingerprint(),
        )


@dataclass(frozen=True)
class Manifest:
    """What lies in a folder of dumps: how it was made, what it holds, and how large each file is."""

    parameters: Parameters
    counts: DumpCounts
    bytes_by_file: dict[str, int]
    seconds: float

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The folder's manifest; none if there is none, or it does not tell the truth."""
        try:
            fields: dict[str, Any] = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
            manifest = cls(
                Parameters(**fields["parameters"]),
                DumpCounts(**fields["counts"]),
                fields["bytes_by_file"],
                fields["seconds"],
            )
            is_true = _bytes_by_file(folder) == manifest.bytes_by_file
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return manifest if is_true else None


def ensure_dumps(folder: Path, parameters: Parameters, *, is_forced: bool = False) -> tuple[Manifest, bool]:
    """The folder's manifest, once it holds the dumps asked for, and whether they had to be made.

    Raises:
        ValueError: There cannot be such dumps.
    """
    manifest = Manifest.read(folder)
    if manifest is not None and manifest.parameters == parameters and not is_forced:
        return manifest, False
    # Removed first and written last: a run that dies in between leaves dumps that nobody trusts.
    (folder / MANIFEST_FILE).unlink(missing_ok=True)
    started = time.perf_counter()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        task = bar.add_task("planning", total=parameters.titles)
        counts = write_dumps(
            folder,
            titles=parameters.titles,
            movies=parameters.movies,
            ratings=parameters.ratings,
            seed=parameters.seed,
            progress=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
        )
    manifest = Manifest(parameters, counts, _bytes_by_file(folder), round(time.perf_counter() - started, 2))
    text = json.dumps(dataclasses.asdict(manifest), indent=2) + "\n"
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")
    return manifest, True


def ensure_people(
    folder: Path, kinds: tuple[str, ...], *, seed: int, is_forced: bool = False
) -> dict[str, dict[str, Any]]:
    """Rows, bytes and seconds of the dumps of people in a folder, by kind, once they are there.

    Args:
        folder: where dumps of titles are.
        kinds: which of `PEOPLE_DUMPS` are asked for.
        seed: as that of the titles.
        is_forced: whether they are made even if they are there.
    """
    manifest = folder / PEOPLE_MANIFEST_FILE
    stamp = {
        "seed": seed,
        "titles_bytes": (folder / TITLES_FILE).stat().st_size,
        "generator": people_dumps.people_fingerprint(),
    }
    try:
        known: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
        made: dict[str, dict[str, Any]] = known["made"] if known["stamp"] == stamp and not is_forced else {}
    except (OSError, ValueError, KeyError, TypeError):
        made = {}
    made = {
        kind: one for kind, one in made.items() if _size(folder / PEOPLE_DUMPS[kind].file) == one["bytes"]
    }
    manifest.unlink(missing_ok=True)
    for kind in kinds:
        if kind not in made:
            click.echo(f"making {PEOPLE_DUMPS[kind].file}", err=True)
            began = time.perf_counter()
            rows = PEOPLE_DUMPS[kind].write(folder, seed=seed)
            size = _size(folder / PEOPLE_DUMPS[kind].file)
            made[kind] = {"rows": rows, "bytes": size, "seconds": round(time.perf_counter() - began, 2)}
    manifest.write_text(json.dumps({"stamp": stamp, "made": made}, indent=2) + "\n", "utf-8")
    return made


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, show_default=True)
@click.option("--titles", type=click.IntRange(min=1), default=FULL_TITLES, show_default=True)
@click.option("--movies", type=click.IntRange(min=0), help="In proportion to the titles if not given.")
@click.option("--ratings", type=click.IntRange(min=0), help="In proportion to the titles if not given.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--with-cast", is_flag=True, help="Also title.principals: 740 MB at full size.")
@click.option("--with-akas", is_flag=True, help="Also title.akas: 900 MB at full size.")
@click.option("--force", "is_forced", is_flag=True, help="Make them even if the folder already holds them.")
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Also write JSON.")
def dumps(
    *,
    folder: Path,
    titles: int,
    movies: int | None,
    ratings: int | None,
    seed: int,
    with_cast: bool,
    with_akas: bool,
    is_forced: bool,
    json_path: Path | None,
) -> None:
    """Makes dumps like IMDb's, the same for the same parameters."""
    parameters = Parameters.of(titles=titles, movies=movies, ratings=ratings, seed=seed)
    try:
        manifest, is_new = ensure_dumps(folder, parameters, is_forced=is_forced)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    kinds = ("crew", "names", *(("cast",) if with_cast else ()), *(("akas",) if with_akas else ()))
    people = ensure_people(folder, kinds, seed=seed, is_forced=is_forced)
    click.echo(f"{folder}: {'made' if is_new else 'already there, made earlier'}; seed {seed}", err=True)
    print_and_save(
        "dumps",
        [*_rows(manifest), *({"file": PEOPLE_DUMPS[kind].file, **one} for kind, one in people.items())],
        {"file": "file", "rows": "rows", "bytes": "bytes", "seconds": "seconds"},
        json_path,
    )


def _rows(manifest: Manifest) -> list[dict[str, Value]]:
    """A row a file, and one of both, which are made in one pass; it holds all counts besides."""
    counts, sizes = manifest.counts, manifest.bytes_by_file
    return [
        {"file": TITLES_FILE, "rows": counts.titles, "bytes": sizes[TITLES_FILE]},
        {"file": RATINGS_FILE, "rows": counts.ratings, "bytes": sizes[RATINGS_FILE]},
        {
            "file": "both, in one pass",
            "rows": counts.titles + counts.ratings,
            "bytes": sum(sizes.values()),
            "seconds": manifest.seconds,
            **dataclasses.asdict(counts),
        },
    ]


def _size(path: Path) -> int:
    """A file's size; -1 if it is not there."""
    return path.stat().st_size if path.is_file() else -1


def _bytes_by_file(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_size for name in (TITLES_FILE, RATINGS_FILE)}
