"""The staging table, and COPY into it."""

import io
from typing import Final

import pandas as pd
import psycopg2.extensions
import pyarrow as pa
import pyarrow.csv

STAGED_COLUMNS: Final = {
    "id": "uuid",
    "imdb_id": 'text COLLATE "C"',
    "title_type": 'text COLLATE "C"',
    "title": 'text COLLATE "C"',
    "original_title": 'text COLLATE "C"',
    "title_key": 'text COLLATE "C"',
    "year": "smallint",
    "runtime_minutes": "integer",
    "rating_tenths": "smallint",
    "votes": "integer",
    "is_adult": "boolean",
    "genres": 'text COLLATE "C"',
}
"""Names and types. The id is the movie's if it turns out to be new; genres are one text, as IMDb has it."""

_COPY: Final = f"COPY staged_titles ({', '.join(STAGED_COLUMNS)}) FROM STDIN WITH (FORMAT csv, FREEZE)"


def create_staging(connection: psycopg2.extensions.connection) -> None:
    """Drop what a dead load left behind, and make the staging table anew, empty.

    Unlogged: a crash of the server may lose it, for it is void then anyway. Made in the
    transaction that fills it, so that COPY can freeze its rows and no later scan need mark them.
    """
    columns = ", ".join(f"{name} {type_}" for name, type_ in STAGED_COLUMNS.items())
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged_titles")
        cursor.execute(f"CREATE UNLOGGED TABLE staged_titles ({columns})")


def drop_staging(connection: psycopg2.extensions.connection) -> None:
    """Remove the staging table."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged_titles")


def as_csv(frame: pd.DataFrame) -> pa.Buffer:
    r"""Write a frame's staged columns as CSV the way COPY reads it.

    Every string is quoted and null is not, so that `""`, `NULL` and `\N` stay the texts they
    are, and so that carriage returns within a title do not end a row.
    """
    table = pa.Table.from_pandas(frame[list(STAGED_COLUMNS)], preserve_index=False)
    sink = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    pyarrow.csv.write_csv(table, sink, options)
    return sink.getvalue()


def copy_csv(connection: psycopg2.extensions.connection, csv: pa.Buffer) -> None:
    """Append rows to the staging table."""
    with connection.cursor() as cursor:
        cursor.copy_expert(_COPY, io.BytesIO(csv), size=2**20)
