"""GET /dataset, /healthz and /readyz."""

from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from movie_database.addresses import libpq_address
from psycopg2.extras import Json

ATTRIBUTION = "Information courtesy of IMDb (https://www.imdb.com). Used with permission."


@pytest.fixture
def add_load(database_url):
    def add(*, source="https://datasets.imdbws.com/", is_sample=False, finished_at=None) -> None:
        finished_at = finished_at or datetime.now(UTC)
        connection = psycopg2.connect(libpq_address(database_url))
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO dataset_loads (started_at, finished_at, source, is_sample, title_types, files,"
                " movie_rows, genre_rows, rating_rows, report) VALUES (%s, %s, %s, %s, %s, %s, 3, 2, 1, %s)",
                (finished_at, finished_at, source, is_sample, ["movie"], Json({}), Json({})),
            )
        connection.close()

    return add


def test_before_the_first_load_all_is_null(api):
    assert set(api.get("/dataset").json.values()) == {None}


def test_the_load_that_is_served_is_told(api, add_load):
    add_load(finished_at=datetime.now(UTC) - timedelta(hours=5), source="https://elsewhere.example/")
    add_load(finished_at=datetime(2026, 11, 24, 2, 0, 41, 900_000, tzinfo=UTC))
    answer = api.get("/dataset").json
    age = datetime.now(UTC) - datetime(2026, 11, 24, 2, 0, 41, 900_000, tzinfo=UTC)
    assert answer.pop("age_seconds") == pytest.approx(age.total_seconds(), abs=5)
    assert answer == {
        "source": "https://datasets.imdbws.com/",
        "sample": False,
        "note": None,
        "loaded_at": "2026-11-24T02:00:41Z",
        "title_types": ["movie"],
        "movies": 3,
        "genres": 2,
        "rated_movies": 1,
        "attribution": ATTRIBUTION,
    }


def test_the_sample_is_told_as_such(api, add_load):
    add_load(is_sample=True)
    answer = api.get("/dataset").json
    assert (answer["sample"], "sample" in answer["note"]) == (True, True)


def test_the_sample_is_not_credited_to_imdb(api, add_load):
    add_load(is_sample=True)
    assert api.get("/dataset").json["attribution"] is None


def test_where_a_folder_lies_is_not_told(api, add_load):
    add_load(source="/srv/private/dumps")
    assert api.get("/dataset").json["source"] == "dumps"


def test_the_process_answers_without_a_database(make_app):
    app = make_app(database_url="postgresql://nobody:x@127.0.0.1:1/none")
    assert app.test_client().get("/healthz").json == {"status": "ok"}


def test_an_empty_database_is_not_ready_and_the_problem_names_the_command(api):
    answer = api.get("/readyz")
    assert (answer.status_code, answer.json["type"]) == (503, "/docs/errors/no-data")
    assert "./run.sh load" in answer.json["detail"]
    assert int(answer.headers["Retry-After"]) > 0


def test_a_database_with_a_movie_is_ready(api, movies):
    movies.create()
    assert api.get("/readyz").json == {"status": "ready"}


def test_a_database_that_is_away_is_not_ready(make_app):
    answer = make_app(database_url="postgresql://nobody:x@127.0.0.1:1/none").test_client().get("/readyz")
    assert (answer.status_code, answer.json["type"]) == (503, "/docs/errors/database-away")


@pytest.mark.parametrize(("address", "number"), [("/dataset", 1), ("/healthz", 0), ("/readyz", 1)])
def test_each_takes_at_most_one_query(api, queries, address, number):
    assert queries.count(lambda: api.get(address)) == number
