"""The staging tables, and COPY into them."""

import io
from typing import Final

import psycopg2.extensions

TITLES: Final = "staged_titles"
PEOPLE: Final = "staged_people"
CREDITS: Final = "staged_credits"
AKAS: Final = "staged_akas"

COLUMNS: Final = {
    # The id is the movie's if it turns out to be new; genres are one text, as IMDb has it.
    TITLES: {
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
    },
    # The id is null for those who are in the catalogue.
    PEOPLE: {
        "id": "uuid",
        "number": "integer",
        "imdb_id": 'text COLLATE "C"',
        "name": 'text COLLATE "C"',
        "name_key": 'text COLLATE "C"',
        "born": "smallint",
        "died": "smallint",
    },
    # The movie's id, and people's numbers; none for movies that have nobody.
    CREDITS: {
        "imdb_id": 'text COLLATE "C"',
        "director_ids": "integer[]",
        "writer_ids": "integer[]",
        "cast_ids": "integer[]",
    },
    AKAS: {
        "imdb_id": 'text COLLATE "C"',
        "position": "smallint",
        "title": 'text COLLATE "C"',
        "title_key": 'text COLLATE "C"',
        "region": 'text COLLATE "C"',
        "language": 'text COLLATE "C"',
        "is_original": "boolean",
    },
}
"""Names and types, by table."""

_TABLES: Final = ", ".join((*COLUMNS, "staged_genre_ids"))


def create_staging(connection: psycopg2.extensions.connection) -> None:
    """Drop what a dead load left behind, and make the staging tables anew, empty.

    Unlogged: a crash of the server may lose them, for they are void then anyway.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_TABLES}")
        for table, columns in COLUMNS.items():
            defined = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
            cursor.execute(f"CREATE UNLOGGED TABLE {table} ({defined})")


def drop_staging(connection: psycopg2.extensions.connection) -> None:
    """Remove the staging tables."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_TABLES}")


def empty(connection: psycopg2.extensions.connection, table: str) -> None:
    """Empty a table in the transaction that fills it: COPY freezes its rows, and no later scan marks them."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}")


def copy_csv(connection: psycopg2.extensions.connection, table: str, csv: memoryview) -> None:
    """Append rows to a table that was emptied in the same transaction."""
    columns = ", ".join(COLUMNS[table])
    with connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv, FREEZE)", io.BytesIO(csv), size=2**20
        )
