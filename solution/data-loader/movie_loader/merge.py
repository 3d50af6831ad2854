"""From the staging table into the catalogue: set-wise, in one transaction."""

from dataclasses import dataclass
from typing import Final

import psycopg2.errors
import psycopg2.extensions
import structlog

TINY_CATALOGUE_ROWS: Final = 10_000
"""Below this many movies, making the listing indexes anew is cheaper than keeping them up."""

_VALUES: Final = (
    "title_type",
    "title",
    "original_title",
    "title_key",
    "year",
    "runtime_minutes",
    "rating_tenths",
    "votes",
    "is_adult",
    "genre_ids",
)
"""The columns of `movies` that the dumps decide on."""

# The few thousand distinct lists of genres are split once each, not once a movie. Names that
# differ by case alone are one genre, the way it was written first.
_SPLIT_GENRES: Final = """
CREATE TEMPORARY TABLE staged_genres ON COMMIT DROP AS
SELECT lists.genres, names.name, names.position
FROM (SELECT DISTINCT genres FROM staged_titles WHERE genres <> '') AS lists,
    unnest(string_to_array(lists.genres, ',')) WITH ORDINALITY AS names (name, position)
WHERE btrim(names.name) <> ''
"""

_ADD_GENRES: Final = """
INSERT INTO genres (name)
SELECT DISTINCT ON (lower(name)) name
FROM staged_genres
WHERE NOT EXISTS (SELECT FROM genres WHERE lower(genres.name) = lower(staged_genres.name))
ORDER BY lower(name), name
ON CONFLICT DO NOTHING
"""

_NUMBER_GENRES: Final = """
CREATE TEMPORARY TABLE staged_genre_ids ON COMMIT DROP AS
SELECT genres, array_agg(id ORDER BY position) AS genre_ids
FROM (
    SELECT staged_genres.genres, genres.id, min(staged_genres.position) AS position
    FROM staged_genres JOIN genres ON lower(genres.name) = lower(staged_genres.name)
    GROUP BY staged_genres.genres, genres.id
) AS numbered
GROUP BY genres
"""

_STAGED: Final = """
(
    SELECT staged_titles.*, coalesce(staged_genre_ids.genre_ids, '{}') AS genre_ids
    FROM staged_titles LEFT JOIN staged_genre_ids USING (genres)
) AS staged
"""

# Nothing but the names of our own columns is put together here.
_UPDATE: Final = f"""
UPDATE movies SET
    source = 'imdb', {", ".join(f"{name} = staged.{name}" for name in _VALUES)}
FROM {_STAGED}
WHERE movies.imdb_id = staged.imdb_id
    AND (movies.source, {", ".join(f"movies.{name}" for name in _VALUES)})
        IS DISTINCT FROM ('imdb', {", ".join(f"staged.{name}" for name in _VALUES)})
"""  # noqa: S608

_DELETE: Final = """
DELETE FROM movies
WHERE source = 'imdb'
    AND NOT EXISTS (SELECT FROM staged_titles WHERE staged_titles.imdb_id = movies.imdb_id)
"""

_INSERT: Final = f"""
INSERT INTO movies (id, imdb_id, source, {", ".join(_VALUES)})
SELECT staged.id, staged.imdb_id, 'imdb', {", ".join(f"staged.{name}" for name in _VALUES)}
FROM {_STAGED}
WHERE NOT EXISTS (SELECT FROM movies WHERE movies.imdb_id = staged.imdb_id)
"""  # noqa: S608


@dataclass(frozen=True)
class Merged:
    """What a merge did to the catalogue.

    Attributes:
        inserted: movies that are new.
        updated: movies whose values differed, adopted ones among them.
        adopted: movies that were made through the API and now follow the dumps.
        deleted: movies of the dumps that are gone from them.
        genre_rows: genres after the merge.
    """

    inserted: int
    updated: int
    adopted: int
    deleted: int
    genre_rows: int


def drop_listing_indexes_of_tiny_catalogue(connection: psycopg2.extensions.connection) -> None:
    """Drop the indexes that lists are served by, if there is next to nothing to list.

    The merge makes them anew after the rows, which is several times faster than keeping them up.
    A transaction of its own, so that readers are locked out for an instant only; if one of them
    holds the table for long, the indexes stay, and the merge takes longer.
    """
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM movies LIMIT %s) AS first_movies", (TINY_CATALOGUE_ROWS,)
        )
        ((rows,),) = cursor.fetchall()
    if rows >= TINY_CATALOGUE_ROWS:
        return
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1s'")
            cursor.execute("SELECT catalogue_drop_listing_indexes()")
    except psycopg2.errors.LockNotAvailable:
        structlog.get_logger("movie_loader").info(
            "the catalogue is in use, so its indexes stay while it is filled"
        )


def merge_staged(connection: psycopg2.extensions.connection) -> Merged:
    """Make the dumps' movies equal to the staging table, within the caller's transaction.

    Movies are matched by IMDb id and keep our id. What was made through the API stays as it is,
    unless the dumps have its IMDb id: then it is adopted, and the dumps' values win.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        _raise_memory(cursor, "work_mem", "64MB")
        # Writers wait, readers do not: no movie may appear between the update and the insert.
        cursor.execute("LOCK TABLE movies IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(_SPLIT_GENRES)
        cursor.execute(_ADD_GENRES)
        cursor.execute(_NUMBER_GENRES)
        cursor.execute("ANALYZE staged_titles (imdb_id, genres)")
        cursor.execute("ANALYZE staged_genre_ids")
        cursor.execute(
            "SELECT count(*) FROM movies JOIN staged_titles USING (imdb_id) WHERE movies.source = 'api'"
        )
        ((adopted,),) = cursor.fetchall()
        cursor.execute(_DELETE)
        deleted = cursor.rowcount
        cursor.execute(_UPDATE)
        updated = cursor.rowcount
        cursor.execute(_INSERT)
        inserted = cursor.rowcount
        cursor.execute("SELECT count(*) FROM genres")
        ((genre_rows,),) = cursor.fetchall()
    return Merged(inserted, updated, adopted, deleted, genre_rows)


def create_listing_indexes(connection: psycopg2.extensions.connection) -> None:
    """Make the indexes that lists are served by, where they are missing; within the caller's transaction."""
    with connection.cursor() as cursor:
        _raise_memory(cursor, "maintenance_work_mem", "256MB")
        cursor.execute("SELECT catalogue_create_listing_indexes()")


def _raise_memory(cursor: psycopg2.extensions.cursor, setting: str, least: str) -> None:
    """Give this transaction at least so much memory; a server that is sized for more keeps its own."""
    cursor.execute(
        "SELECT set_config(%(setting)s, %(least)s, true)"
        " WHERE pg_size_bytes(current_setting(%(setting)s)) < pg_size_bytes(%(least)s)",
        {"setting": setting, "least": least},
    )


def vacuum(connection: psycopg2.extensions.connection) -> None:
    """Mark the catalogue's pages as visible to all, so that lists are read from indexes alone."""
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) movies")
            cursor.execute("VACUUM (ANALYZE) movie_genres")
            cursor.execute("VACUUM (ANALYZE) genres")
    finally:
        connection.autocommit = False
