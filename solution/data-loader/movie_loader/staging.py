"""The staging table, and COPY into it."""

import io
from typing import Final

import psycopg2.extensions

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
        cursor.execute("DROP TABLE IF EXISTS staged_titles, staged_genre_ids")
        cursor.execute(f"CREATE UNLOGGED TABLE staged_titles ({columns})")


def drop_staging(connection: psycopg2.extensions.connection) -> None:
    """Remove the staging table."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged_titles, staged_genre_ids")


def copy_csv(connection: psycopg2.extensions.connection, csv: memoryview) -> None:
    """Append rows to the staging table."""
    with connection.cursor() as cursor:
        cursor.copy_expert(_COPY, io.BytesIO(csv), size=2**20)
