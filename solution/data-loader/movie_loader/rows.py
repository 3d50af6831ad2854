"""From a dump's bytes to the lines that are wanted, whole and well-formed.

A line ends at a line feed and nowhere else; fields are parted by tabs; nothing else means
anything: no quotes, no escapes, no other line ends. Full-size dumps have sixteen unwanted lines
for each wanted one, so those are told apart as bytes before anything is parsed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from movie_loader.datasets import Dataset
from movie_loader.errors import LoadError
from movie_loader.faults import Effect, Tally
from movie_loader.ids import NO_ID, Int64s, UInt64s, keys_of_short_ids, keys_of_texts
from movie_loader.wanted import LINE_FEED, TAB, Lines, Wanted

BATCH_ROWS: Final = 32_768
"""Wanted lines that are handed on together: enough that pandas' own cost per call vanishes."""

BATCH_LINES: Final = 1_000_000
"""Lines read after which a batch is handed on, however few are wanted."""

LONGEST_LINE_BYTES: Final = 16 * 2**20
"""No line of a dump comes near; a file without line feeds must not end up in memory."""

_PADDING: Final = b"\n" * 64
"""After a block's last line, so that 64-bit words can be read from any offset in it, and a few beyond."""


@dataclass(frozen=True)
class RowBlock:
    """Wanted lines, each with an id and the right number of columns.

    Attributes:
        lines: without their line feeds; Arrow strings, n of them.
        line_numbers: where they stand in the file, from 1. Shape (n,).
        keys: their ids as numbers. Shape (n,).
        all_keys: ids of every line read since the last block, wanted or not. Shape (m,).
        read_rows: how many lines were read since the last block.
    """

    lines: pa.StringArray
    line_numbers: Int64s
    keys: Int64s
    all_keys: Int64s
    read_rows: int


@dataclass(frozen=True)
class _Selection:
    """The wanted lines of one block of bytes, as they came, each with its line feed."""

    lines: pa.BinaryArray
    line_numbers: Int64s
    keys: Int64s
    all_keys: Int64s


def row_blocks(
    chunks: Iterable[bytes], dataset: Dataset, wanted: Wanted | None, tally: Tally
) -> Iterator[RowBlock]:
    """Yield the wanted lines of a dump, batch by batch.

    Args:
        chunks: the file's bytes, unpacked, in pieces of any size.
        dataset: what the file should be.
        wanted: picks the lines that are wanted; None for all.
        tally: counts rejected and mended rows.

    Yields:
        Blocks; the last may hold few lines or none.

    Raises:
        LoadError: if the file's first line is not the dataset's header, if nothing follows it,
            or if a line has no end.
    """
    pending: list[_Selection] = []
    next_line_number, read_rows, total_rows = 2, 0, 0
    for block in _whole_lines(chunks, dataset, tally.file_name):
        selection = _select(block, wanted, dataset.id_prefix, next_line_number)
        next_line_number += len(selection.all_keys)
        total_rows += len(selection.all_keys)
        read_rows += len(selection.all_keys)
        pending.append(selection)
        if sum(len(part.lines) for part in pending) >= BATCH_ROWS or read_rows >= BATCH_LINES:
            yield _checked(pending, dataset, tally, read_rows)
            pending, read_rows = [], 0
    if not total_rows:
        raise LoadError(f"{tally.file_name}: holds a header and no rows", code="no_rows")
    if pending:
        yield _checked(pending, dataset, tally, read_rows)


def _whole_lines(chunks: Iterable[bytes], dataset: Dataset, file_name: str) -> Iterator[bytes]:
    """Cut the file after line feeds, without its header, each block padded with `_PADDING`."""
    rest = b""
    is_header_due = True
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if not end:
            rest += chunk
            if len(rest) > LONGEST_LINE_BYTES:
                raise LoadError(
                    f"{file_name}: a line longer than {LONGEST_LINE_BYTES} bytes: this is no dump of IMDb's",
                    code="not_a_dump",
                )
            continue
        block = b"".join((rest, memoryview(chunk)[:end], _PADDING))
        rest = chunk[end:]
        if is_header_due:
            block = block[_header_bytes(block, dataset, file_name) :]
            is_header_due = False
        if len(block) > len(_PADDING):
            yield block
    if is_header_due:
        _header_bytes(rest, dataset, file_name)
    elif rest:
        yield b"".join((rest, b"\n", _PADDING))


