"""Dumps like IMDb's of any size, made up, the same for the same seed.

`write_dumps` makes full-size ones for the benchmarks in some 20 seconds, and small ones for tests.
Nothing in them is IMDb's: words, numbers and ids are drawn by chance, with the skews of the real
ones. A plan of all ids and their types is made first (a few bytes a title); the rows are then
drawn, joined and compressed block by block, as arrays, so memory does not grow with the text.

The bytes are the same on the same machine: another processor may round a logarithm otherwise.
The dumps of people and other titles are made beside these, by `movie_testing.people_dumps`.
"""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from movie_testing import dump_files, dump_genres, dump_plan, dump_skews, dump_titles, dump_voices
from movie_testing.dump_files import Dump, imdb_ids, texts
from movie_testing.dump_plan import MOVIE, ORPHAN, Plan, make_plan
from movie_testing.dump_skews import LAST_YEAR, TYPES, Booleans, Integers
from movie_testing.dump_voices import ODD_TITLES
from movie_testing.tsv import RATING_COLUMNS, TITLE_COLUMNS

TITLES_FILE: Final = "title.basics.tsv.gz"
RATINGS_FILE: Final = "title.ratings.tsv.gz"

_EPISODE: Final = TYPES.index("tvEpisode")
_SHORTS: Final = (TYPES.index("short"), TYPES.index("tvShort"))
_SERIES: Final = (TYPES.index("tvSeries"), TYPES.index("tvMiniSeries"))

_BLOCK_ROWS: Final = 250_000
_ADULT_SHARE: Final = 0.015
_GENRELESS_SHARES: Final = (0.11, 0.04)  # Of movies, and of all other titles.
_EPISODES_PER_RUN: Final = 8
_MODERN_YEAR: Final = 1960
_ENDED_SHARE: Final = 0.6
_YEARS: Final = pa.array(["\\N", *(str(year) for year in range(1, LAST_YEAR + 1))])
_SAME_TITLE_SHARES: Final = (0.85, 0.96)  # Original and primary title alike, in the same order.

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class DumpCounts:
    """What is in a set of dumps.

    Attributes:
        titles: Rows of `title.basics.tsv.gz`.
        movies: Those of them whose type is `movie`.
        movie_genres: Pairs of a movie and one of its genres.
        ratings: Rows of `title.ratings.tsv.gz`.
        rated_movies: Those of them whose title is a movie.
        orphan_ratings: Those of them that belong to no title.
    """

    titles: int = 0
    movies: int = 0
    movie_genres: int = 0
    ratings: int = 0
    rated_movies: int = 0
    orphan_ratings: int = 0

    def __add__(self, other: "DumpCounts") -> "DumpCounts":
        """The counts of both together."""
        names = [field.name for field in fields(self)]
        return DumpCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})


