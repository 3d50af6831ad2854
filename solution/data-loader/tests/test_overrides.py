"""What editors changed on movies of the dumps, and genres that they renamed: loads leave it as it is."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest
from movie_database.addresses import libpq_address
from movie_testing.tsv import rating_row, title_row, write_tsv

ONE = title_row(tconst="tt0000001", primaryTitle="One", startYear=1990, genres="Drama,War")
TWO = title_row(tconst="tt0000002", primaryTitle="Two")


@pytest.fixture
def bring(loads, dumps):
    """Loads dumps of these titles and ratings."""

    def bring_them(*titles, ratings=()):
        write_tsv(dumps, basics=titles, ratings=ratings or [rating_row()])
        return loads.run()

    return bring_them


def override(loads, field, column, value, dumped="null", imdb_id="tt0000001"):
    """An editor changed a field, as the API writes it."""
    loads.query(
        f"UPDATE movies SET {column} = %s, overrides = array_append(overrides, %s) WHERE imdb_id = %s",
        value,
        field,
        imdb_id,
    )
    loads.query(
        "INSERT INTO movie_overrides (movie_id, field, dumped)"
        " SELECT id, %s, %s::jsonb FROM movies WHERE imdb_id = %s",
        field,
        dumped,
        imdb_id,
    )


def dumped(loads):
    return {row["field"]: row["dumped"] for row in loads.query("SELECT field, dumped FROM movie_overrides")}


@pytest.mark.parametrize(
    ("field", "column", "value", "says"),
    [
        ("title", "title", "Mine", "New"),
        ("original_title", "original_title", None, "New"),
        ("year", "year", 1900, 1991),
        ("rating", "rating_tenths", None, 93),
        ("votes", "votes", 1, 77),
        ("runtime", "runtime_minutes", None, 101),
        ("genres", "genre_ids", [], ["War", "Music"]),
    ],
)
def test_a_field_that_an_editor_changed_is_kept_and_all_others_follow(
    loads, bring, field, column, value, says
):
    bring(ONE)
    override(loads, field, column, value)
    bring(
        ONE
        | {"primaryTitle": "New", "originalTitle": "New", "startYear": 1991, "runtimeMinutes": 101}
        | {"genres": "War,Music"},
        ratings=[rating_row(averageRating=9.3, numVotes=77)],
    )
    now = loads.movies()["tt0000001"]
    expected = {
        "title": "New",
        "original_title": "New",
        "year": 1991,
        "rating_tenths": 93,
        "votes": 77,
        "runtime_minutes": 101,
        "genres": ["War", "Music"],
    }
    expected["genres" if field == "genres" else column] = value
    assert {name: now[name] for name in expected} == expected
    assert dumped(loads) == {field: says}


def test_a_load_that_differs_in_nothing_else_changes_nothing(loads, bring):
    bring(ONE, TWO)
    override(loads, "title", "title", "Mine")
    before = loads.movies()
    report = bring(ONE | {"primaryTitle": "Again another"}, TWO)
    assert (report.merged["updated"], loads.movies()) == (0, before)
    assert dumped(loads) == {"title": "Again another"}


def test_a_title_that_an_editor_changed_is_sorted_as_that(loads, bring):
    bring(ONE)
    override(loads, "title", "title", "Mine")
    loads.query("UPDATE movies SET title_key = 'mine'")
    bring(ONE | {"primaryTitle": "New", "startYear": 1991})
    assert loads.movies()["tt0000001"]["title_key"] == "mine"


def test_genres_that_an_editor_chose_are_kept(loads, bring):
    bring(ONE)
    drama = loads.movies()["tt0000001"]["genre_ids"][0]
    override(loads, "genres", "genre_ids", [drama])
    bring(ONE | {"startYear": 1991})
    assert loads.movies()["tt0000001"]["genres"] == ["Drama"]


@pytest.mark.parametrize("source", ["imdb", "api"])
def test_a_movie_that_an_editor_deleted_does_not_come_back(loads, bring, source):
    bring(ONE, TWO)
    loads.query("UPDATE movies SET source = %s WHERE imdb_id = 'tt0000001'", source)
    override(loads, "deleted", "retired_at", "2026-11-24T12:00:00Z")
    before = loads.movies()["tt0000001"]
    report = bring(ONE | {"startYear": 1991}, TWO)
    assert loads.movies()["tt0000001"] == before
    assert (report.merged["inserted"], report.merged["revived"]) == (0, 0)


def test_a_movie_that_is_restored_follows_the_dumps_again(loads, bring):
    bring(ONE)
    override(loads, "deleted", "retired_at", "2026-11-24T12:00:00Z")
    bring(ONE | {"startYear": 1991})
    loads.query("DELETE FROM movie_overrides")
    loads.query("UPDATE movies SET retired_at = NULL, overrides = NULL")
    bring(ONE | {"startYear": 1992})
    assert loads.movies()["tt0000001"]["year"] == 1992


def test_a_movie_that_is_gone_from_the_dumps_is_retired_with_its_overrides_and_comes_back(loads, bring):
    bring(ONE, TWO)
    override(loads, "title", "title", "Mine")
    bring(TWO)
    assert loads.movies()["tt0000001"]["retired_at"] is not None
    bring(ONE, TWO)
    back = loads.movies()["tt0000001"]
    assert (back["retired_at"], back["title"], back["overrides"]) == (None, "Mine", ["title"])


def test_a_name_that_a_genre_lost_still_means_it(loads, bring):
    bring(ONE)
    loads.query("UPDATE genres SET name = 'Play' WHERE name = 'Drama'")
    loads.query(
        "INSERT INTO genre_aliases (name_key, name, genre_id)"
        " SELECT 'drama', 'Drama', id FROM genres WHERE name = 'Play'"
    )
    bring(ONE | {"genres": "War,Drama,Play"}, TWO | {"genres": "DRAMA"})
    assert [row["genres"] for row in loads.movies().values()] == [["War", "Play"], ["Play"]]
    assert [row["name"] for row in loads.query("SELECT name FROM genres ORDER BY name")] == ["Play", "War"]


def test_what_an_editor_changes_while_a_load_is_merged_is_not_overwritten(loads, bring):
    bring(ONE)
    with (
        closing(psycopg2.connect(libpq_address(loads.url))) as editor,
        editor.cursor() as cursor,
        ThreadPoolExecutor(1) as pool,
    ):
        cursor.execute("UPDATE movies SET title = 'Mine', changed_in = changed_in + 1000")
        loading = pool.submit(bring, ONE | {"primaryTitle": "New"})
        while not loads.query("SELECT pid FROM pg_locks WHERE NOT granted"):
            assert not loading.done()
        editor.commit()
        loading.result(timeout=30)
    assert loads.movies()["tt0000001"]["title"] == "Mine"
