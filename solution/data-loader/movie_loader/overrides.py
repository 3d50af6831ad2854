"""What editors changed on movies of the dumps: a load leaves it alone, and remembers what the dumps say."""

from typing import Final

import psycopg2.extensions

_ARE_THERE_ANY: Final = "SELECT EXISTS (SELECT FROM movies WHERE overrides IS NOT NULL)"

# Read, and not written yet: who edits a movie holds that first and its overrides after, and so does a load.
_FIND_DUMPED: Final = """
CREATE TEMPORARY TABLE dumped_values ON COMMIT DROP AS
SELECT movie_overrides.movie_id, movie_overrides.field, coalesce(
    CASE movie_overrides.field
        WHEN 'title' THEN to_jsonb(staged.title)
        WHEN 'original_title' THEN to_jsonb(staged.original_title)
        WHEN 'year' THEN to_jsonb(staged.year)
        WHEN 'rating' THEN to_jsonb(staged.rating_tenths)
        WHEN 'votes' THEN to_jsonb(staged.votes)
        WHEN 'runtime' THEN to_jsonb(staged.runtime_minutes)
        WHEN 'genres' THEN to_jsonb(ARRAY(
            SELECT name
            FROM unnest(string_to_array(staged.genres, ',')) WITH ORDINALITY AS names (name, position)
            WHERE btrim(name) <> '' ORDER BY position
        ))
    END, 'null') AS dumped
FROM movie_overrides
JOIN movies ON movies.id = movie_overrides.movie_id
JOIN staged_titles AS staged ON staged.imdb_id = movies.imdb_id
WHERE movie_overrides.field NOT IN ('imdb_link', 'deleted')
"""

# For all that is compared and written later, the dumps say what the editor said. No genre has a comma.
_SPARE: Final = """
UPDATE staged_titles AS staged SET
    title = CASE WHEN 'title' = ANY(movies.overrides) THEN movies.title ELSE staged.title END,
    title_key = CASE WHEN 'title' = ANY(movies.overrides) THEN movies.title_key ELSE staged.title_key END,
    original_title = CASE WHEN 'original_title' = ANY(movies.overrides)
        THEN movies.original_title ELSE staged.original_title END,
    year = CASE WHEN 'year' = ANY(movies.overrides) THEN movies.year ELSE staged.year END,
    rating_tenths = CASE WHEN 'rating' = ANY(movies.overrides)
        THEN movies.rating_tenths ELSE staged.rating_tenths END,
    votes = CASE WHEN 'votes' = ANY(movies.overrides) THEN movies.votes ELSE staged.votes END,
    runtime_minutes = CASE WHEN 'runtime' = ANY(movies.overrides)
        THEN movies.runtime_minutes ELSE staged.runtime_minutes END,
    genres = CASE WHEN 'genres' = ANY(movies.overrides) THEN coalesce((
        SELECT string_agg(genres.name, ',' ORDER BY position)
        FROM unnest(movies.genre_ids) WITH ORDINALITY AS ids (id, position) JOIN genres USING (id)
    ), '') ELSE staged.genres END
FROM movies
WHERE movies.overrides IS NOT NULL AND staged.imdb_id = movies.imdb_id
"""

_LEAVE_DELETED: Final = """
DELETE FROM staged_titles USING movies
WHERE 'deleted' = ANY(movies.overrides) AND movies.overrides IS NOT NULL
    AND staged_titles.imdb_id = movies.imdb_id
"""

_RECORD: Final = """
UPDATE movie_overrides SET dumped = dumped_values.dumped
FROM dumped_values
WHERE movie_overrides.movie_id = dumped_values.movie_id AND movie_overrides.field = dumped_values.field
    AND movie_overrides.dumped <> dumped_values.dumped
"""


def spare_overrides(cursor: psycopg2.extensions.cursor) -> bool:
    """The staging table has the editors' values where they changed some, and no movie that they deleted.

    Returns:
        Whether there are any, so that `record_dumped` has something to do.
    """
    cursor.execute(_ARE_THERE_ANY)
    if cursor.fetchone() == (False,):
        return False
    cursor.execute(_FIND_DUMPED)
    cursor.execute(_SPARE)
    cursor.execute(_LEAVE_DELETED)
    return True


def record_dumped(cursor: psycopg2.extensions.cursor) -> None:
    """Each override knows what the dumps say, for when it is dropped."""
    cursor.execute(_RECORD)
