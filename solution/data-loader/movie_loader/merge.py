"""From the staging table into the catalogue: set-wise, in one transaction."""

from dataclasses import dataclass
from typing import Final

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import structlog

from movie_loader.merge_people import merge_people
from movie_loader.overrides import record_dumped, spare_overrides

TINY_CATALOGUE_ROWS: Final = 10_000
"""Below this many rows, making a table's indexes anew is cheaper than keeping them up."""

SHARE_TO_ANALYZE: Final = 0.1
"""As PostgreSQL's own autovacuum_analyze_scale_factor."""

LOCK_PATIENCE: Final = "5s"
"""How long a merge waits for one lock, before all of it is taken back and tried again."""

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

# A name that a genre lost to a rename or a merge still means that genre. None of them changes until the end.
_HOLD_GENRES: Final = "SELECT FROM genres FOR SHARE"
_NAMED: Final = "(SELECT id, name FROM genres UNION ALL SELECT genre_id, name FROM genre_aliases) AS named"

_ADD_GENRES: Final = f"""
INSERT INTO genres (name)
SELECT DISTINCT ON (lower(name)) name
FROM staged_genres
WHERE NOT EXISTS (SELECT FROM {_NAMED} WHERE lower(named.name) = lower(staged_genres.name))
ORDER BY lower(name), name
ON CONFLICT DO NOTHING
"""  # noqa: S608

# No temporary table: what reads one is read by one process alone.
_NUMBER_GENRES: Final = f"""
CREATE UNLOGGED TABLE staged_genre_ids AS
SELECT genres, array_agg(id ORDER BY position) AS genre_ids
FROM (
    SELECT staged_genres.genres, named.id, min(staged_genres.position) AS position
    FROM staged_genres JOIN {_NAMED} ON lower(named.name) = lower(staged_genres.name)
    GROUP BY staged_genres.genres, named.id
) AS numbered
GROUP BY genres
"""  # noqa: S608

_STAGED: Final = """
(
    SELECT staged_titles.*, coalesce(staged_genre_ids.genre_ids, '{}') AS genre_ids
    FROM staged_titles LEFT JOIN staged_genre_ids USING (genres)
) AS staged
"""

# What differs from the dumps, is gone from them, or is new in them: found before anything is written.
# Nothing but the names of our own columns is put together here.
_FIND_CHANGES: Final = f"""
CREATE TEMPORARY TABLE changed_movies ON COMMIT DROP AS
SELECT movies.id, movies.changed_in AS seen_in, movies.source AS old_source,
    movies.retired_at IS NOT NULL AS was_retired,
    CASE WHEN movies.id IS NULL THEN 'new' WHEN staged.imdb_id IS NULL THEN 'gone' ELSE 'other' END AS change,
    staged.id AS new_id, staged.imdb_id, {", ".join(f"staged.{name}" for name in _VALUES)}
FROM movies %(join)s JOIN {_STAGED} ON staged.imdb_id = movies.imdb_id
WHERE CASE
    WHEN movies.id IS NULL THEN true
    WHEN movies.imdb_id IS NULL THEN false
    WHEN staged.imdb_id IS NULL THEN movies.source = 'imdb' AND movies.retired_at IS NULL
    ELSE movies.retired_at IS NOT NULL OR (movies.source, {", ".join(f"movies.{name}" for name in _VALUES)})
        IS DISTINCT FROM ('imdb', {", ".join(f"staged.{name}" for name in _VALUES)})
END
"""  # noqa: S608

# What an editor changed since it was compared is left to the next load, and so is not overwritten unseen.
# An adopted movie takes all of the dumps' values: the address that a caller gave it is none of them.
_UPDATE: Final = f"""
UPDATE movies SET
    source = 'imdb', {", ".join(f"{name} = changed.{name}" for name in _VALUES)},
    imdb_link = CASE WHEN changed.old_source = 'imdb' THEN movies.imdb_link END,
    retired_at = NULL,
    changed_in = %(change_id)s,
    appeared_in = CASE WHEN changed.was_retired THEN %(change_id)s ELSE movies.appeared_in END
FROM changed_movies AS changed
WHERE movies.id = changed.id AND movies.changed_in = changed.seen_in AND changed.change = 'other'
"""  # noqa: S608

