"""What becomes of movies that are already there."""

import psycopg2
import pytest
from movie_database.addresses import libpq_address
from movie_loader import merge, records, staging
from movie_loader.errors import LoadError, RunningLoadError
from movie_testing.tsv import rating_row, title_row, write_tsv


def counts(report):
    """What a merge did to movies, without what it did to none."""
    return {name: count for name, count in report.merged.items() if count and name != "change_id"}


LISTING_INDEXES = "SELECT count(*) AS n FROM pg_indexes WHERE tablename = 'movies'"


def test_a_second_load_of_the_same_dumps_changes_nothing(loads):
    loads.run()
    before = loads.movies()
    report = loads.run(is_forced=True)
    assert loads.movies() == before
    assert counts(report) == {}


def test_a_reload_keeps_ids_and_touches_only_what_changed(loads, dumps):
    first = [title_row(tconst=f"tt000000{at}", primaryTitle=f"Title {at}") for at in (1, 2, 3)]
    write_tsv(dumps, basics=first, ratings=[rating_row(tconst="tt0000001")])
    loads.run()
    before = loads.movies()
    versions = {row["imdb_id"]: row["xmin"] for row in loads.query("SELECT imdb_id, xmin FROM movies")}
    second = [first[0], first[1], title_row(tconst="tt0000004", primaryTitle="Title 4")]
    write_tsv(dumps, basics=second, ratings=[rating_row(tconst="tt0000001", averageRating=9.9)])
    report = loads.run()
    after = loads.movies()
    assert {one for one, movie in after.items() if not movie["retired_at"]} == {
        "tt0000001",
        "tt0000002",
        "tt0000004",
    }
    change = after["tt0000004"]["changed_in"]
    assert after["tt0000001"] == before["tt0000001"] | {"rating_tenths": 99, "changed_in": change}
    assert after["tt0000002"] == before["tt0000002"]
    untouched = loads.query("SELECT imdb_id, xmin FROM movies WHERE imdb_id = 'tt0000002'")
    assert untouched[0]["xmin"] == versions["tt0000002"]
    assert counts(report) == {"inserted": 1, "updated": 1, "retired": 1}


@pytest.mark.parametrize(
    ("column", "old", "new"),
    [
        ("primaryTitle", "Old", "New"),
        ("originalTitle", "Old", None),
        ("isAdult", 0, 1),
        ("startYear", 1999, None),
        ("runtimeMinutes", None, 100),
        ("genres", "Drama", "Comedy"),
        ("genres", "Drama,Comedy", "Comedy,Drama"),
        ("genres", "Drama", None),
    ],
)
def test_each_column_is_brought_up_to_date(loads, dumps, column, old, new):
    write_tsv(dumps, basics=[title_row(**{column: old})])
    loads.run()
    write_tsv(dumps, basics=[title_row(**{column: new})])
    assert counts(loads.run()) == {"updated": 1}
    assert counts(loads.run(is_forced=True)) == {}


def test_a_movie_made_through_the_api_stays_as_it_is(loads):
    loads.query(
        "INSERT INTO movies (source, title_type, title, title_key) VALUES ('api', 'movie', 'Own', 'own')"
    )
    loads.query(
        """
        INSERT INTO movies (source, title_type, title, title_key, imdb_id)
        VALUES ('api', 'movie', 'Not in the dumps', 'not', 'tt7777777')
        """
    )
    own = loads.query("SELECT * FROM movies ORDER BY id")
    loads.run()
    assert loads.query("SELECT * FROM movies WHERE source = 'api' ORDER BY id") == own


def test_a_movie_made_through_the_api_is_adopted_by_the_dumps(loads):
    loads.query(
        """
        INSERT INTO movies (source, title_type, title, title_key, imdb_id, imdb_link)
        VALUES ('api', 'movie', 'Own', 'own', 'tt0000001', 'https://www.imdb.com/title/tt0000001/')
        """
    )
    (own,) = loads.query("SELECT * FROM movies")
    report = loads.run()
    (movie,) = loads.query("SELECT * FROM movies")
    assert (movie["id"], movie["appeared_in"]) == (own["id"], own["appeared_in"])
    assert (movie["source"], movie["title"], movie["votes"], movie["imdb_link"]) == ("imdb", "X", 1000, None)
    assert counts(report) == {"adopted": 1, "updated": 1}


