"""What the next day's dumps do to the movies of the day before, and what is left alone."""

import gzip
import threading

import psycopg2
import pytest
from movie_database.addresses import libpq_address
from movie_loader import load as loading
from movie_loader import merge
from movie_testing.tsv import rating_row, title_row, write_tsv

ONE, TWO, THREE = (title_row(tconst=f"tt000000{at}", primaryTitle=f"Title {at}") for at in (1, 2, 3))


@pytest.fixture
def bring(loads, dumps):
    """Loads dumps of these titles and ratings."""

    def bring_them(*titles, ratings=(), **changes):
        write_tsv(dumps, basics=titles, ratings=[rating_row(), *ratings])
        return loads.run(**changes)

    return bring_them


def movie(loads, imdb_id):
    (found,) = loads.query("SELECT * FROM movies WHERE imdb_id = %s", imdb_id)
    return found


def generation(loads):
    return loads.query("SELECT generation FROM catalogue_state")[0]["generation"]


def test_a_movie_that_is_gone_from_the_dumps_is_retired_and_keeps_its_row(loads, bring):
    bring(ONE, TWO)
    before = movie(loads, "tt0000002")
    report = bring(ONE)
    after = movie(loads, "tt0000002")
    assert report.merged["retired"] == 1
    assert after["retired_at"] is not None
    changed = {"retired_at": after["retired_at"], "changed_in": after["changed_in"]}
    assert after == before | changed


def test_a_retired_movie_has_no_rows_by_genre_and_is_not_retired_again(loads, bring):
    bring(ONE, TWO)
    bring(ONE)
    retired = movie(loads, "tt0000002")
    assert loads.query("SELECT * FROM movie_genres WHERE movie_id = %s", retired["id"]) == []
    assert bring(ONE, THREE).merged["retired"] == 0
    assert movie(loads, "tt0000002") == retired


def test_a_movie_that_comes_back_has_its_old_id_and_the_new_values(loads, bring):
    bring(ONE, TWO)
    before = movie(loads, "tt0000002")
    bring(ONE)
    report = bring(ONE, TWO | {"startYear": 2001})
    after = movie(loads, "tt0000002")
    assert (after["id"], after["year"], after["retired_at"]) == (before["id"], 2001, None)
    assert after["appeared_in"] == after["changed_in"] > before["appeared_in"]
    assert (report.merged["revived"], report.merged["updated"], report.merged["inserted"]) == (1, 1, 0)
    assert len(loads.query("SELECT * FROM movie_genres WHERE movie_id = %s", after["id"])) == 1


def test_a_load_that_changes_movies_is_one_generation(loads, bring):
    bring(ONE)
    before = generation(loads)
    report = bring(ONE, TWO, THREE)
    assert generation(loads) == before + 1
    (change,) = loads.query("SELECT * FROM catalogue_changes WHERE load_id = %s", report.load_id)
    assert (change["generation"], change["id"]) == (before + 1, movie(loads, "tt0000003")["changed_in"])


def test_a_load_that_changes_no_movie_is_no_generation(loads, bring):
    bring(ONE, ratings=[rating_row(tconst="tt0000009")])
    before = generation(loads)
    report = bring(ONE, ratings=[rating_row(tconst="tt0000009", numVotes=7)])
    assert (report.state, generation(loads)) == ("done", before)


def test_generations_never_run_backwards_when_the_clock_does(loads, bring):
    bring(ONE)
    loads.query("UPDATE catalogue_state SET changed_at = now() + interval '1 day'")
    loads.query("UPDATE dataset_loads SET started_at = now() + interval '1 day', finished_at = started_at")
    (ahead,) = loads.query("SELECT changed_at FROM catalogue_state")
    report = bring(ONE, TWO)
    (after,) = loads.query("SELECT changed_at FROM catalogue_state")
    assert after["changed_at"] > ahead["changed_at"]
    assert report.seconds >= 0
    assert loads.run().state == "unchanged"


def test_a_writer_is_not_kept_waiting_while_movies_are_merged(loads, bring):
    bring(ONE)
    merging = psycopg2.connect(libpq_address(loads.url))
    loading.staging.create_staging(merging)
    merge.merge_staged(merging)
    loads.query("SET lock_timeout = '1s'; INSERT INTO genres (name) VALUES ('Own')")
    loads.query(
        "SET lock_timeout = '1s';"
        " INSERT INTO movies (source, title_type, title, title_key) VALUES ('api', 'movie', 'Own', 'own');"
        " SELECT catalogue_publish(nextval('catalogue_change_ids'))"
    )
    merging.rollback()
    merging.close()


