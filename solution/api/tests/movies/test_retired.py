"""Movies that are gone from the dumps: gone from lists, and remembered."""

import pytest

HEADLINE = "/movies?genre=Action&rating_gt=8.5&sort=rating&desc=1"
LINK = "https://www.imdb.com/title/tt0111161/"


@pytest.fixture
def two(movies):
    return movies.create_many(
        imdb_id=["tt0111161", "tt0111162"],
        year=[1990, 1991],
        rating=[9.0, 9.1],
        genres=[("Action",)] * 2,
    )


@pytest.mark.parametrize("address", ["/movies", "/movies?sort=year&desc", HEADLINE, "/movies?genre=Action"])
def test_a_retired_movie_is_in_no_list(api, movies, two, address):
    movies.retire(two[0].id)
    assert [one["id"] for one in api.get(address).json] == [two[1].id]


def test_a_movie_that_came_back_is_listed_again_under_its_id(api, movies, two):
    movies.retire(two[0].id)
    movies.revive(two[0].id)
    assert [one["id"] for one in api.get("/movies?sort=year").json] == [one.id for one in two]
    assert api.get(f"/movies/{two[0].id}").status_code == 200


@pytest.mark.parametrize("query", ["", "&genre=Action"])
@pytest.mark.parametrize("name", ["id", "imdb_id"])
def test_no_page_begins_after_a_retired_movie(api, movies, two, query, name):
    movies.retire(two[0].id)
    answer = api.get(f"/movies?after_id={getattr(two[0], name)}{query}")
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/after-id-not-in-list")


@pytest.mark.parametrize("name", ["id", "imdb_id"])
def test_a_retired_movie_is_told_to_be_gone(api, movies, two, name):
    movies.retire(two[0].id)
    answer = api.get(f"/movies/{getattr(two[0], name)}")
    assert (answer.status_code, answer.json["type"]) == (410, "/docs/errors/movie-retired")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_retired_movie_is_gone_even_for_who_has_its_tag(api, movies, two):
    tag = api.get(f"/movies/{two[0].id}").headers["ETag"]
    movies.retire(two[0].id)
    for held in (tag, "*"):
        assert api.get(f"/movies/{two[0].id}", headers={"If-None-Match": held}).status_code == 410


def test_a_movie_is_not_made_anew_under_the_imdb_id_of_a_retired_one(editor, movies, two):
    movies.retire(two[0].id)
    answer = editor.post("/movies", json={"title": "x", "imdb_link": LINK})
    assert (answer.status_code, "retired" in answer.json["detail"]) == (409, True)


@pytest.mark.parametrize("sort", ["title", "year", "rating", "votes", "runtime"])
@pytest.mark.parametrize("query", ["", "&desc=1", "&rating_gt=8.5&year_gte=1990&votes_gte=7"])
def test_a_list_is_read_from_an_index_alone(api, movies, queries, database_cursor, sort, query):
    numbers = range(3_000)
    movies.create_many(
        year=[1900 + number % 120 for number in numbers],
        rating=[1 + number % 91 / 10 for number in numbers],
        votes=list(numbers),
        runtime=[number % 200 for number in numbers],
    )
    database_cursor.execute("VACUUM ANALYZE movies")
    queries.statements.clear()
    api.get(f"/movies?sort={sort}{query}")
    (statement,) = [one for one in queries.statements if "AS page" in one]
    database_cursor.execute(f"EXPLAIN {statement}")
    plan = "\n".join(line for (line,) in database_cursor.fetchall())
    assert "Index Only Scan" in plan, plan
    assert "Seq Scan" not in plan, plan
