"""From the staging tables into people, credits and other titles: set-wise, within a merge's transaction.

It comes after the movies: those that follow the dumps by then are all that it writes to.
"""

from dataclasses import dataclass
from typing import Final

import psycopg2.extensions

_RENAME_PEOPLE: Final = """
WITH changed AS (
    SELECT staged.number, staged.name, staged.name_key, staged.born, staged.died,
        staged.name <> people.name AS is_renamed
    FROM staged_people AS staged JOIN people USING (number)
    WHERE staged.id IS NULL
        AND (staged.name, staged.name_key, staged.born, staged.died)
            IS DISTINCT FROM (people.name, people.name_key, people.born, people.died)
), written AS (
    UPDATE people SET
        name = changed.name, name_key = changed.name_key, born = changed.born, died = changed.died
    FROM changed WHERE people.number = changed.number
)
SELECT count(*), array_agg(number) FILTER (WHERE is_renamed) FROM changed
"""

_ADD_PEOPLE: Final = """
INSERT INTO people (id, number, imdb_id, name, name_key, born, died)
SELECT id, number, imdb_id, name, name_key, born, died FROM staged_people WHERE id IS NOT NULL
"""

_FIND_CREDITS: Final = """
CREATE TEMPORARY TABLE changed_credits ON COMMIT DROP AS
SELECT movies.id AS movie_id, movies.changed_in, staged.director_ids, staged.writer_ids, staged.cast_ids
FROM movies
    LEFT JOIN staged_credits AS staged ON staged.imdb_id = movies.imdb_id
    LEFT JOIN movie_credits AS old ON old.movie_id = movies.id
WHERE movies.source = 'imdb' AND movies.retired_at IS NULL
    AND (staged.director_ids, staged.writer_ids, staged.cast_ids)
        IS DISTINCT FROM (old.director_ids, old.writer_ids, old.cast_ids)
"""

_WRITE_CREDITS: Final = """
INSERT INTO movie_credits (movie_id, director_ids, writer_ids, cast_ids)
SELECT movie_id, director_ids, writer_ids, cast_ids FROM changed_credits WHERE director_ids IS NOT NULL
ON CONFLICT (movie_id) DO UPDATE SET
    director_ids = excluded.director_ids, writer_ids = excluded.writer_ids, cast_ids = excluded.cast_ids
"""

_REMOVE_CREDITS: Final = """
DELETE FROM movie_credits USING changed_credits AS changed
WHERE movie_credits.movie_id = changed.movie_id AND changed.director_ids IS NULL
"""

# The original title is the movie's own, and no other one.
_FIND_TITLES: Final = """
CREATE TEMPORARY TABLE changed_titles ON COMMIT DROP AS
SELECT movie_id, position, coalesce(staged.changed_in, old.changed_in) AS changed_in,
    staged.title, staged.title_key, staged.region, staged.language
FROM (
    SELECT movies.id AS movie_id, movies.changed_in,
        akas.position, akas.title, akas.title_key, akas.region, akas.language
    FROM staged_akas AS akas JOIN movies USING (imdb_id)
    WHERE movies.source = 'imdb' AND movies.retired_at IS NULL
        AND (akas.is_original AND akas.title IN (movies.title, movies.original_title)) IS NOT TRUE
) AS staged
FULL JOIN (
    SELECT movie_titles.*, movies.changed_in
    FROM movie_titles JOIN movies ON movies.id = movie_titles.movie_id
    WHERE movies.source = 'imdb' AND movies.retired_at IS NULL
) AS old USING (movie_id, position)
WHERE (staged.title, staged.title_key, staged.region, staged.language)
    IS DISTINCT FROM (old.title, old.title_key, old.region, old.language)
"""

_WRITE_TITLES: Final = """
INSERT INTO movie_titles (movie_id, position, title, title_key, region, language)
SELECT movie_id, position, title, title_key, region, language FROM changed_titles WHERE title IS NOT NULL
ON CONFLICT (movie_id, position) DO UPDATE SET
    title = excluded.title, title_key = excluded.title_key, region = excluded.region,
    language = excluded.language
"""

_REMOVE_TITLES: Final = """
DELETE FROM movie_titles USING changed_titles AS changed
WHERE movie_titles.movie_id = changed.movie_id AND movie_titles.position = changed.position
    AND changed.title IS NULL
"""

# What a movie shows of people is their names, so a new name changes the movie, too.
_TOUCH_MOVIES: Final = """
UPDATE movies SET changed_in = %(change_id)s
FROM (
    SELECT movie_id FROM changed_credits WHERE changed_in <> %(change_id)s
    UNION SELECT movie_id FROM changed_titles WHERE changed_in <> %(change_id)s
    UNION SELECT movie_id FROM movie_credits
    WHERE (director_ids || writer_ids || cast_ids) && %(renamed)s::integer[]
) AS touched
WHERE movies.id = touched.movie_id AND movies.changed_in <> %(change_id)s AND movies.retired_at IS NULL
"""


@dataclass(frozen=True)
class MergedPeople:
    """What a merge did to people, credits and other titles.

    Attributes:
        touched: movies that were changed by this alone: other people, other names, other titles.
        new_people: people who are new.
        changed_people: people whose names or years differed.
    """

    touched: int
    new_people: int
    changed_people: int


def merge_people(cursor: psycopg2.extensions.cursor, change_id: int) -> MergedPeople:
    """Make people, credits and other titles of the dumps' movies equal to the staging tables.

    Raises:
        psycopg2.Error: as `merge.merge_staged`.
    """
    cursor.execute("ANALYZE staged_people (number), staged_credits (imdb_id), staged_akas (imdb_id)")
    cursor.execute(_RENAME_PEOPLE)
    ((changed_people, renamed),) = cursor.fetchall()
    cursor.execute(_ADD_PEOPLE)
    new_people = cursor.rowcount
    for find, *writes in (
        (_FIND_CREDITS, _WRITE_CREDITS, _REMOVE_CREDITS),
        (_FIND_TITLES, _WRITE_TITLES, _REMOVE_TITLES),
    ):
        cursor.execute(find)
        for write in writes:
            cursor.execute(write)
    cursor.execute(_TOUCH_MOVIES, {"change_id": change_id, "renamed": renamed or []})
    return MergedPeople(cursor.rowcount, new_people, changed_people)
