"""How IMDb's numbers are spread: types, ids, years, runtimes, averages and votes.

The figures are rough ones of the dumps of 2025; what matters to the benchmarks is their shape:
which years are full, how many values are missing, how few films hold most of the votes.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

FIRST_YEAR: Final = 1894
LAST_YEAR: Final = 2031

TYPE_SHARES: Final = {
    "movie": 0.0,  # As many as are asked for; the shares below divide the others.
    "tvEpisode": 81.3,
    "short": 9.8,
    "video": 2.9,
    "tvSeries": 2.7,
    "tvMovie": 1.4,
    "tvMiniSeries": 0.6,
    "tvSpecial": 0.48,
    "videoGame": 0.41,
    "tvShort": 0.1,
    "tvPilot": 0.003,
}
TYPES: Final = tuple(TYPE_SHARES)

# Ids were handed out in the order of registration, so an id roughly tells when its film came out:
# the first 100,000 are the films of a whole century, the last 20 million those of five years.
_LARGEST_ID: Final = 37_000_000
_ID_BY_RANK: Final = ((0.0, 0.08, 0.20, 0.55, 1.0), (1, 1e6, 2.5e6, 1e7, _LARGEST_ID))
_YEAR_BY_ID: Final = (
    (1, 2e4, 5e4, 1e5, 2e5, 4.5e5, 1e6, 2e6, 4e6, 1e7, 2e7, 3e7, _LARGEST_ID),
    (1908, 1932, 1958, 1988, 1998, 2005, 2008, 2012, 2014, 2019, 2022, 2024, 2027),
)
_MOVIE_WEIGHT_BY_ID: Final = (
    (1, 3e5, 4.5e5, 1e6, 3e6, 1e7, _LARGEST_ID),
    (10, 9, 4, 1.2, 0.95, 0.9, 1.0),
)
_LATE_ENTRY_SHARE: Final = 0.22

_YEARLESS_SHARE: Final = 0.13
_RUNTIMELESS_SHARES: Final = (0.35, 0.70)  # Of movies, and of all other titles.
_ROUND_RUNTIMES: Final = {90: 9, 60: 2.2, 70: 2, 75: 2, 80: 2.5, 85: 2.2, 88: 1.4, 95: 2, 100: 2.6, 105: 2,
                          110: 2.2, 120: 2.6, 150: 1.6}  # fmt: skip
_LONGEST_USUAL_RUNTIME: Final = 320
_GIANT_RUNTIMES: Final = (51_420, 43_200, 14_400, 6_000, 873)
_GIANT_SHARE: Final = 4e-5

_VIDEO_YEAR: Final = 1970  # Films from then on are watched, and voted on, more.
_BEST_AVERAGE: Final = 10
_FEWEST_VOTES: Final = 5
_MOST_VOTES: Final = 3_100_000


def spread_ids(rng: np.random.Generator, count: int) -> Integers:
    """Ids in ascending order without repeats, dense at first and thin later, shape (count,)."""
    ranks, ids = _ID_BY_RANK
    # A dump larger than IMDb's needs a longer scale: below one id a rank they would repeat.
    scale = max(1.0, count / 11_800_000)
    edges = np.interp(np.arange(count + 1) / max(1, count), ranks, ids) * scale
    return np.floor(edges[:-1] + rng.random(count) * (np.diff(edges) - 1)).astype(np.int64)


def movie_weights(ids: Integers) -> Floats:
    """How much likelier each id is a movie's than the rarest ones are, shape (n,)."""
    return np.interp(ids, *_MOVIE_WEIGHT_BY_ID)


def draw_years(rng: np.random.Generator, ids: Integers) -> Integers:
    """A year for each id, 0 for those that have none, shape (n,)."""
    count = len(ids)
    years = np.interp(ids, *_YEAR_BY_ID) + rng.normal(0, 2.0, count)
    is_late_entry = rng.random(count) < _LATE_ENTRY_SHARE
    years = np.where(is_late_entry, years - rng.exponential(16, count), years)
    years = np.clip(np.rint(years), FIRST_YEAR, LAST_YEAR)
    return np.where(rng.random(count) < _YEARLESS_SHARE, 0, years).astype(np.int64)


def draw_runtimes(rng: np.random.Generator, is_movie: Booleans) -> Integers:
    """Minutes for each title, 0 for those that have none, shape (n,)."""
    count = len(is_movie)
    minutes = np.arange(1, _LONGEST_USUAL_RUNTIME + 1)
    weights = np.exp(-(((minutes - 92) / 19) ** 2) / 2) + 0.12 * np.exp(-(((minutes - 105) / 50) ** 2) / 2)
    weights += 0.1 * np.exp(-(((minutes - 57) / 7) ** 2) / 2)
    weights[[minute - 1 for minute in _ROUND_RUNTIMES]] *= list(_ROUND_RUNTIMES.values())
    bounds = np.cumsum(weights) / weights.sum()
    features = minutes[np.searchsorted(bounds[:-1], rng.random(count))]
    episodes = np.clip(np.rint(rng.choice([22, 30, 44, 60, 10, 50], count) + rng.normal(0, 3, count)), 1, 90)
    runtimes = np.where(is_movie, features, episodes.astype(np.int64))
    giants = rng.choice(_GIANT_RUNTIMES, count)
    runtimes = np.where(is_movie & (rng.random(count) < _GIANT_SHARE), giants, runtimes)
    missing = rng.random(count) < np.where(is_movie, *_RUNTIMELESS_SHARES)
    return np.where(missing, 0, runtimes)


def draw_votes(
    rng: np.random.Generator, years: Integers, is_movie: Booleans, genre_factors: Floats
) -> Integers:
    """Votes of rated titles: a third below 20, some above a million; shape (n,)."""
    # A half-normal exponent gives both: the crowd at IMDb's least of five votes, and the tail.
    spread = np.where(is_movie, 3.4, 2.6) * genre_factors * np.where(years >= _VIDEO_YEAR, 1.03, 0.85)
    votes = _FEWEST_VOTES * np.exp(np.abs(rng.normal(0, 1, len(years))) * spread)
    return np.floor(votes / (1 + votes / _MOST_VOTES)).clip(_FEWEST_VOTES).astype(np.int64)


def draw_averages(
    rng: np.random.Generator, votes: Integers, is_movie: Booleans, genre_shifts: Floats
) -> Integers:
    """Average ratings in tenths, 10 to 100, shape (n,)."""
    # Few voters agree less than many do, and what many watch is a little better than the rest.
    fame = np.log(votes / _FEWEST_VOTES)
    means = np.where(is_movie, 5.85, 6.9) + genre_shifts + 0.1 * fame
    averages = rng.normal(means, 1.34 - 0.04 * fame)
    # The scale ends at 10: what would be above it is folded back, or 10.0 would be a peak.
    averages = np.where(averages > _BEST_AVERAGE, 2 * _BEST_AVERAGE - averages, averages)
    tenths: Integers = np.rint(averages.clip(1, _BEST_AVERAGE) * 10).astype(np.int64)
    return tenths


def places_by_share(shares: list[float], fractions: Floats) -> Integers:
    """For each fraction (0 to 1) the place in `shares` whose part of the whole it falls into."""
    bounds = np.cumsum(shares) / np.sum(shares)
    places: Integers = np.searchsorted(bounds[:-1], fractions, side="right")
    return places