def _header_bytes(block: bytes, dataset: Dataset, file_name: str) -> int:
    """Return the length of the header line, its line feed with it."""
    expected = "\t".join(dataset.header)
    line, _, _ = block.partition(b"\n")
    if line == expected.encode():
        return len(line) + 1
    if not block.strip():
        raise LoadError(f"{file_name}: is empty", code="source_empty")
    if line.lstrip().startswith(b"<"):
        raise LoadError(f"{file_name}: expected a dump, found a web page", code="not_a_dump")
    found = line[:2000].decode("utf-8", "replace").split("\t")
    missing = [name for name in dataset.header if name not in found]
    if missing:
        detail = f"column {', '.join(missing)} is missing"
    else:
        detail = f"{len(dataset.header)} columns expected in this order"
    shown = line[:200].decode("utf-8", "replace")
    raise LoadError(
        f"{file_name}, line 1: {detail}; expected {expected!r}, found {shown!r}",
        code="wrong_columns",
    )


def _select(block: bytes, wanted: Wanted | None, prefix: bytes, first_line_number: int) -> _Selection:
    """Find the wanted lines in a padded block."""
    # At every offset of the block, the 64-bit word that begins there, without a copy.
    words: UInt64s = np.ndarray((len(block) - 7,), "<u8", block, strides=(1,))
    all_octets = np.frombuffer(block, np.uint8)
    octets = all_octets[: len(block) - len(_PADDING)]
    ends = np.flatnonzero(octets == LINE_FEED)
    offsets = np.zeros(len(ends) + 1, dtype=np.int32)
    offsets[1:] = ends + 1
    starts: Int64s = offsets[:-1].astype(np.int64)
    keys, tabs = keys_of_short_ids(words[starts], words[starts + 8], prefix)
    tabs = tabs + starts
    lines = pa.BinaryArray.from_buffers(
        pa.binary(), len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(block)]
    )
    odd = np.flatnonzero(keys == NO_ID)
    if len(odd):
        found = lines.take(pa.array(odd))
        keys[odd], tabs[odd] = _odd_ids(found, prefix, octets, starts[odd], ends[odd])
    if wanted is None:
        numbers = np.arange(first_line_number, first_line_number + len(starts))
        return _Selection(lines, numbers, keys, keys)
    at = np.flatnonzero(wanted.among(Lines(words, all_octets, keys, tabs, ends)))
    return _Selection(lines.take(pa.array(at)), at + first_line_number, keys[at], keys)


def _odd_ids(
    lines: pa.BinaryArray, prefix: bytes, octets: npt.NDArray[np.uint8], starts: Int64s, ends: Int64s
) -> tuple[Int64s, Int64s]:
    """Read the ids, and find the tabs after them, of lines that begin in an uncommon way.

    Returns:
        Keys, `NO_ID` where there is no id; offsets of the first tabs, or of the line feeds of
        lines without one. Shapes (n,).
    """
    all_tabs = np.append(np.flatnonzero(octets == TAB), len(octets))
    tabs = np.minimum(all_tabs[np.searchsorted(all_tabs, starts)], ends)
    fields = pc.list_element(pc.split_pattern(pc.binary_slice(lines, 0, -1), "\t", max_splits=1), 0)
    return keys_of_texts(fields, prefix), tabs


def _checked(selections: list[_Selection], dataset: Dataset, tally: Tally, read_rows: int) -> RowBlock:
    """Leave out, and count, the lines that are no rows; mend bytes that are not UTF-8."""
    lines = pc.binary_slice(pa.concat_arrays([part.lines for part in selections]), 0, -1)
    line_numbers = np.concatenate([part.line_numbers for part in selections])
    keys = np.concatenate([part.keys for part in selections])
    all_keys = np.concatenate([part.all_keys for part in selections])

    faults = {
        "nul_byte": pc.match_substring(lines, "\0"),
        "columns": pc.not_equal(pc.count_substring(lines, "\t"), len(dataset.columns) - 1),
        "bad_id": keys == NO_ID,
    }
    is_good = np.ones(len(lines), dtype=bool)
    for kind, is_bad in faults.items():
        rejected = is_good & np.asarray(is_bad)
        tally.add(Effect.REJECTED, kind, line_numbers[rejected], int(rejected.sum()))
        is_good &= ~rejected
    if not is_good.all():
        lines, line_numbers, keys = lines.filter(pa.array(is_good)), line_numbers[is_good], keys[is_good]
    return RowBlock(_as_text(lines, line_numbers, tally), line_numbers, keys, all_keys, read_rows)


def _as_text(lines: pa.BinaryArray, line_numbers: Int64s, tally: Tally) -> pa.StringArray:
    """Read lines as UTF-8, with U+FFFD for what is not."""
    try:
        return lines.cast(pa.string())
    except pa.ArrowInvalid:
        texts = [line.decode("utf-8", "replace") for line in lines.to_pylist()]
        mended = pa.array(texts, pa.string())
        is_mended = np.asarray(pc.not_equal(mended.cast(pa.binary()), lines))
        tally.add(Effect.MENDED, "not_utf8", line_numbers[is_mended], int(is_mended.sum()))
        return mended