def write_dumps(
    folder: Path,
    *,
    titles: int = 11_800_000,
    movies: int = 720_000,
    ratings: int = 1_600_000,
    seed: int = 1,
    progress: Progress | None = None,
) -> DumpCounts:
    """Writes `title.basics.tsv.gz` and `title.ratings.tsv.gz`; the same seed gives the same bytes.

    Args:
        folder: Where to; made if it is not there. Files of these names are replaced.
        titles: Rows of titles, of all types.
        movies: How many of them are movies.
        ratings: Rows of ratings, a few of which belong to no title.
        seed: Another one gives other dumps of the same sizes.
        progress: Told (what is made, titles done, titles in all) after each block.

    Raises:
        ValueError: There are more movies, or ratings, than titles.
    """
    plan = make_plan(titles=titles, movies=movies, ratings=ratings, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    counts = DumpCounts()
    with ExitStack() as stack:
        titles_dump = stack.enter_context(Dump(folder / TITLES_FILE, TITLE_COLUMNS))
        ratings_dump = stack.enter_context(Dump(folder / RATINGS_FILE, RATING_COLUMNS))
        for number, start in enumerate(range(0, len(plan.ids), _BLOCK_ROWS)):
            block = _draw_block(
                plan, slice(start, start + _BLOCK_ROWS), np.random.default_rng([seed, number])
            )
            titles_dump.append(block.titles)
            ratings_dump.append(block.ratings)
            counts += block.counts
            if progress is not None:
                progress("titles and ratings", counts.titles, titles)
    return counts


def generator_fingerprint() -> str:
    """Changes whenever the code does that decides the dumps' bytes."""
    modules = (dump_files, dump_genres, dump_plan, dump_skews, dump_titles, dump_voices)
    files = [Path(__file__), *(Path(str(module.__file__)) for module in modules)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


@dataclass(frozen=True)
class _Block:
    """Rows of each dump, as one string a row (newline included), and how many there are of what."""

    titles: pa.Array
    ratings: pa.Array
    counts: DumpCounts


def _draw_block(plan: Plan, rows: slice, rng: np.random.Generator) -> _Block:
    is_orphan = plan.types[rows] == ORPHAN
    # An orphan is drawn like an episode, and its row of the titles is left out at the end.
    ids, types = plan.ids[rows].astype(np.int64), np.where(is_orphan, _EPISODE, plan.types[rows])
    is_movie, rated = types == MOVIE, np.flatnonzero(plan.is_rated[rows])
    alike = _rows_to_be_like(rng, types)
    years = dump_skews.draw_years(rng, ids)[alike]
    runtimes = dump_skews.draw_runtimes(rng, is_movie)[alike]
    is_adult = (rng.random(len(ids)) < _ADULT_SHARE)[alike]
    genre_fields = dump_genres.genre_fields()
    genres = _draw_genres(rng, types, years, is_adult)[alike]
    voices = dump_titles.draw_voices(rng, is_movie, types == _EPISODE)[alike]
    tconsts = imdb_ids("tt", ids)
    title_rows = pc.binary_join_element_wise(
        tconsts,
        texts([f"\t{name}\t" for name in TYPES], types),
        _draw_both_titles(rng, voices, is_movie, _odd_titles(plan, rows)),
        texts(["\t0\t", "\t1\t"], is_adult),
        texts(_YEARS, years),
        "\t",
        texts(_YEARS, _draw_end_years(rng, types, years)),
        "\t",
        _minutes(runtimes),
        "\t",
        genre_fields.text.take(pa.array(genres)),
        "\n",
        "",
    )
    votes = dump_skews.draw_votes(
        rng, years[rated], is_movie[rated], genre_fields.vote_factors[genres[rated]]
    )
    tenths = dump_skews.draw_averages(rng, votes, is_movie[rated], genre_fields.rating_shifts[genres[rated]])
    rating_rows = pc.binary_join_element_wise(
        tconsts.take(pa.array(rated)),
        texts([f"\t{tenth / 10:.1f}\t" for tenth in range(101)], tenths),
        pa.array(votes).cast(pa.string()),
        "\n",
        "",
    )
    counts = DumpCounts(
        titles=int((~is_orphan).sum()),
        movies=int(is_movie.sum()),
        movie_genres=int(genre_fields.counts[genres[is_movie]].sum()),
        ratings=len(rated),
        rated_movies=int(is_movie[rated].sum()),
        orphan_ratings=int(is_orphan.sum()),
    )
    return _Block(title_rows.filter(pa.array(~is_orphan)), rating_rows, counts)


def _rows_to_be_like(rng: np.random.Generator, types: Integers) -> Integers:
    """For each row the one whose year, runtime, genres and manner of title it has, shape (n,).

    The episodes of a series were registered one after another, so they come in runs that are
    alike; it is what makes IMDb's dumps compress as well as they do. Other titles are like
    themselves.
    """
    rows = np.arange(len(types))
    episodes = np.flatnonzero(types == _EPISODE)
    begins_run = rng.random(len(episodes)) < 1 / _EPISODES_PER_RUN
    rows[episodes] = np.maximum.accumulate(np.where(begins_run, episodes, episodes[:1]))
    return rows


def _minutes(runtimes: Integers) -> pa.Array:
    """The runtimes as the dumps hold them, null for 0, shape (n,)."""
    minutes = pa.array(runtimes)
    return pc.if_else(pc.equal(minutes, 0), "\\N", minutes.cast(pa.string()))


def _draw_both_titles(
    rng: np.random.Generator, voices: Integers, is_movie: Booleans, odd_titles: dict[int, str]
) -> pa.Array:
    """Primary and original title of each row, with the tab between them, shape (n,).

    Args:
        rng: Where the chance comes from.
        voices: What the primary title is drawn from, shape (n,).
        is_movie: Shape (n,).
        odd_titles: The rows that bear a title from the list, and which.
    """
    is_odd = np.zeros(len(voices), np.bool_)
    is_odd[list(odd_titles)] = True
    differs = ~is_odd & (rng.random(len(voices)) >= np.where(is_movie, *_SAME_TITLE_SHARES))
    other_titles = dump_titles.draw_titles(rng, dump_titles.draw_foreign_voices(rng, int(differs.sum())))
    primary = pc.replace_with_mask(
        dump_titles.draw_titles(rng, voices), pa.array(is_odd), pa.array(odd_titles.values(), pa.string())
    )
    original = pc.replace_with_mask(primary, pa.array(differs), other_titles)
    return pc.binary_join_element_wise(primary, original, "\t")


def _odd_titles(plan: Plan, rows: slice) -> dict[int, str]:
    """The rows of a block that bear one of the odd titles, ascending, and which."""
    return {
        row - rows.start: title
        for row, title in zip(plan.odd_rows.tolist(), ODD_TITLES, strict=False)
        if rows.start <= row < rows.stop
    }


def _draw_genres(rng: np.random.Generator, types: Integers, years: Integers, is_adult: Booleans) -> Integers:
    """Places among the genre fields, shape (n,)."""
    is_movie = types == MOVIE
    pools = np.select(
        [is_adult, np.isin(types, _SHORTS), ~is_movie, (years > 0) & (years < _MODERN_YEAR)],
        [dump_genres.pool(name) for name in ("adult", "short", "television", "classic")],
        dump_genres.pool("modern"),
    )
    is_null = rng.random(len(types)) < np.where(is_movie, *_GENRELESS_SHARES)
    return np.where(is_null, dump_genres.NO_GENRES, dump_genres.genre_fields().draw(rng, pools))


def _draw_end_years(rng: np.random.Generator, types: Integers, years: Integers) -> Integers:
    """The last year of series that have ended, else 0, shape (n,)."""
    has_ended = np.isin(types, _SERIES) & (years > 0) & (rng.random(len(types)) < _ENDED_SHARE)
    last_years = np.minimum(years + rng.geometric(0.4, len(types)) - 1, LAST_YEAR)
    return np.where(has_ended, last_years, 0)
