"""The genre fields of the made-up titles, and what a title's genres mean for its ratings."""

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from movie_testing.dump_skews import Floats, Integers

GENRES: Final = {
    # Weights in classic films (before 1960), in later films, and on television. They are not the
    # shares: a film has up to three genres, and the second goes well with the first.
    "Action": (3.5, 8, 4),
    "Adult": (0, 0, 0),
    "Adventure": (6, 4, 6),
    "Animation": (0.5, 1.6, 10),
    "Biography": (1.5, 2, 1),
    "Comedy": (22, 12.5, 24),
    "Crime": (7, 5.5, 7),
    "Documentary": (5, 29, 12),
    "Drama": (48, 34, 28),
    "Family": (2, 3, 12),
    "Fantasy": (1.5, 3, 3),
    "Film-Noir": (1.8, 0, 0),
    "Game-Show": (0, 0.03, 8),
    "History": (2.5, 2.2, 3),
    "Horror": (1.2, 7, 1),
    "Music": (2.5, 2.2, 5),
    "Musical": (5, 1.2, 0.3),
    "Mystery": (2.5, 3, 3),
    "News": (0, 0.3, 13),
    "Reality-TV": (0, 0.12, 13),
    "Romance": (14, 7, 14),
    "Sci-Fi": (0.7, 2.6, 2),
    "Short": (0, 0, 0),
    "Sport": (0.8, 1.5, 6),
    "Talk-Show": (0, 0.04, 17),
    "Thriller": (1.5, 6, 1.5),
    "War": (4, 1, 0.5),
    "Western": (8, 0.5, 1),
}
_COMPANIONS: Final = {
    "Action": ("Adventure", "Crime", "Thriller", "Drama", "Sci-Fi", "Fantasy"),
    "Documentary": ("Biography", "History", "Music", "Sport", "War", "News", "Family"),
    "Drama": ("Romance", "Comedy", "Crime", "Thriller", "Family", "History", "War", "Mystery"),
    "Comedy": ("Drama", "Romance", "Family", "Musical", "Music", "Crime", "Animation"),
    "Horror": ("Thriller", "Mystery", "Sci-Fi", "Fantasy"),
    "Crime": ("Drama", "Film-Noir", "Mystery", "Thriller"),
    "Animation": ("Adventure", "Family", "Comedy", "Fantasy"),
    "Western": ("Action", "Adventure", "Drama", "Romance"),
}
_COMPANION_FACTOR: Final = 5.0
_FICTION_AND_FACT_FACTOR: Final = 0.04
_GENRES_PER_TITLE: Final = (0.47, 0.31, 0.22)  # One, two and three genres.

# What a genre adds to the average, and how far it stretches the tail of the votes.
_RATING_SHIFTS: Final = {
    "Adult": -0.3,
    "Animation": 0.3,
    "Biography": 0.3,
    "Documentary": 0.9,
    "Drama": 0.1,
    "History": 0.3,
    "Horror": -0.9,
    "Sci-Fi": -0.4,
    "Thriller": -0.3,
}
_VOTE_FACTORS: Final = {
    "Action": 1.12,
    "Adult": 0.8,
    "Adventure": 1.1,
    "Documentary": 0.75,
    "Sci-Fi": 1.12,
    "Thriller": 1.05,
    "Western": 0.95,
}

NO_GENRES: Final = 0
"""The place of the null among the genre fields."""

_POOLS: Final = (("classic", 0, None), ("modern", 1, None), ("television", 2, None),
                 ("adult", 1, "Adult"), ("short", 1, "Short"))  # fmt: skip
_POOL_FIELDS: Final = 8192


@dataclass(frozen=True)
class GenreFields:
    """Ready-made genre fields, of which each title takes one by its place.

    Attributes:
        text: The fields as the dumps hold them (`Action,Crime`), shape (n,); the null first.
        counts: How many genres each field names, shape (n,).
        rating_shifts: What the genres add to a title's average, shape (n,).
        vote_factors: How far the genres stretch the tail of the votes, shape (n,).
    """

    text: pa.Array
    counts: Integers
    rating_shifts: Floats
    vote_factors: Floats

    def draw(self, rng: np.random.Generator, pools: Integers) -> Integers:
        """The place of a field from each of the pools (see `pool`), shape (n,)."""
        return 1 + pools * _POOL_FIELDS + rng.integers(0, _POOL_FIELDS, len(pools))


def pool(name: str) -> int:
    """The number of a pool of genre fields: classic, modern, television, adult or short."""
    return [name_of_pool for name_of_pool, _, _ in _POOLS].index(name)


@functools.cache
def genre_fields() -> GenreFields:
    """The fields that titles draw from, the same in every run.

    A frequent combination stands in its pool many times, so an even draw has the weights' skew.
    """
    rng = np.random.default_rng(len(GENRES))
    combinations: list[list[str]] = [[]]
    for _, column, always in _POOLS:
        combinations += _combinations(rng, column, always)
    return GenreFields(
        pa.array([",".join(genres) or "\\N" for genres in combinations], pa.string()),
        np.array([len(genres) for genres in combinations]),
        np.array([sum(_RATING_SHIFTS.get(genre, 0.0) for genre in genres) for genres in combinations]),
        np.array([np.prod([_VOTE_FACTORS.get(genre, 1.0) for genre in genres]) for genres in combinations]),
    )


def _combinations(rng: np.random.Generator, column: int, always: str | None) -> list[list[str]]:
    """Genres of `_POOL_FIELDS` titles, each list of one to three in alphabetical order.

    Args:
        rng: Where the chance comes from.
        column: Which of the weights in `GENRES`.
        always: A genre that each title has, whatever its weight.
    """
    names = list(GENRES)
    with np.errstate(divide="ignore"):
        logs = np.log([weights[column] for weights in GENRES.values()])

    def pick(scores: Floats) -> Integers:
        # The largest of "log weight + Gumbel noise" is a draw by weight, for all rows at once.
        picked: Integers = np.argmax(scores + rng.gumbel(size=(_POOL_FIELDS, len(names))), axis=1)
        return picked

    rows = np.arange(_POOL_FIELDS)
    first = pick(logs) if always is None else np.full(_POOL_FIELDS, names.index(always))
    scores = logs + np.log(_affinities(names))[first]
    scores[rows, first] = -np.inf
    second = pick(scores)
    scores[rows, second] = -np.inf
    third = pick(scores)
    lengths = rng.choice([1, 2, 3], _POOL_FIELDS, p=_GENRES_PER_TITLE)
    return [
        sorted(names[place] for place in places[:length])
        for *places, length in np.stack([first, second, third, lengths], axis=1).tolist()
    ]


def _affinities(names: list[str]) -> Floats:
    """How much likelier a genre becomes when a title has another one: shape (first, second)."""
    affinities = np.ones((len(names), len(names)))
    documentary = names.index("Documentary")
    affinities[documentary, :] = affinities[:, documentary] = _FICTION_AND_FACT_FACTOR
    for first, companions in _COMPANIONS.items():
        affinities[names.index(first), [names.index(name) for name in companions]] = _COMPANION_FACTOR
    return affinities