def test_a_movie_that_the_api_makes_during_a_merge_is_adopted_by_it(loads, bring, monkeypatch):
    bring(ONE)
    real = merge.merge_staged
    made = []

    def merge_staged(connection):
        with connection.cursor() as cursor:
            # What the merge is about to see is fixed here for the first of its tries.
            if not made:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("SELECT FROM movies")
                made.extend(
                    loads.query(
                        "INSERT INTO movies (imdb_id, source, title_type, title, title_key)"
                        " VALUES ('tt0000002', 'api', 'movie', 'Own', 'own') RETURNING id"
                    )
                )
        return real(connection)

    monkeypatch.setattr(merge, "merge_staged", merge_staged)
    report = bring(ONE, TWO)
    assert report.merged["adopted"] == 1
    assert movie(loads, "tt0000002")["id"] == made[0]["id"]


def test_a_merge_that_others_get_in_the_way_of_is_tried_again(loads, bring, monkeypatch):
    bring(ONE)
    monkeypatch.setattr(loading, "SECONDS_BETWEEN_MERGES", 0.1)
    monkeypatch.setattr(merge, "LOCK_PATIENCE", "200ms")
    holder = psycopg2.connect(libpq_address(loads.url))
    with holder.cursor() as cursor:
        cursor.execute("SELECT FROM movies FOR UPDATE")
    timer = threading.Timer(0.8, holder.rollback)
    timer.start()
    report = bring(ONE | {"startYear": 2001})
    timer.join()
    holder.close()
    assert report.state == "done"
    assert movie(loads, "tt0000001")["year"] == 2001


def test_a_reader_that_holds_its_transaction_open_for_the_whole_load_waits_for_nothing(loads, bring):
    bring(ONE, TWO)
    reader = psycopg2.connect(libpq_address(loads.url))
    reader.set_session(isolation_level="REPEATABLE READ")
    with reader.cursor() as cursor:
        cursor.execute("SET statement_timeout = '1s'")
        cursor.execute("SELECT count(*) FROM movies WHERE retired_at IS NULL")
        assert cursor.fetchone() == (2,)
        assert bring(ONE, THREE, TWO | {"startYear": 2001}).state == "done"
        cursor.execute("SELECT count(*), max(year) FROM movies WHERE retired_at IS NULL")
        assert cursor.fetchone() == (2, 1999)
    reader.close()
    assert movie(loads, "tt0000002")["year"] == 2001


# Dumps that are those of the last load.


def test_unchanged_dumps_are_not_loaded_again(loads, bring):
    bring(ONE)
    before = loads.snapshot()
    report = loads.run()
    assert report.state == "unchanged"
    assert report.summary().startswith("nothing to do: ")
    assert loads.snapshot() == before
    assert [row["state"] for row in loads.loads()] == ["done", "unchanged"]


def test_unchanged_dumps_of_a_server_are_not_loaded_again(loads, server):
    loads.run(server.address)
    assert loads.run(server.address).state == "unchanged"


def test_unchanged_bytes_of_a_server_without_versions_are_not_merged_again(loads, server):
    for file in server.files.values():
        file.etag = file.modified_at = None
    loads.run(server.address)
    report = loads.run(server.address)
    assert report.state == "unchanged"
    assert loads.query("SELECT to_regclass('staged_titles') AS staged") == [{"staged": None}]


def test_unchanged_dumps_are_loaded_again_when_that_is_asked_for(loads, bring):
    bring(ONE)
    assert loads.run(is_forced=True).state == "done"


def test_unchanged_dumps_are_loaded_again_for_other_title_types(loads, bring):
    bring(ONE, TWO | {"titleType": "short"})
    report = loads.run(title_types=("movie", "short"))
    assert (report.state, report.merged["inserted"]) == ("done", 1)


def test_unchanged_dumps_are_loaded_again_where_their_rows_are_gone(loads, bring):
    bring(ONE, TWO)
    loads.query("DELETE FROM movies WHERE imdb_id = 'tt0000002'")
    report = loads.run()
    assert (report.state, report.merged["inserted"]) == ("done", 1)


def test_unchanged_dumps_are_loaded_again_after_the_schema_changed(loads, bring):
    bring(ONE)
    loads.query("INSERT INTO schema_scripts (name, checksum) VALUES ('9999_later.sql', '')")
    assert loads.run().state == "done"


def test_dumps_that_did_not_come_through_are_not_taken_for_loaded(loads, server, dumps):
    loads.run(server.address)
    write_tsv(dumps, basics=[title_row(primaryTitle="New")], ratings=[rating_row()])
    good = (dumps / "title.ratings.tsv.gz").read_bytes()
    server.put("title.basics.tsv.gz", (dumps / "title.basics.tsv.gz").read_bytes())
    server.put("title.ratings.tsv.gz", gzip.compress(b"no\theader\n"))
    with pytest.raises(loading.LoadError):
        loads.run(server.address)
    server.put("title.ratings.tsv.gz", good)
    assert loads.run(server.address).state == "done"
    assert movie(loads, "tt0000001")["title"] == "New"


def test_the_day_before_yesterday_is_loaded_again_when_it_comes_back(loads, bring):
    bring(ONE)
    bring(TWO)
    assert bring(ONE).state == "done"
    assert movie(loads, "tt0000001")["retired_at"] is None
