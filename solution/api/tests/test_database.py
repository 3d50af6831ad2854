"""What callers see of a database that is gone, comes back, or is slow."""

from contextlib import contextmanager

import psycopg2
import pytest
from movie_database.addresses import libpq_address


@contextmanager
def connection_to(database_url):
    connection = psycopg2.connect(libpq_address(database_url))
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture
def cut(database_url):
    """Ends all connections of the program."""

    def cut() -> None:
        with connection_to(database_url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'movie-api' AND datname = current_database()"
            )
            assert cursor.rowcount > 0

    return cut


def test_a_read_survives_that_its_connection_was_cut(api, movies, cut):
    movies.create(title="x")
    api.get("/movies")
    cut()
    assert [movie["title"] for movie in api.get("/movies").json] == ["x"]


def test_a_write_survives_that_its_connection_was_cut(editor, cut):
    for _ in range(2):  # one for reads, one for writes
        editor.post("/movies", json={"title": "x"})
    cut()
    assert editor.post("/movies", json={"title": "x"}).status_code == 201


def test_a_database_that_is_away_gives_503_and_says_when_to_try_again(make_app):
    api = make_app(database_url="postgresql://nobody:x@127.0.0.1:1/none").test_client()
    for answer in (
        api.get("/movies"),
        api.get("/movies/tt0000001"),
        api.post("/movies", json={"title": "x"}, headers={"Authorization": "Bearer movies_any"}),
    ):
        assert (answer.status_code, answer.json["type"]) == (503, "/docs/errors/database-away")
        assert answer.headers["Retry-After"] == "5"
        assert "127.0.0.1:1" not in answer.text


@pytest.mark.parametrize(
    "ask",
    [
        lambda api, _: api.get("/movies"),
        lambda api, headers: api.post("/movies", json={"title": "x"}, headers=headers),
    ],
)
def test_a_query_that_takes_too_long_is_given_up(make_app, accounts, database_url, ask):
    api, headers = make_app(statement_timeout_seconds=0.2).test_client(), accounts.editor_headers()
    with connection_to(database_url) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE")
        answer = ask(api, headers)
    assert (answer.status_code, answer.json["type"]) == (503, "/docs/errors/database-busy")
    assert answer.headers["Retry-After"] == "5"
    assert ask(api, headers).status_code < 300


def test_a_fault_in_a_query_is_ours_and_tells_no_sql(api, database_url):
    with connection_to(database_url) as connection, connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE genres RENAME COLUMN name TO other_name")
    answer = api.get("/genres")
    assert (answer.status_code, answer.json["type"]) == (500, "/docs/errors/internal-error")
    assert "other_name" not in answer.text


def test_a_write_that_fails_half_way_leaves_nothing(api, editor, movies):
    movies.create(imdb_id="tt0111161")
    link = "https://www.imdb.com/title/tt0111161/"
    statuses = [
        editor.post(
            "/movies", json={"title": "x", "genres": [f"New {number}"], "imdb_link": link}
        ).status_code
        for number in range(3)
    ]
    assert (statuses, api.get("/genres").json) == ([409] * 3, [])