def test_genres_are_shared_whatever_their_case_and_kept_in_order(loads, dumps):
    loads.query("INSERT INTO genres (name) VALUES ('drama')")
    write_tsv(
        dumps,
        basics=[
            title_row(tconst="tt0000001", genres="Drama,Comedy"),
            title_row(tconst="tt0000002", genres="COMEDY,Sci-Fi,Drama"),
            title_row(tconst="tt0000003", genres="Sci-Fi,SCI-FI,drama"),
        ],
    )
    loads.run()
    movies = loads.movies()
    names = {imdb_id: [name.lower() for name in movie["genres"]] for imdb_id, movie in movies.items()}
    assert names == {
        "tt0000001": ["drama", "comedy"],
        "tt0000002": ["comedy", "sci-fi", "drama"],
        "tt0000003": ["sci-fi", "drama"],
    }
    assert len(loads.query("SELECT * FROM genres")) == 3
    assert movies["tt0000001"]["genres"][0] == "drama"


def test_the_sample_is_marked_and_replaced_by_real_data(loads, dumps):
    loads.run(is_sample=True)
    write_tsv(dumps, basics=[title_row(tconst="tt0000002")])
    loads.run()
    assert [one for one, movie in loads.movies().items() if not movie["retired_at"]] == ["tt0000002"]
    assert [row["is_sample"] for row in loads.query("SELECT is_sample FROM dataset_loads ORDER BY id")] == [
        True,
        False,
    ]


def test_the_sample_never_replaces_real_data(loads):
    loads.run()
    before = loads.snapshot()
    with pytest.raises(LoadError, match="never replaces real data"):
        loads.run(is_sample=True)
    assert loads.snapshot() == before


def test_a_second_load_at_the_same_time_is_told_who_is_at_work(loads):
    connection = psycopg2.connect(libpq_address(loads.url))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (records._LOCK_KEY,))
    loads.query(
        "INSERT INTO dataset_loads (state, started_at, source, is_sample, title_types, loader)"
        " VALUES ('running', '2026-01-02 03:04:05Z', 'x', false, '{movie}', 'process 7 on host')"
    )
    with pytest.raises(
        RunningLoadError, match="is running since 2026-01-02 03:04:05 UTC: load 1, process 7 on host"
    ):
        loads.run()
    connection.close()
    assert [row["state"] for row in loads.loads()] == ["running"]


def test_a_load_that_is_over_does_not_keep_the_next_one_out(loads, dumps):
    for _ in range(5):
        loads.run()
        write_tsv(dumps, basics=[])
        with pytest.raises(LoadError, match="no rows"):
            loads.run()
        write_tsv(dumps, basics=[title_row()])


def test_what_a_dead_load_left_behind_is_cleared_away(loads):
    (all_there,) = loads.query(LISTING_INDEXES)
    loads.query("CREATE UNLOGGED TABLE staged_titles (rubbish text)")
    loads.query("SELECT catalogue_drop_listing_indexes()")
    loads.run()
    assert loads.query(LISTING_INDEXES) == [all_there]
    assert loads.query("SELECT to_regclass('staged_titles') AS staged") == [{"staged": None}]


def test_a_merge_that_fails_leaves_everything_as_it_was(loads, dumps, monkeypatch):
    loads.run()
    before = loads.snapshot()
    write_tsv(dumps, basics=[title_row(tconst="tt0000002", genres="New")])
    real = merge.create_indexes
    calls = []

    def fails_once(connection):
        calls.append(1)
        if len(calls) == 1:
            raise psycopg2.OperationalError
        real(connection)

    monkeypatch.setattr(merge, "create_indexes", fails_once)
    with pytest.raises(psycopg2.OperationalError):
        loads.run()
    snapshot = loads.snapshot()
    snapshot[3] = [row for row in snapshot[3] if not row["tablename"].startswith("staged_")]
    assert snapshot == before


def test_readers_are_not_kept_out_while_movies_are_merged(loads):
    loads.run()
    merging = psycopg2.connect(libpq_address(loads.url))
    staging.create_staging(merging)
    merging.commit()
    merged = merge.merge_staged(merging)
    merge.create_indexes(merging)
    merge.publish(merging, merged, None)
    assert len(loads.movies()) == 1
    merging.rollback()
    merging.close()
