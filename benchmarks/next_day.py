"""The dumps of the next day: most of them as before, some votes changed, some movies new and some gone.

Some movies have another crew, some people another name, and new people made the new movies.
"""

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from isal import igzip
from movie_testing.dumps import RATINGS_FILE, TITLES_FILE
from movie_testing.people_dumps import AKAS_FILE, CAST_FILE, CREW_FILE, NAMES_FILE

CHANGES_FILE: Final = "changes.json"
PEOPLE_CHANGES_FILE: Final = "people-changes.json"
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


@dataclass(frozen=True)
class PeopleChanges:
    """How many movies have another director, and how many people another name."""

    crews: int = 300
    renamed: int = 200


def ensure_next_people(dumps: Path, folder: Path, changes: PeopleChanges, *, seed: int = 1) -> None:
    """Make the dumps of people and other titles that go with the next day's titles, unless they are there.

    Of the cast and the other titles, which are large, all rows of the day before stay as they are, and
    those of the new movies come after them, as a gzip member of their own.

    Raises:
        ValueError: The dumps hold too few movies with a director for as many changes.
    """
    files = [name for name in (CREW_FILE, NAMES_FILE, CAST_FILE, AKAS_FILE) if (dumps / name).is_file()]
    stamp = json.dumps(
        {**asdict(changes), "seed": seed, "of": [(dumps / name).stat().st_size for name in files]}
        | {"titles": (folder / TITLES_FILE).stat().st_size}
    )
    noted = folder / PEOPLE_CHANGES_FILE
    if noted.is_file() and noted.read_text("utf-8") == stamp:
        return
    noted.unlink(missing_ok=True)
    movies = {line.split(b"\t", 1)[0] for line in _lines(folder / TITLES_FILE) if _is_movie(line)}
    new = sorted(one for one in movies if int(one[2:]) >= _FIRST_NEW_NUMBER)
    directed = [
        (fields[0], fields[1].split(b",")[0])
        for fields in (line.split(b"\t") for line in _lines(dumps / CREW_FILE))
        if fields[0] in movies and fields[1].startswith(b"nm")
    ]
    random_ = random.Random(seed)
    if changes.crews + changes.renamed > len(directed):
        raise ValueError("the dumps hold too few movies with a director for as many changes")
    picked = random_.sample(directed, changes.crews + changes.renamed)
    crews = {movie: random_.choice(directed)[1] for movie, _ in picked[: changes.crews]}
    renamed = {person for _, person in picked[changes.crews :]}
    people = [b"nm%d" % (_FIRST_NEW_NUMBER + at) for at in range(len(new))]
    with _packed(folder / CREW_FILE) as crew:
        for line in _lines(dumps / CREW_FILE):
            fields = line.split(b"\t")
            crew.write(b"\t".join((fields[0], crews[fields[0]], fields[2])) if fields[0] in crews else line)
        for movie, person in zip(new, people, strict=True):
            crew.write(b"%s\t%s\t%s\n" % (movie, person, person))
    with _packed(folder / NAMES_FILE) as names:
        for line in _lines(dumps / NAMES_FILE):
            fields = line.split(b"\t", 2)
            names.write(
                b"\t".join((fields[0], b"New " + fields[1], fields[2])) if fields[0] in renamed else line
            )
        for person in people:
            names.write(b"%s\tNewcomer %s\t1999\t\\N\tdirector\t\\N\n" % (person, person))
    for name, row in (
        (CAST_FILE, b"%(movie)s\t1\t%(person)s\tactress\t\\N\t\\N\n"),
        (AKAS_FILE, b"%(movie)s\t1\tAutre titre\tFR\t\\N\timdbDisplay\t\\N\t0\n"),
    ):
        if name in files:
            shutil.copyfile(dumps / name, folder / name)
            rows = [row % {b"movie": one, b"person": who} for one, who in zip(new, people, strict=True)]
            with (folder / name).open("ab") as file:
                file.write(igzip.compress(b"".join(rows)))
    noted.write_text(stamp, "utf-8")


def _is_movie(line: bytes) -> bool:
    return line.split(b"\t", 2)[1] == b"movie"


def _lines(path: Path) -> Iterator[bytes]:
    with igzip.open(path, "rb") as file:  # type: ignore[no-untyped-call]
        yield from file


def _packed(path: Path) -> BinaryIO:
    return cast("BinaryIO", igzip.open(path, "wb", compresslevel=_GZIP_LEVEL))  # type: ignore[no-untyped-call]
