"""IMDb's ratings, sorted by id, to be joined to titles as those stream past."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from movie_loader.faults import Effect, Tally
from movie_loader.ids import Int64s


@dataclass
class RatingTable:
    """All ratings in some 20 bytes each.

    Attributes:
        keys: ids as numbers, ascending, each once. Shape (n,).
        tenths: the average rating times ten; 0 for null. Shape (n,).
        votes: -1 for null. Shape (n,).
        is_met: whether a title of any type had this id. Shape (n,).
    """

    keys: Int64s
    tenths: npt.NDArray[np.int16]
    votes: npt.NDArray[np.int32]
    is_met: npt.NDArray[np.bool_]

    @classmethod
    def gather(cls, frames: Iterable[tuple[Int64s, Int64s, pd.DataFrame]], tally: Tally) -> Self:
        """Sort ratings by id; of those with the same id the first one stays.

        Args:
            frames: keys, line numbers and frames with `rating_tenths` and `votes`, row by row.
            tally: counts duplicates.
        """
        parts = [
            (
                keys,
                line_numbers,
                frame["rating_tenths"].to_numpy(dtype=np.int16, na_value=0),
                frame["votes"].to_numpy(dtype=np.int32, na_value=-1),
            )
            for keys, line_numbers, frame in frames
        ]
        keys, line_numbers, tenths, votes = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(keys, kind="stable")
        is_first = np.ones(len(keys), dtype=bool)
        is_first[1:] = np.diff(keys[order]) != 0
        tally.add(
            Effect.DUPLICATE, "imdb_id", np.sort(line_numbers[order[~is_first]]), int((~is_first).sum())
        )
        order = order[is_first]
        return cls(keys[order], tenths[order], votes[order], np.zeros(len(order), dtype=bool))

    def meet(self, keys: Int64s) -> None:
        """Mark the ratings of these titles as met; the titles may be of any type. Shape (m,)."""
        if len(keys) and len(self.keys):
            # Dumps come in the order of ids: only a small stretch of the table can match, and a
            # search in it stays within the processor's cache.
            low = np.searchsorted(self.keys, keys.min())
            high = np.searchsorted(self.keys, keys.max(), side="right")
            stretch = self.keys[low:high]
            if len(stretch):
                at = np.minimum(np.searchsorted(stretch, keys), len(stretch) - 1)
                self.is_met[low + at[stretch[at] == keys]] = True

    def join(self, frame: pd.DataFrame, keys: Int64s) -> pd.DataFrame:
        """Add `rating_tenths` and `votes` (Arrow integers) to titles with these keys. Shape (n,)."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        is_rated = self.keys[at] == keys
        tenths, votes = self.tenths[at], self.votes[at]
        columns = {
            "rating_tenths": pa.array(tenths, mask=~is_rated | (tenths == 0)),
            "votes": pa.array(votes, mask=~is_rated | (votes < 0)),
        }
        return frame.assign(
            **{
                name: pd.Series(values, index=frame.index, dtype=pd.ArrowDtype(values.type))
                for name, values in columns.items()
            }
        )

    def count_unmet(self) -> int:
        """How many ratings belong to no title that was met."""
        return int((~self.is_met).sum())
