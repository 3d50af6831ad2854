"""Which ids a set of dumps holds, in their order, and what each of them is.

It is all that the dumps have in common and that no block can decide alone: the exact number of
movies and of ratings, and which id comes after which. It takes a few bytes a title.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from movie_testing import dump_skews
from movie_testing.dump_skews import TYPES, Booleans, Floats, Integers
from movie_testing.dump_voices import ODD_TITLES

MOVIE: Final = TYPES.index("movie")
ORPHAN: Final = len(TYPES)
"""In place of a type: the id has a rating, and no title."""

_RATED_MOVIE_SHARE: Final = 0.45
_ORPHAN_SHARE: Final = 0.0005
_FIRST_ID_OF_EIGHT_DIGITS: Final = 10_000_000


@dataclass(frozen=True)
class Plan:
    """Which ids there are, in the dumps' order, and what each is.

    Attributes:
        ids: The digits of each IMDb id, shape (n,), int32.
        types: Its place in `TYPES`, or `ORPHAN`, shape (n,), uint8.
        is_rated: Whether it has a rating, shape (n,).
        odd_rows: Rows of the movies that bear an odd title, ascending; the first row bears the
            first one, and so on.
    """

    ids: np.ndarray[tuple[int], np.dtype[np.int32]]
    types: np.ndarray[tuple[int], np.dtype[np.uint8]]
    is_rated: Booleans
    odd_rows: Integers


def make_plan(*, titles: int, movies: int, ratings: int, seed: int) -> Plan:
    """Which ids there are and what each is, by chance.

    Raises:
        ValueError: There are more movies, or ratings, than titles.
    """
    orphans = int(ratings * _ORPHAN_SHARE)
    if movies > titles or ratings - orphans > titles:
        raise ValueError(f"{titles} titles cannot hold {movies} movies and {ratings} ratings")
    rng = np.random.default_rng(seed)
    ids = dump_skews.spread_ids(rng, titles + orphans)
    # The dumps are in the order of the ids as text: tt0100001, tt10000010, tt1000002.
    has_seven_digits = ids < _FIRST_ID_OF_EIGHT_DIGITS
    ids = ids[np.argsort(np.where(has_seven_digits, ids * 20, ids * 2 + 1))]

    types = np.full(len(ids), ORPHAN, np.uint8)
    is_orphan = np.zeros(len(ids), np.bool_)
    is_orphan[rng.choice(len(ids), orphans, replace=False)] = True
    shares = list(dump_skews.TYPE_SHARES.values())
    types[~is_orphan] = dump_skews.places_by_share(shares, rng.random(titles))
    types[_chosen(rng, movies, dump_skews.movie_weights(ids) * ~is_orphan)] = MOVIE

    is_rated = is_orphan.copy()
    is_movie = types == MOVIE
    rated = ratings - orphans
    rated_movies = max(min(round(movies * _RATED_MOVIE_SHARE), rated), rated - (titles - movies))
    is_rated[_chosen(rng, rated_movies, is_movie)] = True
    is_rated[_chosen(rng, rated - rated_movies, ~is_movie & ~is_orphan)] = True

    movie_rows = np.flatnonzero(is_movie)
    odd_places = np.linspace(0, movies - 1, min(movies, len(ODD_TITLES))).astype(np.int64)
    return Plan(ids.astype(np.int32), types, is_rated, movie_rows[odd_places])


def _chosen(rng: np.random.Generator, count: int, weights: Floats | Booleans) -> Integers:
    """`count` different rows, drawn by weight; rows of weight 0 are never among them."""
    rows = np.flatnonzero(weights)
    # The smallest of "exponential noise / weight" are a weighted draw without replacement.
    keys = rng.exponential(size=len(rows)) / weights[rows]
    return rows[np.argpartition(keys, count - 1)[:count]] if count else rows[:0]
