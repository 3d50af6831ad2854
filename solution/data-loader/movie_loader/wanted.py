"""Which lines of a dump are wanted, told from their bytes before anything is parsed.

Full-size dumps have sixteen unwanted titles for each wanted one, and as many people and names that
belong to them.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from movie_loader.ids import FEWEST_DIGITS, NO_ID, PREFIX_BYTES, Bools, Int64s, KeySet, UInt64s

TAB: Final = ord("\t")
LINE_FEED: Final = ord("\n")

_MOST_ORDERING_DIGITS: Final = 3
_SHORT_ID_BYTES: Final = PREFIX_BYTES + FEWEST_DIGITS


@dataclass(frozen=True)
class Lines:
    """All lines of a block of bytes that some dozens of line feeds follow.

    Attributes:
        words: at every offset of the block, the 64-bit word that begins there.
        octets: the block.
        keys: the lines' ids as numbers, `NO_ID` where there is none. Shape (n,).
        tabs: offsets of the lines' first tabs, or of the line feeds of lines without one. Shape (n,).
        ends: offsets of the lines' line feeds. Shape (n,).
    """

    words: UInt64s
    octets: npt.NDArray[np.uint8]
    keys: Int64s
    tabs: Int64s
    ends: Int64s


class Wanted(Protocol):
    """Picks lines; those among them that are malformed are told apart later."""

    def among(self, lines: Lines) -> Bools:
        """Tell which lines are wanted. Shape (n,)."""


class OfTypes:
    """Wants lines whose second field is one of IMDb's titleTypes."""

    def __init__(self, title_types: tuple[str, ...]) -> None:
        self._types = tuple(title_type.encode() for title_type in title_types)

    def among(self, lines: Lines) -> Bools:
        """Tell which; a line without a tab has no type to tell, and is no good row of any."""
        return np.asarray(_is_one_of(lines, lines.tabs + 1, self._types) | (lines.tabs == lines.ends))


class OfIds:
    """Wants lines of these ids, and those without any."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def among(self, lines: Lines) -> Bools:
        """Tell which."""
        return np.asarray((self._keys.places(lines.keys) >= 0) | (lines.keys == NO_ID))


class OfCast:
    """Wants lines of `title.principals` of these titles whose category is one of some.

    Half the rows of a wanted title are of its crew. Where the fields before the category are not as
    short as they always are, the line is wanted, and looked at later.
    """

    def __init__(self, keys: KeySet, categories: tuple[str, ...]) -> None:
        self._titles = OfIds(keys)
        self._categories = tuple(category.encode() for category in categories)

    def among(self, lines: Lines) -> Bools:
        """Tell which."""
        result = self._titles.among(lines)
        at = np.flatnonzero(result)
        position = lines.tabs[at] + 1
        for _ in range(_MOST_ORDERING_DIGITS):
            position += lines.octets[position] != TAB
        has_short_id = lines.octets[position + 1 + _SHORT_ID_BYTES] == TAB
        categories = position + np.where(has_short_id, 2, 3) + _SHORT_ID_BYTES
        is_plain = (lines.octets[position] == TAB) & (lines.octets[categories - 1] == TAB)
        is_plain &= categories <= lines.ends[at]
        result[at] = ~is_plain | _is_one_of(lines, categories, self._categories)
        return result


def _is_one_of(lines: Lines, at: Int64s, texts: tuple[bytes, ...]) -> Bools:
    """Tell at which offsets a field begins that is exactly one of the texts. Shape (m,)."""
    found = lines.words[at]
    result = np.zeros(len(at), dtype=bool)
    for text in texts:
        head = text[:8]
        mask = np.uint64((1 << 8 * len(head)) - 1)
        hits = np.flatnonzero((found & mask) == np.uint64(int.from_bytes(head, "little")))
        for position in range(8, len(text)):
            hits = hits[lines.octets[at[hits] + position] == text[position]]
        after = lines.octets[at[hits] + len(text)]
        result[hits[(after == TAB) | (after == LINE_FEED)]] = True
    return result
