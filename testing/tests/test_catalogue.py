"""What the schema itself promises, whoever writes to it."""

from contextlib import closing

import psycopg2
import pytest
from movie_database.addresses import libpq_address

# What movie_genres should hold, and does not, or holds and should not.
DIFFERENCE = """
WITH derived AS (
    SELECT genre_id, id AS movie_id, title_key, year, runtime_minutes, rating_tenths, votes, is_adult,
        genre_ids
    FROM movies, unnest(genre_ids) AS genre_id
    WHERE retired_at IS NULL
), kept AS (
    SELECT genre_id, movie_id, title_key, year, runtime_minutes, rating_tenths, votes, is_adult, genre_ids
    FROM movie_genres
)
(TABLE derived EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE derived)
"""
MOVIES = """
INSERT INTO movies (imdb_id, source, title_type, title, title_key, year, votes, genre_ids)
SELECT 'tt' || lpad(n::text, 7, '0'), 'imdb', 'movie', 'Film', 'film', 1900 + n, n,
    (ARRAY[1, 2, 3])[1:n % 4]
FROM generate_series(1, 40) AS n
"""
MANY = """
INSERT INTO movies (source, title_type, title, title_key, votes, genre_ids)
SELECT 'imdb', 'movie', 'Film', 'film', n, (ARRAY[1, 2, 3])[1:n % 4]
FROM generate_series(1, 11000) AS n
"""
RETIRED = """
INSERT INTO movies (source, title_type, title, title_key, genre_ids, retired_at)
VALUES ('imdb', 'movie', 'X', 'x', '{1}', now())
"""


@pytest.fixture
def cursor(database_url):
    with closing(psycopg2.connect(libpq_address(database_url))) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO genres (id, name) VALUES (1, 'Drama'), (2, 'Comedy'), (3, 'War')")
        cursor.execute(MOVIES)
        yield cursor


def difference(cursor):
    cursor.execute(DIFFERENCE)
    return cursor.fetchall()


def count(cursor, table):
    cursor.execute(f"SELECT count(*) FROM {table}")
    return cursor.fetchone()[0]


def test_new_movies_have_a_row_for_each_of_their_genres(cursor):
    assert (count(cursor, "movie_genres"), difference(cursor)) == (60, [])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE movies SET votes = votes + 1 WHERE year < 1920",
        "UPDATE movies SET genre_ids = '{3,1}' WHERE year % 2 = 0",
        "UPDATE movies SET genre_ids = '{}'",
        "UPDATE movies SET title_key = 'other', year = NULL, rating_tenths = 87",
        "UPDATE movies SET is_adult = true, runtime_minutes = 9",
        "UPDATE movies SET title = 'A name that no list sorts by'",
        "UPDATE movies SET votes = 1 WHERE false",
        "UPDATE movies SET retired_at = now() WHERE year % 3 = 0",
        "UPDATE movies SET retired_at = now(), genre_ids = '{2}', votes = 7",
        "UPDATE movies SET title_key = 'other', genre_ids = '{2}' WHERE year % 3 = 0",
        "DELETE FROM movies WHERE year % 3 = 0",
        "DELETE FROM movies",
    ],
)
def test_rows_by_genre_follow_every_change_of_movies(cursor, statement):
    cursor.execute(statement)
    assert difference(cursor) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE movies SET retired_at = NULL",
        "UPDATE movies SET retired_at = NULL, genre_ids = '{3}', title_key = 'other'",
        "UPDATE movies SET votes = 7",
        "DELETE FROM movies",
        RETIRED,
    ],
)
def test_rows_by_genre_follow_what_happens_to_retired_movies(cursor, statement):
    cursor.execute("UPDATE movies SET retired_at = now() WHERE year % 2 = 0")
    cursor.execute(statement)
    assert difference(cursor) == []


def test_rows_by_genre_follow_a_change_of_very_many_movies(cursor):
    cursor.execute(MANY)
    cursor.execute("UPDATE movies SET votes = votes + 1, title_key = 'other ' || votes")
    assert difference(cursor) == []


def test_two_changes_in_one_transaction_are_both_followed(cursor):
    cursor.execute("UPDATE movies SET votes = 5")
    cursor.execute("UPDATE movies SET genre_ids = '{2}'")
    assert (count(cursor, "movie_genres"), difference(cursor)) == (40, [])


def test_rows_by_genre_are_not_rewritten_for_what_they_do_not_hold(cursor):
    cursor.execute("SELECT max(ctid) FROM movie_genres")
    before = cursor.fetchone()
    cursor.execute("UPDATE movies SET original_title = 'Another'")
    cursor.execute("SELECT max(ctid) FROM movie_genres")
    assert cursor.fetchone() == before


@pytest.mark.parametrize("kind", ["listing", "credit", "title"])
def test_the_indexes_come_back_as_they_were(cursor, kind):
    names = """
        SELECT array_agg(indexname ORDER BY indexname),
            (SELECT array_agg(conname ORDER BY conname) FROM pg_constraint)
        FROM pg_indexes WHERE tablename LIKE 'movie%'
    """
    cursor.execute(names)
    before = cursor.fetchone()
    cursor.execute(f"SELECT catalogue_drop_{kind}_indexes()")
    cursor.execute(f"SELECT catalogue_create_{kind}_indexes()")
    cursor.execute(names)
    assert cursor.fetchone() == before


def test_what_keeps_rows_apart_is_never_dropped(cursor):
    for kind in ("listing", "credit", "title"):
        cursor.execute(f"SELECT catalogue_drop_{kind}_indexes()")
    cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename LIKE 'movie%'")
    kept = {name for (name,) in cursor.fetchall()}
    assert kept >= {"movie_credits_pkey", "movie_titles_pkey", "movies_imdb_id_key", "movies_pkey"}


@pytest.mark.parametrize(("kind", "table"), [("credit", "movie_credits"), ("title", "movie_titles")])
def test_what_a_deleted_movie_left_behind_without_its_foreign_key_is_removed(cursor, kind, table):
    cursor.execute(f"SELECT catalogue_drop_{kind}_indexes()")
    columns = "(movie_id)" if kind == "credit" else "(movie_id, position, title, title_key)"
    values = "(gen_random_uuid())" if kind == "credit" else "(gen_random_uuid(), 1, 'X', 'x')"
    cursor.execute(f"INSERT INTO {table} {columns} VALUES {values}")
    cursor.execute(f"SELECT catalogue_create_{kind}_indexes()")
    cursor.execute(f"SELECT count(*) FROM {table}")
    assert cursor.fetchone() == (0,)
