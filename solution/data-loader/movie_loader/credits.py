"""Who made which movie, gathered as numbers while dumps stream past: 16 bytes a credit."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from movie_loader.faults import Effect, Tally
from movie_loader.ids import (
    NO_ID,
    PERSON_PREFIX,
    TITLE_PREFIX,
    Bools,
    Int32s,
    Int64s,
    KeySet,
    keys_of_texts,
    texts_of_keys,
)

MOST_CREDITS: Final = 100
"""As many directors, writers or actors as a movie can have."""

SLICE_MOVIES: Final = 65_536
"""Movies whose credits are written together."""

SLICE_CREDITS: Final = 250_000
"""Credits that are looked at together."""

_POSITION_BITS: Final = 15
MOST_POSITIONS: Final = 1 << _POSITION_BITS
"""More than any movie has people or titles: positions are below."""


class Credits:
    """The people of one role: each movie's, in IMDb's order.

    A credit is two numbers: the movie's place among the kept ones with the position within the movie,
    by which credits are sorted; and the person's key.
    """

    def __init__(self, movies: KeySet, tally: Tally) -> None:
        self._movies = movies
        self._tally = tally
        self._places: list[Int64s] = []
        self._people: list[Int64s] = []

    def add(self, movies: Int64s, positions: Int64s, people: Int64s) -> None:
        """Add credits: keys of movies that are kept, positions below 2**15, keys of people. Shapes (n,)."""
        self._places.append(self._movies.places(movies) << _POSITION_BITS | positions)
        self._people.append(people)

    def add_lists(self, role: str, movies: Int64s, texts: "pd.Series[str]", line_numbers: Int64s) -> None:
        """Add a list of people a movie, divided by commas; null for none.

        What is no id of a person is left out, and counted.

        Args:
            role: what the column is called.
            movies: their keys. Shape (n,).
            texts: the lists; Arrow strings. Shape (n,).
            line_numbers: where they stand in the file. Shape (n,).
        """
        lists = pc.split_pattern(pa.array(texts.array), ",")
        rows = pc.list_parent_indices(lists).to_numpy().astype(np.int64)
        people = keys_of_texts(pc.list_flatten(lists), PERSON_PREFIX)
        first_at = np.searchsorted(rows, rows)
        positions = np.arange(len(rows)) - first_at
        faults = {role: people == NO_ID, f"{role}_too_many": positions >= MOST_POSITIONS}
        is_good = np.ones(len(rows), dtype=bool)
        for kind, is_bad in faults.items():
            at = np.unique(rows[is_bad])
            self._tally.add(Effect.MENDED, kind, line_numbers[at], len(at))
            is_good &= ~is_bad
        self.add(movies[rows[is_good]], positions[is_good], people[is_good])

    def people(self) -> Int64s:
        """Return the keys of all people, each once. Shape (p,)."""
        return np.unique(np.concatenate([*self._people, np.empty(0, np.int64)]))

    def numbered(self, people: KeySet, numbers: Int32s) -> tuple[Int64s, Int32s]:
        """Return the credits by movie, and forget them.

        Args:
            people: all that were asked for.
            numbers: what they are called in the catalogue, 0 for those without a name. Shape (p,).

        Returns:
            Where each movie's credits begin, and where the last one's end, shape (m + 1,); the people's
            numbers, each once a movie, `MOST_CREDITS` at most, shape (c,).
        """
        # Part by part, for there may be millions of them.
        credited = np.concatenate(
            [numbers[people.places(part)] for part in _taken(self._people)] + [np.empty(0, np.int32)]
        )
        places = np.empty(len(credited), np.int64)
        filled = 0
        for part in _taken(self._places):
            places[filled : filled + len(part)] = part
            filled += len(part)
        if (places[1:] <= places[:-1]).any():
            order = np.argsort(places, kind="stable")
            places, credited = places[order], credited[order]
            is_new = np.ones(len(places), dtype=bool)
            is_new[1:] = places[1:] != places[:-1]
            self._tally.add(Effect.DUPLICATE, "position", (), int((~is_new).sum()))
            places, credited = places[is_new], credited[is_new]
        movies = (places >> _POSITION_BITS).astype(np.int32)
        del places
        is_kept = credited > 0
        cut = 0
        for start, stop in _whole_movies(movies):
            is_kept[start:stop] &= _is_first_of_its_kind(movies[start:stop], credited[start:stop])
            at = start + np.flatnonzero(is_kept[start:stop])
            rank = np.arange(len(at)) - np.searchsorted(movies[at], movies[at])
            is_beyond = rank >= MOST_CREDITS
            is_kept[at[is_beyond]] = False
            cut += len(np.unique(movies[at[is_beyond]]))
        self._tally.add(Effect.MENDED, "too_many_credits", (), cut)
        movies, credited = movies[is_kept], credited[is_kept]
        return np.searchsorted(movies, np.arange(len(self._movies.keys) + 1)), credited


def _taken(parts: list[Int64s]) -> Iterator[Int64s]:
    """Yield arrays, the first one first, and forget each of them."""
    parts.reverse()
    while parts:
        yield parts.pop()


def _whole_movies(movies: Int32s) -> Iterator[tuple[int, int]]:
    """Yield stretches of sorted credits that end where a movie does. Shape (n,)."""
    start = 0
    while start < len(movies):
        last = movies[min(start + SLICE_CREDITS, len(movies)) - 1]
        stop = int(np.searchsorted(movies, last, side="right"))
        yield start, stop
        start = stop


def _is_first_of_its_kind(movies: Int32s, people: Int32s) -> Bools:
    """Tell which credits are the first of this person in this movie. Shapes (n,)."""
    both = movies.astype(np.int64) << 32 | people
    order = np.argsort(both, kind="stable")
    is_first = np.ones(len(both), dtype=bool)
    is_first[order[1:]] = np.diff(both[order]) != 0
    return is_first


def credit_frames(movies: KeySet, roles: dict[str, tuple[Int64s, Int32s]]) -> Iterator[pd.DataFrame]:
    """Yield a row for each movie that names anybody, with its id and an array of numbers a role.

    Args:
        movies: all that are kept, m of them.
        roles: column by column, where each movie's people begin, shape (m + 1,), and their numbers.
    """
    for start in range(0, len(movies.keys), SLICE_MOVIES):
        stop = min(start + SLICE_MOVIES, len(movies.keys))
        has_any = np.zeros(stop - start, dtype=bool)
        columns: dict[str, pa.Array] = {"imdb_id": texts_of_keys(movies.keys[start:stop], TITLE_PREFIX)}
        for name, (offsets, numbers) in roles.items():
            ends = offsets[start : stop + 1]
            has_any |= np.diff(ends) > 0
            texts = pa.array(numbers[ends[0] : ends[-1]]).cast(pa.string())
            lists = pa.ListArray.from_arrays(pa.array(ends - ends[0], pa.int32()), texts)
            columns[name] = pc.binary_join_element_wise("{", pc.binary_join(lists, ","), "}", "")
        table = pa.table(columns).filter(pa.array(has_any))
        yield table.to_pandas(types_mapper=pd.ArrowDtype)