_RETIRE: Final = """
UPDATE movies SET retired_at = now(), changed_in = %(change_id)s
FROM changed_movies AS changed
WHERE movies.id = changed.id AND movies.changed_in = changed.seen_in AND changed.change = 'gone'
"""

_INSERT: Final = f"""
INSERT INTO movies (id, imdb_id, source, appeared_in, changed_in, {", ".join(_VALUES)})
SELECT new_id, imdb_id, 'imdb', %(change_id)s, %(change_id)s, {", ".join(_VALUES)}
FROM changed_movies
WHERE change = 'new'
"""  # noqa: S608

# A first load: nearly all is new, and need not be written twice.
_INSERT_STAGED: Final = f"""
INSERT INTO movies (id, imdb_id, source, appeared_in, changed_in, {", ".join(_VALUES)})
SELECT staged.id, staged.imdb_id, 'imdb', %(change_id)s, %(change_id)s,
    {", ".join(f"staged.{name}" for name in _VALUES)}
FROM {_STAGED}
WHERE NOT EXISTS (SELECT FROM movies WHERE movies.imdb_id = staged.imdb_id)
"""  # noqa: S608

_COUNT_CHANGES: Final = """
SELECT count(*) FILTER (WHERE old_source = 'api'), count(*) FILTER (WHERE was_retired)
FROM changed_movies
"""

LOST_RACES: Final = (
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.UniqueViolation,
)
"""What a merge may meet because others write meanwhile: tried again, it may come through."""


@dataclass(frozen=True)
class _Indexes:
    """What a first load makes after the rows: how its functions call it, and what is there if all is."""

    kind: str
    last: str


_DROPPED: Final = {
    "movies": _Indexes("listing", "movie_genres_runtime_minutes_idx"),
    "movie_credits": _Indexes("credit", "movie_credits_person_ids_idx"),
    "movie_titles": _Indexes("title", "movie_titles_movie_id_fkey"),
    "movie_search": _Indexes("search", "movie_search_vector_idx"),
}


_VACUUMED: Final = (
    "movies",
    "movie_genres",
    "genres",
    "people",
    "movie_credits",
    "movie_titles",
    "movie_search",
    "search_words",
    "person_search",
)


@dataclass(frozen=True)
class Merged:
    """What a merge did to the catalogue.

    Attributes:
        change_id: what the movies it wrote name as their change.
        inserted: movies that are new.
        updated: movies whose values, people or other titles differed, adopted and revived ones among them.
        adopted: movies that were made through the API and now follow the dumps.
        revived: movies that had been retired and are back.
        retired: movies of the dumps that are gone from them.
        new_people: people who are new.
        changed_people: people whose names or years differed.
    """

    change_id: int
    inserted: int
    updated: int
    adopted: int
    revived: int
    retired: int
    new_people: int
    changed_people: int

    @property
    def changed(self) -> int:
        """How many movies are not what they were."""
        return self.inserted + self.updated + self.retired


def drop_indexes_of_tiny_tables(connection: psycopg2.extensions.connection, staged_rows: int) -> None:
    """Drop the indexes that lists are served by, if there is next to nothing to list and much to come.

    The merge makes them anew after the rows, which is several times faster than keeping them up.
    Transactions of their own, and so short a patience, that nobody waits for more than an instant; if
    a reader holds a table for long, its indexes stay, and the merge takes longer.
    """
    if staged_rows < TINY_CATALOGUE_ROWS:
        return
    for table, indexes in _DROPPED.items():
        with connection, connection.cursor() as cursor:
            if not _is_tiny(cursor, table):
                continue
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
                cursor.execute(f"SELECT catalogue_drop_{indexes.kind}_indexes()")
        except psycopg2.errors.LockNotAvailable:
            structlog.get_logger("movie_loader").info(
                "the catalogue is in use, so its indexes stay while it is filled", table=table
            )


