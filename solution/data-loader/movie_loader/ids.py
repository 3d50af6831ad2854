"""IMDb's ids as numbers, for whole arrays of them at once.

Titles' ids begin with `tt`, people's with `nm`; all else is the same.

An id's key is its digits, filled up with zeros on the right to ten, times sixteen, plus how many
digits there are. So each id has a key of its own, and keys rise as the ids do as texts: that is the
order of IMDb's files, where tt10000000 stands between tt1000000 and tt1000001. (Where a file goes by
number, keys rise too, but for the steps from seven digits to eight, and so on.)
"""

import os
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

NO_ID: Final = -1
"""Stands where a row has no valid id."""

TITLE_PREFIX: Final = b"tt"
PERSON_PREFIX: Final = b"nm"
PREFIX_BYTES: Final = 2

FEWEST_DIGITS: Final = 7
MOST_DIGITS: Final = 10

MOST_RUNS_OVER_EACH_OTHER: Final = 8


def _u64(value: int) -> np.uint64:
    return np.uint64(value)


_BYTE_ONES: Final = 0x0101010101010101
_ZEROS = _u64(ord("0") * _BYTE_ONES)
_HIGH_NIBBLES = _u64(0xF0 * _BYTE_ONES)
_SIXES = _u64(6 * _BYTE_ONES)
_TAB: Final = _u64(ord("\t"))


def keys_of_short_ids(first: UInt64s, second: UInt64s, prefix: bytes = TITLE_PREFIX) -> tuple[Int64s, Int64s]:
    """Read the ids of 7 and 8 digits that lines begin with.

    Nearly every id has 7 or 8 digits, so that one line's whole id and the tab after it stand in
    its first 16 bytes; both digit counts are read with the same few operations on 64-bit words.

    Args:
        first: each line's bytes 0 to 7, little-endian. Shape (n,).
        second: each line's bytes 8 to 15, little-endian. Shape (n,).
        prefix: what ids begin with.

    Returns:
        Keys (`NO_ID` where the line does not begin with such an id and a tab), and the
        offsets of the tabs in their lines. Shapes (n,).

    Source: https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits/
    """
    digits = (first >> _u64(16)) | (second << _u64(48))
    has_seven = (digits >> _u64(56)) == _TAB
    digits = np.where(has_seven, (digits << _u64(8)) | _u64(ord("0")), digits)
    is_id = has_seven | (((second >> _u64(16)) & _u64(0xFF)) == _TAB)
    is_id &= (first & _u64(0xFFFF)) == _u64(int.from_bytes(prefix, "little"))
    is_id &= (digits & _HIGH_NIBBLES) == _ZEROS
    is_id &= ((digits + _SIXES) & _HIGH_NIBBLES) == _ZEROS
    number = digits - _ZEROS
    number = (number * _u64(10)) + (number >> _u64(8))
    number = ((number & _u64(0x000000FF000000FF)) * _u64(0x000F424000000064)) + (
        ((number >> _u64(16)) & _u64(0x000000FF000000FF)) * _u64(0x0000271000000001)
    )
    number >>= _u64(32)
    keys = keys_of(number.astype(np.int64), np.where(has_seven, 7, 8))
    return np.where(is_id, keys, NO_ID), np.where(has_seven, 9, 10)


def keys_of(numbers: Int64s, digits: Int64s) -> Int64s:
    """Return the keys of ids with these values and counts of digits. Shapes (n,)."""
    return numbers * 10 ** (MOST_DIGITS - digits) * 16 + digits


def keys_of_texts(texts: pa.BinaryArray, prefix: bytes) -> Int64s:
    """Return the keys of texts that are ids, `NO_ID` for all others. Shape (n,)."""
    pattern = f"^{prefix.decode()}[0-9]{{{FEWEST_DIGITS},{MOST_DIGITS}}}$"
    is_id = pc.match_substring_regex(texts, pattern)
    # An end is given: without one, Arrow 26 fails on arrays of values of different lengths.
    ids = pc.if_else(is_id, texts, prefix + b"0")
    digits = pc.binary_slice(ids, PREFIX_BYTES, PREFIX_BYTES + MOST_DIGITS)
    numbers = pc.cast(pc.cast(digits, pa.string()), pa.int64()).to_numpy(zero_copy_only=False)
    counts = pc.binary_length(digits).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.where(is_id.to_numpy(zero_copy_only=False), keys_of(numbers, counts), NO_ID)


