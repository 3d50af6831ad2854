"""What the database remembers of loads."""

import json
from contextlib import closing
from datetime import timedelta

import psycopg2
import pytest
from movie_database.addresses import libpq_address
from movie_loader import records
from movie_loader.errors import LoadError
from movie_testing.tsv import rating_row, title_row, write_tsv

RUNNING = """
INSERT INTO dataset_loads (state, started_at, source, is_sample, title_types, loader)
VALUES ('running', '2026-01-02 03:04:05Z', 'x', false, '{movie}', 'process 7 on host')
"""


@pytest.fixture
def connection(loads):
    with closing(psycopg2.connect(libpq_address(loads.url))) as opened:
        yield opened


def test_a_load_that_is_done_has_all_of_it_on_record(loads, dumps):
    write_tsv(dumps, basics=[title_row(), b"tt0000002\tmovie\tToo short"], ratings=[rating_row()])
    report = loads.run()
    (record,) = loads.loads()
    expected = {
        "id": report.load_id,
        "state": "done",
        "movie_rows": 1,
        "genre_rows": 1,
        "rating_rows": 1,
        "mean_rating": 7.0,
        "inserted": 1,
        "updated": 0,
        "retired": 0,
        "error_code": None,
        "error": None,
    }
    assert record.items() >= expected.items()
    assert [phase["name"] for phase in record["phases"]] == [
        "ratings",
        "titles",
        "crew",
        "people",
        "credits",
        "merge",
        "indexes",
        "vacuum",
    ]
    assert all(phase["seconds"] >= 0 for phase in record["phases"])
    assert record["rejected"]["title.ratings"] == {}
    assert sum(record["rejected"]["title.basics"].values()) == 1
    assert record["started_at"] <= record["finished_at"]
    assert json.loads(json.dumps(record["report"]))["state"] == "done"


def test_a_load_that_fails_has_the_reason_on_record(loads, dumps):
    (dumps / "title.ratings.tsv.gz").write_bytes(b"")
    with pytest.raises(LoadError):
        loads.run()
    (record,) = loads.loads()
    assert (record["state"], record["error_code"]) == ("failed", "source_empty")
    assert record["error"].endswith("is empty")
    assert record["finished_at"] is not None


def test_a_load_that_died_is_marked_failed_by_the_next_one(loads):
    loads.query(RUNNING)
    loads.run()
    assert [(row["state"], row["error_code"]) for row in loads.loads()] == [
        ("failed", "died"),
        ("done", None),
    ]


def test_loads_that_died_are_told_of_once(loads, connection):
    loads.query(RUNNING)
    assert records.fail_dead_loads(connection) == [
        "load 1 of 2026-01-02 03:04:05 UTC died without a word (process 7 on host)"
    ]
    assert records.fail_dead_loads(connection) == []


def test_a_load_that_runs_is_not_taken_for_dead(loads, connection):
    loads.query(RUNNING)
    with closing(psycopg2.connect(libpq_address(loads.url))) as running:
        records.take_lock(running)
        assert records.fail_dead_loads(connection) == []
    assert [row["state"] for row in loads.loads()] == ["running"]


def test_looking_for_dead_loads_keeps_no_load_out(loads, connection):
    loads.query(RUNNING)
    records.fail_dead_loads(connection)
    assert loads.run().state == "done"


def test_nothing_is_fresh_before_the_first_load(connection):
    assert records.freshness(connection) is None


def test_an_unchanged_load_counts_as_fresh(loads, connection):
    loads.run()
    loads.query("UPDATE dataset_loads SET finished_at = now() - interval '3 days'")
    assert records.freshness(connection).age >= timedelta(days=3)
    loads.run()
    assert records.freshness(connection).age < timedelta(minutes=1)


def test_a_load_that_failed_makes_nothing_fresh(loads, connection, dumps):
    loads.run()
    before = records.freshness(connection).fresh_at
    (dumps / "title.ratings.tsv.gz").write_bytes(b"")
    with pytest.raises(LoadError):
        loads.run()
    assert records.freshness(connection).fresh_at == before


def test_data_is_never_older_than_now_when_the_clock_was_moved_back(loads, connection):
    loads.run()
    loads.query("UPDATE dataset_loads SET finished_at = now() + interval '1 day'")
    assert records.freshness(connection).age == timedelta(0)
