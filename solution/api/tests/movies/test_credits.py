"""Who made a movie: in every answer that shows it."""

import pytest
from movie_api.http.kept import KeptAnswers


def names(movie: dict) -> list[list[str]]:
    return [[one["name"] for one in movie[role]] for role in ("directors", "writers", "cast")]


def test_a_movie_names_its_people_in_imdbs_order(api, movies, people):
    ann, bob, cyd, dee = people.create_many("Ann", "Bob", "Cyd", "Dee")
    made = movies.create(directors=[cyd, ann], writers=[bob], cast=[dee, cyd])
    movie = api.get(f"/movies/{made.id}").json
    assert (movie["directors"], movie["writers"], movie["cast"]) == (
        [cyd.credited, ann.credited],
        [bob.credited],
        [dee.credited, cyd.credited],
    )


@pytest.mark.parametrize(
    "address", ["/movies", "/movies?q=film", "/movies?q=film&sort=year", "/movies?genre=War"]
)
def test_every_list_names_the_people_of_its_movies(api, movies, people, address):
    ann, bob, cyd = people.create_many("Ann", "Bob", "Cyd")
    genres = [("War",)] * 3
    movies.create_many(
        title=["Film A", "Film B", "Film C"],
        genres=genres,
        directors=[[ann], [], [cyd, ann]],
        writers=[[], [], [bob]],
        cast=[[bob], [], []],
    )
    found = {movie["title"]: names(movie) for movie in api.get(address).json}
    assert found == {
        "Film A": [["Ann"], [], ["Bob"]],
        "Film B": [[], [], []],
        "Film C": [["Cyd", "Ann"], ["Bob"], []],
    }


def test_changes_name_the_people_of_their_movies(api, movies, people):
    movies.create(directors=[people.create("Ann")])
    (change,) = api.get("/movies/changes").json
    assert names(change["movie"]) == [["Ann"], [], []]


def test_an_edited_movie_keeps_its_people(editor, movies, people):
    made = movies.create(directors=[people.create("Ann")], writers=[people.create("Bob")])
    answer = editor.patch(f"/movies/{made.id}", json={"year": 2009}, headers={"If-Match": "*"})
    assert (answer.json["year"], names(answer.json)) == (2009, [["Ann"], ["Bob"], []])


def test_other_people_are_another_version_of_a_movie(api, movies, people):
    ann, bob = people.create_many("Ann", "Bob")
    made = movies.create(directors=[ann])
    address = f"/movies/{made.id}"
    tag = {"If-None-Match": api.get(address).headers["ETag"]}
    assert api.get(address, headers=tag).status_code == 304
    movies.credit(made.id, directors=[bob])
    assert names(api.get(address, headers=tag).json) == [["Bob"], [], []]


def test_the_names_of_a_pages_people_take_one_query_for_all(api, movies, people, queries):
    made = people.create_many(*(f"Person {number}" for number in range(30)))
    movies.create_many(
        directors=[made[number : number + 3] for number in range(20)],
        writers=[made[number : number + 9] for number in range(20)],
    )
    api.get("/movies?page_size=20")
    api.application.extensions["kept_answers"] = KeptAnswers()
    assert queries.count(lambda: api.get("/movies?page_size=20")) == 3
