"""Reads remember their plans, and forget them when they are of no use any more."""

import psycopg2
import pytest
from movie_api.reader import Reader
from movie_database.addresses import libpq_address


@pytest.fixture
def connect(database_url):
    connections = []

    def connect():
        connections.append(psycopg2.connect(libpq_address(database_url)))
        return connections[-1]

    yield connect
    for connection in connections:
        connection.close()


@pytest.fixture
def reader(connect) -> Reader:
    return Reader(connect())


def prepared(reader: Reader) -> list[str]:
    """The statements that the server has for this connection."""
    return [statement for (statement,) in reader._run("SELECT statement FROM pg_prepared_statements")]


def test_a_query_is_planned_once_from_its_second_time_on(reader):
    counts = []
    for _ in range(4):
        assert reader.rows("SELECT %s + 1", (1,)) == [(2,)]
        counts.append(len(prepared(reader)))
    assert counts == [0, 1, 1, 1]


def test_other_values_are_another_query(reader):
    for value in range(50):
        assert reader.rows("SELECT %s", (value,)) == [(value,)]
    assert prepared(reader) == []


def test_the_plans_that_are_kept_are_bounded_and_the_latest(reader):
    for value in range(120):
        for _ in range(2):
            assert reader.rows("SELECT %s", (value,)) == [(value,)]
    kept = prepared(reader)
    assert len(kept) == 100
    assert not any(statement.endswith("SELECT 0") for statement in kept)


def test_the_queries_that_are_remembered_are_bounded(reader):
    for value in range(3000):
        reader.rows("SELECT %s", (value,))
    assert len(reader._seen) == 1000


def test_a_row_is_found_by_its_key_with_one_plan(reader, movies):
    made = [movies.create() for _ in range(5)]
    rows = [reader.row_by_key("SELECT title FROM movies WHERE id = %s", one.id) for one in made]
    assert rows == [(one.title,) for one in made]
    assert reader.row_by_key("SELECT title FROM movies WHERE imdb_id = %s", "tt9999999") is None
    assert len(prepared(reader)) == 2


def test_a_percent_sign_in_a_value_is_a_percent_sign(reader):
    assert [reader.rows("SELECT %s", ("100 %s",)) for _ in range(3)] == [[("100 %s",)]] * 3


def test_uuids_are_texts(reader, movies):
    made = movies.create()
    assert reader.rows("SELECT id FROM movies", ()) == [(made.id,)]


def test_a_table_that_changes_its_columns_is_planned_anew(reader, connect):
    with connect() as owner, owner.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (a integer)")
        cursor.execute("INSERT INTO changing VALUES (1)")
    owner.commit()
    for _ in range(3):
        assert reader.rows("SELECT * FROM changing", ()) == [(1,)]
    with owner.cursor() as cursor:
        cursor.execute("ALTER TABLE changing ALTER a TYPE text, ADD b integer")
    owner.commit()
    assert reader.rows("SELECT * FROM changing", ()) == [("1", None)]


def test_where_statements_get_lost_it_reads_without_them(reader):
    for _ in range(2):
        reader.rows("SELECT 1", ())
        reader.row_by_key("SELECT %s::integer", 1)
    reader._cursor.execute("DEALLOCATE ALL")
    assert reader.rows("SELECT 1", ()) == [(1,)]
    assert reader.row_by_key("SELECT %s::integer", 1) == (1,)
    assert prepared(reader) == []


def test_where_statements_of_others_are_in_the_way_it_reads_without_them(reader):
    reader._cursor.execute("PREPARE movie_api_1 AS SELECT 2")
    assert [reader.rows("SELECT 1", ()) for _ in range(3)] == [[(1,)]] * 3
    assert reader.row_by_key("SELECT %s::integer", 7) == (7,)
