"""How the files of a set of dumps are written, and read again, block by block."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from isal import igzip, isal_zlib

from movie_testing.dump_skews import Booleans, Integers

# igzip's highest level: 213 MB for the full-size titles, where zlib needs 189 MB at level 6
# and 20 seconds more.
_GZIP_LEVEL: Final = 3
_GZIP_FORMAT: Final = 31  # zlib's "windowBits": the largest window, in a gzip of its own.
_BLOCK_BYTES: Final = 20_000_000


class Dump:
    """One dump while it is written: a header, then blocks of rows, as a gzip of its own."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = path.open("wb")
        # The stream's own gzip header has no name and no time: the bytes are the same in each run.
        self._gzip = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_FORMAT)
        self._file.write(self._gzip.compress(("\t".join(columns) + "\n").encode()))

    def append(self, rows: pa.Array) -> None:
        """Adds rows, each of which ends with its newline."""
        # The rows of an Arrow array lie one behind the other already: they are the file's bytes.
        _, ends, text = rows.buffers()
        if len(rows):
            self._file.write(self._gzip.compress(memoryview(text)[: memoryview(ends).cast("i")[len(rows)]]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            # Without its end the gzip is a truncated one: what an interrupted run leaves is told.
            if kind is None:
                self._file.write(self._gzip.flush())


def read_blocks(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yields some columns of a dump as strings, as they stand in the file, block by block."""
    with igzip.open(path, "rb") as file:  # type: ignore[no-untyped-call]
        yield from pyarrow.csv.open_csv(
            file,
            pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES),
            pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False),
            pyarrow.csv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=False,
            ),
        )


def imdb_ids(prefix: str, numbers: Integers) -> pa.Array:
    """The ids as text, of nine characters at least (`tt0000001`, `nm15000000`)."""
    # Two look-ups are cheaper than printing a number, and pad with zeros on the way.
    thousands = [f"{prefix}{number:04d}" for number in range(int(numbers.max(initial=0)) // 1000 + 1)]
    return pc.binary_join_element_wise(
        texts(thousands, numbers // 1000),
        texts([f"{number:03d}" for number in range(1000)], numbers % 1000),
        "",
    )


def texts(pool: Sequence[str] | pa.Array, places: Integers | Booleans) -> pa.Array:
    """The texts of `pool` at `places`, shape (n,)."""
    return pa.array(pool, pa.string()).take(pa.array(places.astype(np.int32)))
