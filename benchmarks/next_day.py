"""The dumps of the next day: most of them as before, some votes changed, some movies new and some gone."""

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from isal import igzip
from movie_testing.dumps import RATINGS_FILE, TITLES_FILE

CHANGES_FILE: Final = "changes.json"
_FIRST_NEW_NUMBER: Final = 80_000_001
_GZIP_LEVEL: Final = 1


@dataclass(frozen=True)
class Changes:
    """How many movies changed their votes, are new, and are gone."""

    votes: int
    new: int
    gone: int


def ensure_next_day(dumps: Path, folder: Path, changes: Changes, *, seed: int = 1) -> Path:
    """The folder of the dumps that follow those in `dumps`, made now unless it was before.

    Raises:
        ValueError: The dumps hold too few movies for as many changes.
    """
    stamp = json.dumps({**asdict(changes), "seed": seed, "of": (dumps / TITLES_FILE).stat().st_size})
    noted = folder / CHANGES_FILE
    if noted.is_file() and noted.read_text("utf-8") == stamp:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    noted.unlink(missing_ok=True)
    random_ = random.Random(seed)
    movies = [line.split(b"\t", 1)[0] for line in _lines(dumps / TITLES_FILE) if _is_movie(line)]
    rated = set(movies).intersection(line.split(b"\t", 1)[0] for line in _lines(dumps / RATINGS_FILE))
    if changes.gone > len(movies) or changes.votes > len(rated) - changes.gone:
        raise ValueError("the dumps hold too few movies for as many changes")
    gone = set(random_.sample(movies, changes.gone))
    changed = set(random_.sample(sorted(rated - gone), changes.votes))
    with _packed(folder / TITLES_FILE) as titles:
        for line in _lines(dumps / TITLES_FILE):
            if not (_is_movie(line) and line.split(b"\t", 1)[0] in gone):
                titles.write(line)
        for number in range(_FIRST_NEW_NUMBER, _FIRST_NEW_NUMBER + changes.new):
            title = f"New {number}"
            titles.write(f"tt{number}\tmovie\t{title}\t{title}\t0\t2026\t\\N\t100\tDrama\n".encode())
    with _packed(folder / RATINGS_FILE) as ratings:
        for line in _lines(dumps / RATINGS_FILE):
            imdb_id, rating, votes = line.split(b"\t")
            if imdb_id in gone:
                continue
            if imdb_id in changed:
                line = b"\t".join((imdb_id, rating, b"%d\n" % (int(votes) + random_.randint(1, 50))))  # noqa: PLW2901
            ratings.write(line)
    noted.write_text(stamp, "utf-8")
    return folder


def _is_movie(line: bytes) -> bool:
    return line.split(b"\t", 2)[1] == b"movie"


def _lines(path: Path) -> Iterator[bytes]:
    with igzip.open(path, "rb") as file:  # type: ignore[no-untyped-call]
        yield from file


def _packed(path: Path) -> BinaryIO:
    return cast("BinaryIO", igzip.open(path, "wb", compresslevel=_GZIP_LEVEL))  # type: ignore[no-untyped-call]
