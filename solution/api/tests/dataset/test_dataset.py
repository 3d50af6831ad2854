"""GET /dataset, /healthz and /readyz."""

from datetime import UTC, datetime, timedelta

import pytest

ATTRIBUTION = "Information courtesy of IMDb (https://www.imdb.com). Used with permission."


def test_before_the_first_load_all_is_null(api):
    assert set(api.get("/dataset").json.values()) == {None}


def test_the_load_that_is_served_is_told(make_app, loads):
    loads.create(finished_at=datetime.now(UTC) - timedelta(hours=5), source="https://elsewhere.example/")
    loads.create(finished_at=datetime(2026, 11, 24, 2, 0, 41, 900_000, tzinfo=UTC))
    answer = make_app(stale_after="3650d").test_client().get("/dataset").json
    age = datetime.now(UTC) - datetime(2026, 11, 24, 2, 0, 41, 900_000, tzinfo=UTC)
    assert answer.pop("age_seconds") == pytest.approx(age.total_seconds(), abs=5)
    assert answer == {
        "generation": 1,
        "load": 2,
        "source": "https://datasets.imdbws.com/",
        "sample": False,
        "note": None,
        "loaded_at": "2026-11-24T02:00:41Z",
        "checked_at": "2026-11-24T02:00:41Z",
        "stale": False,
        "title_types": ["movie"],
        "movies": 3,
        "genres": 2,
        "rated_movies": 1,
        "attribution": ATTRIBUTION,
    }


def test_the_sample_is_told_as_such(api, loads):
    loads.create(is_sample=True)
    answer = api.get("/dataset").json
    assert (answer["sample"], "sample" in answer["note"]) == (True, True)


def test_the_sample_is_not_credited_to_imdb(api, loads):
    loads.create(is_sample=True)
    assert api.get("/dataset").json["attribution"] is None


def test_where_a_folder_lies_is_not_told(api, loads):
    loads.create(source="/srv/private/dumps")
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
    assert api.get("/readyz").json == {"status": "ready", "stale": False}


def test_a_database_of_retired_movies_alone_is_not_ready(api, movies):
    movies.retire(movies.create().id)
    assert api.get("/readyz").status_code == 503


def test_data_that_are_too_old_are_ready_and_stale(api, movies, loads):
    movies.create()
    loads.create(finished_at=datetime.now(UTC) - timedelta(hours=37))
    answer = api.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "stale": True})
    assert api.get("/dataset").json["stale"] is True


def test_how_old_data_may_be_is_a_setting(make_app, loads):
    loads.create(finished_at=datetime.now(UTC) - timedelta(minutes=2))
    told = [make_app(stale_after=one).test_client().get("/dataset").json["stale"] for one in ("1m", "3m")]
    assert told == [True, False]


def test_the_sample_is_never_stale(api, movies, loads):
    movies.create()
    loads.create(is_sample=True, finished_at=datetime.now(UTC) - timedelta(days=400))
    assert (api.get("/dataset").json["stale"], api.get("/readyz").json["stale"]) == (False, False)


def test_a_load_that_found_nothing_new_makes_the_data_current(api, loads):
    served = loads.create(finished_at=datetime.now(UTC) - timedelta(hours=37))
    loads.create(state="unchanged", finished_at=datetime.now(UTC) - timedelta(minutes=1))
    answer = api.get("/dataset").json
    assert (answer["load"], answer["stale"]) == (served, False)
    assert answer["age_seconds"] == pytest.approx(60, abs=5)
    assert answer["loaded_at"] < answer["checked_at"]


@pytest.mark.parametrize("state", ["running", "refused", "failed"])
def test_a_load_that_is_not_done_is_not_served_and_says_nothing_of_its_age(api, loads, state):
    served = loads.create(finished_at=datetime.now(UTC) - timedelta(hours=1))
    loads.create(state=state, source="https://elsewhere.example/")
    answer = api.get("/dataset").json
    assert (answer["load"], answer["source"]) == (served, "https://datasets.imdbws.com/")
    assert answer["age_seconds"] == pytest.approx(3600, abs=5)


def test_the_last_load_is_told_by_its_id_and_no_age_is_below_zero(api, loads):
    loads.create(finished_at=datetime.now(UTC) + timedelta(days=2))
    last = loads.create(finished_at=datetime.now(UTC) + timedelta(days=1))
    answer = api.get("/dataset").json
    assert (answer["load"], answer["age_seconds"], answer["stale"]) == (last, 0, False)


def test_the_generation_is_that_of_the_catalogue(api, movies, loads):
    loads.create(publishes=True)
    movies.create()
    assert api.get("/dataset").json["generation"] == 3


def test_a_database_that_is_away_is_not_ready(make_app):
    answer = make_app(database_url="postgresql://nobody:x@127.0.0.1:1/none").test_client().get("/readyz")
    assert (answer.status_code, answer.json["type"]) == (503, "/docs/errors/database-away")


@pytest.mark.parametrize(("address", "number"), [("/dataset", 1), ("/healthz", 0), ("/readyz", 1)])
def test_each_takes_at_most_one_query(api, queries, address, number):
    assert queries.count(lambda: api.get(address)) == number