def merge_staged(connection: psycopg2.extensions.connection) -> Merged:
    """Make the dumps' movies equal to the staging table, within the caller's transaction.

    Movies are matched by IMDb id and keep our id, also through a time in which the dumps lack them.
    What was made through the API stays as it is, unless the dumps have its IMDb id: then it is
    adopted, and the dumps' values win. Fields that an editor changed, and movies that one deleted, stay
    as they are. Neither readers nor writers are locked out; whoever writes
    to a row that the merge writes to waits for its end.

    Raises:
        psycopg2.Error: one of `LOST_RACES` if others write meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_PATIENCE,))
        _raise_memory(cursor, "work_mem", "64MB")
        cursor.execute(_HOLD_GENRES)
        has_overrides = spare_overrides(cursor)
        cursor.execute(_SPLIT_GENRES)
        cursor.execute(_ADD_GENRES)
        cursor.execute(_NUMBER_GENRES)
        cursor.execute("ANALYZE staged_titles (imdb_id, genres)")
        cursor.execute("ANALYZE staged_genre_ids")
        cursor.execute("SELECT nextval('catalogue_change_ids')")
        ((change_id,),) = cursor.fetchall()
        values = {"change_id": change_id}
        is_first = _is_tiny(cursor, "movies")
        cursor.execute(_FIND_CHANGES % {"join": "LEFT" if is_first else "FULL"})
        cursor.execute("ANALYZE changed_movies (id, change)")
        cursor.execute(_COUNT_CHANGES)
        ((adopted, revived),) = cursor.fetchall()
        cursor.execute(_UPDATE, values)
        updated = cursor.rowcount
        cursor.execute(_RETIRE, values)
        retired = cursor.rowcount
        cursor.execute(_INSERT_STAGED if is_first else _INSERT, values)
        inserted = cursor.rowcount
        people = merge_people(cursor, change_id)
        if has_overrides:
            record_dumped(cursor)
    return Merged(
        change_id,
        inserted,
        updated + people.touched,
        adopted,
        revived,
        retired,
        people.new_people,
        people.changed_people,
    )


def publish(connection: psycopg2.extensions.connection, merged: Merged, load_id: int | None) -> None:
    """Give the merge's changes the next generation, if there are any; the caller commits at once.

    Every other write to the catalogue waits from here on.
    """
    if merged.changed:
        with connection.cursor() as cursor:
            cursor.execute("SELECT catalogue_publish(%s, %s)", (merged.change_id, load_id))


def create_indexes(connection: psycopg2.extensions.connection) -> None:
    """Make the indexes that lists are served by, where they are missing; within the caller's transaction."""
    with connection.cursor() as cursor:
        for indexes in _DROPPED.values():
            # Asked first: even IF NOT EXISTS would wait for writers, and keep new ones waiting.
            cursor.execute(
                """
                SELECT to_regclass(%(name)s) IS NOT NULL
                    OR EXISTS (SELECT FROM pg_constraint WHERE conname = %(name)s)
                """,
                {"name": indexes.last},
            )
            if cursor.fetchone() == (False,):
                _raise_memory(cursor, "maintenance_work_mem", "256MB")
                cursor.execute(f"SELECT catalogue_create_{indexes.kind}_indexes()")


def _is_tiny(cursor: psycopg2.extensions.cursor, table: str) -> bool:
    cursor.execute(
        f"SELECT count(*) < %(rows)s FROM (SELECT FROM {table} LIMIT %(rows)s) AS first_rows",  # noqa: S608
        {"rows": TINY_CATALOGUE_ROWS},
    )
    return cursor.fetchone() == (True,)


def _raise_memory(cursor: psycopg2.extensions.cursor, setting: str, least: str) -> None:
    """Give this transaction at least so much memory; a server that is sized for more keeps its own."""
    cursor.execute(
        "SELECT set_config(%(setting)s, %(least)s, true)"
        " WHERE pg_size_bytes(current_setting(%(setting)s)) < pg_size_bytes(%(least)s)",
        {"setting": setting, "least": least},
    )


def vacuum(connection: psycopg2.extensions.connection, share_changed: float) -> None:
    """Mark the catalogue's pages as visible to all, so that lists are read from indexes alone.

    Args:
        connection: in no transaction.
        share_changed: of the movies; where few changed, the planner's figures still hold.
    """
    options = "(ANALYZE)" if share_changed > SHARE_TO_ANALYZE else ""
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for table in _VACUUMED:
                cursor.execute(f"VACUUM {options} {table}")
    finally:
        connection.autocommit = False