def texts_of_keys(keys: Int64s, prefix: bytes) -> pa.StringArray:
    """Return the ids that have these keys. Shapes (n,)."""
    counts = keys % 16
    numbers = pa.array(keys // 16 // 10 ** (MOST_DIGITS - counts)).cast(pa.string())
    padded = pc.utf8_lpad(numbers, MOST_DIGITS, "0")
    texts = pa.array([], pa.string())
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        cut = pc.utf8_slice_codeunits(padded, MOST_DIGITS - digits, MOST_DIGITS)
        texts = pc.if_else(pa.array(counts == digits), cut, texts) if len(texts) else cut
    return pc.binary_join_element_wise(prefix.decode(), texts, "")


class KeySet:
    """Ids that are looked for in whole arrays of others.

    Attributes:
        keys: ascending, each once. Shape (n,).
    """

    def __init__(self, keys: Int64s) -> None:
        self.keys: Int64s = np.unique(keys)

    def places(self, keys: Int64s) -> Int64s:
        """Tell where in the set each key is, -1 for those that are not. Shapes (m,)."""
        if not len(keys) or not len(self.keys):
            return np.full(len(keys), -1, dtype=np.int64)
        # Dumps come in the order of ids: only a small stretch of the set can match, and a search in it
        # stays within the processor's cache.
        low = np.searchsorted(self.keys, keys.min())
        high = np.searchsorted(self.keys, keys.max(), side="right")
        stretch = self.keys[low:high]
        if not len(stretch):
            return np.full(len(keys), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(stretch, keys), len(stretch) - 1)
        return np.where(stretch[at] == keys, low + at, -1)


class SeenKeys:
    """Remembers which keys have come by, in 8 bytes a key, whatever their order.

    Keys are kept in sorted runs. Where they come in order, runs lie side by side and are never
    touched again; where they do not, those that lie over each other are merged now and then.
    """

    def __init__(self) -> None:
        self._runs: list[Int64s] = []

    def add(self, keys: Int64s) -> Bools:
        """Remember keys, and tell which of them were new (the first of equals is).

        Args:
            keys: shape (n,).

        Returns:
            Shape (n,).
        """
        unique, first_at = np.unique(keys, return_index=True)
        is_new = np.zeros(len(keys), dtype=bool)
        is_new[first_at] = True
        if not len(unique):
            return is_new
        over = [run for run in self._runs if run[0] <= unique[-1] and unique[0] <= run[-1]]
        for run in over:
            is_new &= ~_contains(run, keys)
        added = np.unique(keys[is_new])
        if len(over) >= MOST_RUNS_OVER_EACH_OTHER:
            self._runs = [run for run in self._runs if run[0] > unique[-1] or unique[0] > run[-1]]
            added = np.sort(np.concatenate((*over, added)), kind="stable")
        if len(added):
            self._runs.append(added)
        return is_new


def _contains(run: Int64s, keys: Int64s) -> Bools:
    """Tell which keys are in a sorted run that is not empty. Shapes (m,), (n,), (n,)."""
    return np.asarray(run[np.minimum(np.searchsorted(run, keys), len(run) - 1)] == keys)


def random_uuids(count: int) -> pa.StringArray:
    """Make random UUIDs (version 4), in ascending order, in 32 hexadecimal digits each.

    In order, so that a batch goes through the primary key once from one end to the other: inserting
    720,000 movies took 5.4 s in place of 6.4.

    PostgreSQL's own `gen_random_uuid` costs 3.4 µs a row where it was built without OpenSSL, as the
    embedded server is: 2.4 of the 4.9 s that inserting 720,000 movies took.

    Source: RFC 9562, section 5.4.
    """
    octets = np.frombuffer(bytearray(os.urandom(16 * count)), np.uint8).reshape(count, 16)
    octets[:, 6] = (octets[:, 6] & 0x0F) | 0x40
    octets[:, 8] = (octets[:, 8] & 0x3F) | 0x80
    octets = octets[np.argsort(octets[:, :8].copy().view(">u8").ravel())]
    offsets = np.arange(0, 32 * count + 1, 32, dtype=np.int32)
    digits = octets.tobytes().hex().encode()
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits))
