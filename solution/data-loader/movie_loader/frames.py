"""From lines to pandas frames with typed columns, strings backed by Arrow.

Values that do not parse become null and are counted; nothing is guessed.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from movie_database.sort_keys import SORT_KEY_CHARACTERS, sort_key

from movie_loader.datasets import NULL, Column, Dataset, Kind
from movie_loader.faults import Effect, Tally

TEXT: Final = pd.ArrowDtype(pa.string())
INTEGER: Final = pd.ArrowDtype(pa.int64())
FLAG: Final = pd.ArrowDtype(pa.bool_())

LONGEST_GENRE_CHARACTERS: Final = 64
"""Far above any of IMDb's; a longer name would not fit the index of genres."""

MOST_GENRES: Final = 50
"""As many as a movie can have; IMDb gives three."""

_GENRE: Final = f"[^,]{{1,{LONGEST_GENRE_CHARACTERS}}}"
_GENRES: Final = f"{_GENRE}(,{_GENRE})*"


def parse_frame(
    lines: pa.StringArray, line_numbers: npt.NDArray[np.int64], dataset: Dataset, tally: Tally
) -> pd.DataFrame:
    """Parse lines into the dataset's columns, under our names.

    Args:
        lines: each with the dataset's number of columns.
        line_numbers: where they stand in the file. Shape (n,).
        dataset: names and types of the columns.
        tally: counts rejected rows and fields that became null.

    Returns:
        One row a line that has all required values, indexed by its position in `lines`. Text
        and names: Arrow strings; integers and tenths: Arrow int64; flags: Arrow bool. Nulls are
        Arrow's.
    """
    width = len(dataset.columns)
    fields = pc.split_pattern(lines, "\t").flatten()
    rows = pa.FixedSizeListArray.from_arrays(fields, width)
    frame = pd.DataFrame(
        {
            column.name: pd.Series(pc.list_element(rows, position), dtype=TEXT)
            for position, column in enumerate(dataset.columns)
            if column.name
        }
    )
    frame = frame.mask(frame == NULL)
    for column in dataset.columns:
        if column.name and column.is_required:
            is_null = frame[column.name].isna().to_numpy(dtype=bool)
            tally.add(
                Effect.REJECTED, f"null_{column.name}", line_numbers[frame.index[is_null]], int(is_null.sum())
            )
            if is_null.any():
                frame = frame[~is_null]
    for column in dataset.columns:
        if column.name and column.kind in _PARSERS:
            values, is_fault = _PARSERS[column.kind](frame[column.name], column)
            effect = Effect.MENDED if column.kind is Kind.FLAG else Effect.NULLED
            bad = is_fault.to_numpy(dtype=bool, na_value=False)
            tally.add(effect, column.name, line_numbers[frame.index[bad]], int(bad.sum()))
            frame[column.name] = values
    return frame


def _integers(text: "pd.Series[str]", column: Column) -> "tuple[pd.Series[int], pd.Series[bool]]":
    """Whole numbers within the column's range, written in ASCII digits."""
    is_number = text.str.fullmatch(r"[0-9]{1,10}")
    return _in_range(text.where(is_number).astype(INTEGER), text, column)


def _tenths(text: "pd.Series[str]", column: Column) -> "tuple[pd.Series[int], pd.Series[bool]]":
    """Decimal numbers, to the nearest tenth, as the number of tenths."""
    is_number = text.str.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,9})?")
    tenths = text.where(is_number).astype(pd.ArrowDtype(pa.float64())) * 10
    return _in_range(tenths.round().astype(INTEGER), text, column)


def _in_range(
    values: "pd.Series[int]", text: "pd.Series[str]", column: Column
) -> "tuple[pd.Series[int], pd.Series[bool]]":
    values = values.where(values.between(column.low, column.high))
    return values, values.isna() & text.notna()


def _flags(text: "pd.Series[str]", _column: Column) -> "tuple[pd.Series[bool], pd.Series[bool]]":
    """`1` is true; anything else is false, and a fault unless it is `0` or null."""
    return (text == "1").fillna(value=False).astype(FLAG), ~text.isin(["0", "1"]) & text.notna()


def _names(text: "pd.Series[str]", _column: Column) -> "tuple[pd.Series[str], pd.Series[bool]]":
    """Names parted by commas, none of them empty, nor they many or long beyond belief."""
    is_names = text.str.fullmatch(_GENRES) & (text.str.count(",") < MOST_GENRES)
    return text.where(is_names), ~is_names & (text != "")


_PARSERS: Final[dict[Kind, Callable[[Any, Column], tuple[Any, Any]]]] = {
    Kind.INTEGER: _integers,
    Kind.TENTHS: _tenths,
    Kind.FLAG: _flags,
    Kind.NAMES: _names,
}


def with_sort_keys(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Add `<column>_key` (Arrow string): the sort key of a text, as `movie_database.sort_keys` makes it.

    Fourteen of fifteen movies' titles are ASCII, for which lower case and a cut are the whole of it.
    """
    text = frame[column]
    is_ascii = text.str.isascii()
    keys = text.str.slice(0, SORT_KEY_CHARACTERS).str.lower()
    others = text[~is_ascii]
    keys[~is_ascii] = others.map(sort_key).astype(TEXT)
    return frame.assign(**{f"{column}_key": keys})


def as_csv(frame: pd.DataFrame, columns: Iterable[str]) -> memoryview:
    r"""Write columns of a frame as CSV the way COPY reads it.

    Every string is quoted and null is not, so that `""`, `NULL` and `\N` stay the texts they
    are, and so that carriage returns within a title do not end a row.
    """
    table = pa.Table.from_pandas(frame[list(columns)], preserve_index=False)
    sink = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    pyarrow.csv.write_csv(table, sink, options)
    return memoryview(sink.getvalue())
