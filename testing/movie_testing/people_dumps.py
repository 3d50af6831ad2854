"""Dumps of people and other titles like IMDb's, made up, beside dumps of titles that are there.

Each is made by itself, from the titles alone and a seed: the same titles and seed give the same
bytes. Of the people, an eighth work on movies; a few of them made hundreds, most made one.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from movie_testing import dump_files, dump_names, dump_titles, dump_voices
from movie_testing.dump_files import Dump, imdb_ids, read_blocks, texts
from movie_testing.dump_names import FAMOUS_NAMES, ODD_NAMES, draw_names
from movie_testing.dump_skews import Booleans, Integers
from movie_testing.dumps import TITLES_FILE
from movie_testing.tsv import AKA_COLUMNS, CAST_COLUMNS, CREW_COLUMNS, NAME_COLUMNS

CREW_FILE: Final = "title.crew.tsv.gz"
NAMES_FILE: Final = "name.basics.tsv.gz"
CAST_FILE: Final = "title.principals.tsv.gz"
AKAS_FILE: Final = "title.akas.tsv.gz"

_PEOPLE_PER_TITLE: Final = 1.2
_MOVIE_PEOPLE: Final = 8  # Of so many people, one works on movies.
_IDS_PER_PERSON: Final = 1.2
_NAMELESS: Final = 5_000  # Of so many people, one has no row among the names.
_FAME: Final = 2.4
_BORN_SHARE: Final = 0.05
_DIED_SHARE: Final = 0.4  # Of those whose birth is known.
_FIRST_ID_OF_EIGHT_DIGITS: Final = 10_000_000
_NAME_ROWS: Final = 250_000

# How many there are of each, in movies and in all other titles: none, one, two, three.
_DIRECTORS: Final = ((0.04, 0.87, 0.07, 0.02), (0.45, 0.5, 0.04, 0.01))
_WRITERS: Final = ((0.2, 0.48, 0.22, 0.1), (0.5, 0.3, 0.15, 0.05))
_OWN_SCRIPT_SHARE: Final = 0.35
_BILLED: Final = (11.0, 7.3)  # People in `title.principals`, on an average.
_ENGLISH_SHARE: Final = 0.5  # At least; the others' titles are of any language.
_CAST_SHARE: Final = 0.5
_AKAS: Final = (4.4, 3.1)  # Titles in other countries, on an average.
_CAST: Final = ("actor", "actress", "actor", "actress", "self")
_CREW: Final = (
    "director",
    "writer",
    "producer",
    "composer",
    "cinematographer",
    "editor",
    "production_designer",
)
_REGIONS: Final = ("US", "GB", "DE", "FR", "JP", "IN", "ES", "PT", "IT", "RU", "BR", "TR", "KR", "CN", "XWW")
_LANGUAGES: Final = ("\\N", "\\N", "\\N", "en", "ja", "hi", "tr", "cmn", "fr")

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class _Titles:
    """A block of titles: their ids, original titles, which are movies, and how many movies came before."""

    number: int
    ids: pa.Array
    original: pa.Array
    is_movie: Booleans
    movies_before: int

    def by_kind(self, shares: tuple[float, float]) -> "np.typing.NDArray[np.float64]":
        """The first figure for movies, the second for all others."""
        return np.where(self.is_movie, *shares)


@dataclass(frozen=True)
class _People:
    """All people there are: the digits of their ids, in the order of the dumps, shape (n,)."""

    ids: Integers

    @classmethod
    def of(cls, folder: Path, seed: int) -> "_People":
        titles = sum(len(block) for block in read_blocks(folder / TITLES_FILE, ["tconst"]))
        count = max(int(titles * _PEOPLE_PER_TITLE), _MOVIE_PEOPLE * (len(ODD_NAMES) + len(FAMOUS_NAMES)))
        rng = np.random.default_rng([seed, 11])
        # Each within its own stretch, and at least one after the one before.
        ids = np.floor(np.arange(count) * _IDS_PER_PERSON + rng.random(count) * (_IDS_PER_PERSON - 1)) + 1
        ids = ids.astype(np.int64)
        has_seven_digits = ids < _FIRST_ID_OF_EIGHT_DIGITS
        return cls(ids[np.argsort(np.where(has_seven_digits, ids * 20, ids * 2 + 1))])

    def draw(self, rng: np.random.Generator, is_movie: Booleans) -> Integers:
        """Somebody for each title, shape (n,)."""
        count = len(is_movie)
        of_movies = (rng.random(count) ** _FAME * (len(self.ids) // _MOVIE_PEOPLE)).astype(np.int64)
        # The most famous have the lowest ids, but not the very first ones.
        return np.where(is_movie, of_movies * _MOVIE_PEOPLE, rng.integers(0, len(self.ids), count))


def write_crew(folder: Path, *, seed: int = 1, progress: Progress | None = None) -> int:
    """Writes `title.crew.tsv.gz`, a row a title, and returns how many."""
    people = _People.of(folder, seed)
    rows = 0
    with Dump(folder / CREW_FILE, CREW_COLUMNS) as dump:
        for titles in _told(_title_blocks(folder), "crew", progress):
            rng = np.random.default_rng([seed, titles.number, 12])
            directors = _draw_people(rng, people, titles, _DIRECTORS)
            writers = _draw_people(rng, people, titles, _WRITERS)
            is_own = (rng.random(len(titles.ids)) < _OWN_SCRIPT_SHARE) & (writers[0] >= 0)
            writers[0] = np.where(is_own & (directors[0] >= 0), directors[0], writers[0])
            _give_odd_people(titles, directors[0])
            dump.append(
                pc.binary_join_element_wise(
                    titles.ids, "\t", _lists(people, directors), "\t", _lists(people, writers), "\n", ""
                )
            )
            rows += len(titles.ids)
    return rows


def write_names(folder: Path, *, seed: int = 1, progress: Progress | None = None) -> int:
    """Writes `name.basics.tsv.gz`, a row a person, and returns how many."""
    people = _People.of(folder, seed)
    known_for = np.concatenate(
        [
            np.asarray(pc.cast(pc.utf8_slice_codeunits(block["tconst"], 2, 12), pa.int64()))
            for block in read_blocks(folder / TITLES_FILE, ["tconst"])
        ]
    )
    rows = 0
    with Dump(folder / NAMES_FILE, NAME_COLUMNS) as dump:
        for start in range(0, len(people.ids), _NAME_ROWS):
            rng = np.random.default_rng([seed, start // _NAME_ROWS, 13])
            at = np.arange(start, min(start + _NAME_ROWS, len(people.ids)))
            block = _name_rows(rng, people, at, known_for)
            dump.append(block)
            rows += len(block)
            if progress is not None:
                progress("names", rows)
    return rows


def _name_rows(rng: np.random.Generator, people: _People, at: Integers, known_for: Integers) -> pa.Array:
    names = draw_names(rng, len(at))
    for odd, place in _places_of_known_names().items():
        if at[0] <= place <= at[-1]:
            is_here = pa.array(at == place)
            names = pc.if_else(is_here, odd, names)
    born = np.where(rng.random(len(at)) < _BORN_SHARE, rng.integers(1860, 2010, len(at)), 0)
    died = np.where(
        (born > 0) & (rng.random(len(at)) < _DIED_SHARE),
        np.minimum(born + rng.integers(20, 99, len(at)), 2026),
        0,
    )
    years = pa.array(["\\N", *map(str, range(1, 2100))])
    professions = pa.array(["actor", "actress", "director", "writer,producer", "miscellaneous", "\\N"])
    rows = pc.binary_join_element_wise(
        imdb_ids("nm", people.ids[at]),
        names,
        texts(years, born),
        texts(years, died),
        texts(professions, rng.integers(0, 6, len(at))),
        imdb_ids("tt", known_for[rng.integers(0, len(known_for), len(at))]),
        "\t",
    )
    is_named = (at % _NAMELESS != _MOVIE_PEOPLE) | (at < _MOVIE_PEOPLE * 100)
    return pc.binary_join_element_wise(rows, "\n", "").filter(pa.array(is_named))


def _places_of_known_names() -> dict[str, int]:
    """Who among the people is called by one of the known names."""
    return {name: place * _MOVIE_PEOPLE for place, name in enumerate((*FAMOUS_NAMES, *ODD_NAMES))}


def write_cast(folder: Path, *, seed: int = 1, progress: Progress | None = None) -> int:
    """Writes `title.principals.tsv.gz`, and returns how many rows."""
    people = _People.of(folder, seed)
    rows = 0
    with Dump(folder / CAST_FILE, CAST_COLUMNS) as dump:
        for titles in _told(_title_blocks(folder), "cast", progress):
            rng = np.random.default_rng([seed, titles.number, 14])
            counts = rng.poisson(titles.by_kind(_BILLED))
            at, positions = _repeated(counts)
            is_cast = positions <= np.rint(counts * _CAST_SHARE)[at]
            categories = np.where(
                is_cast,
                rng.integers(0, len(_CAST), len(at)),
                len(_CAST) + rng.integers(0, len(_CREW), len(at)),
            )
            roles = np.where(is_cast, 1 + rng.integers(0, 999, len(at)), 0)
            dump.append(
                pc.binary_join_element_wise(
                    titles.ids.take(pa.array(at)),
                    texts([str(position) for position in range(100)], np.minimum(positions, 99)),
                    imdb_ids("nm", people.ids[people.draw(rng, titles.is_movie[at])]),
                    texts([*_CAST, *_CREW], categories),
                    texts(
                        ["\\N", "\\N", "\\N", "producer", "based on the novel by"],
                        rng.integers(0, 5, len(at)),
                    ),
                    texts(["\\N\n", *(f'["Role, {role}","Self"]\n' for role in range(1, 1000))], roles),
                    "\t",
                )
            )
            rows += len(at)
    return rows


def write_akas(folder: Path, *, seed: int = 1, progress: Progress | None = None) -> int:
    """Writes `title.akas.tsv.gz`, and returns how many rows."""
    rows = 0
    with Dump(folder / AKAS_FILE, AKA_COLUMNS) as dump:
        for titles in _told(_title_blocks(folder), "other titles", progress):
            rng = np.random.default_rng([seed, titles.number, 15])
            at, positions = _repeated(1 + rng.poisson(titles.by_kind(_AKAS)))
            is_original = positions == 1
            everyone = np.ones(len(at), np.bool_)
            voices = np.where(
                rng.random(len(at)) < _ENGLISH_SHARE,
                dump_titles.draw_voices(rng, everyone, ~everyone),
                dump_titles.draw_foreign_voices(rng, len(at)),
            )
            others = dump_titles.draw_titles(rng, voices)
            dump.append(
                pc.binary_join_element_wise(
                    titles.ids.take(pa.array(at)),
                    texts([str(position) for position in range(100)], np.minimum(positions, 99)),
                    pc.if_else(pa.array(is_original), titles.original.take(pa.array(at)), others),
                    texts(
                        ["\\N", *_REGIONS],
                        np.where(is_original, 0, 1 + rng.integers(0, len(_REGIONS), len(at))),
                    ),
                    texts(_LANGUAGES, np.where(is_original, 0, rng.integers(0, len(_LANGUAGES), len(at)))),
                    texts(["imdbDisplay\t\\N\t0\n", "original\t\\N\t1\n"], is_original),
                    "\t",
                )
            )
            rows += len(at)
    return rows


def people_fingerprint() -> str:
    """Changes whenever the code does that decides these dumps' bytes."""
    modules = (dump_files, dump_names, dump_titles, dump_voices)
    files = [Path(__file__), *(Path(str(module.__file__)) for module in modules)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _title_blocks(folder: Path) -> Iterator[_Titles]:
    movies = 0
    blocks = read_blocks(folder / TITLES_FILE, ["tconst", "titleType", "originalTitle"])
    for number, block in enumerate(blocks):
        is_movie = np.asarray(pc.equal(block["titleType"], "movie"))
        yield _Titles(number, block["tconst"], block["originalTitle"], is_movie, movies)
        movies += int(is_movie.sum())


def _told(blocks: Iterator[_Titles], what: str, progress: Progress | None) -> Iterator[_Titles]:
    """The blocks; tells how many titles are done after each."""
    done = 0
    for block in blocks:
        yield block
        done += len(block.ids)
        if progress is not None:
            progress(what, done)


def _repeated(counts: Integers) -> tuple[Integers, Integers]:
    """Each row as often as it counts, and which of these it is, from 1. Shapes (n,), (m,), (m,)."""
    at = np.repeat(np.arange(len(counts)), counts)
    return at, np.arange(1, len(at) + 1) - (np.cumsum(counts) - counts)[at]


def _draw_people(
    rng: np.random.Generator, people: _People, titles: _Titles, shares: tuple[tuple[float, ...], ...]
) -> list[Integers]:
    """Up to three people for each title, -1 for nobody; three arrays of shape (n,)."""
    fractions = rng.random(len(titles.ids))
    of_movies, of_others = (np.searchsorted(np.cumsum(part)[:-1], fractions, side="right") for part in shares)
    counts = np.where(titles.is_movie, of_movies, of_others)
    return [np.where(counts > nth, people.draw(rng, titles.is_movie), -1) for nth in range(3)]


def _give_odd_people(titles: _Titles, directors: Integers) -> None:
    """Has each of the odd people direct one of the first movies."""
    movies = np.flatnonzero(titles.is_movie)
    first = titles.movies_before
    for nth, at in enumerate(movies[: max(0, len(ODD_NAMES) - first)].tolist(), start=first):
        directors[at] = (len(FAMOUS_NAMES) + nth) * _MOVIE_PEOPLE


def _lists(people: _People, drawn: list[Integers]) -> pa.Array:
    """The ids of each title's people, divided by commas; null as the dumps write it."""
    parts = [
        pc.if_else(
            pa.array(places >= 0),
            pc.binary_join_element_wise("," if nth else "", imdb_ids("nm", people.ids[places]), ""),
            "" if nth else "\\N",
        )
        for nth, places in enumerate(drawn)
    ]
    return pc.binary_join_element_wise(*parts, "")
