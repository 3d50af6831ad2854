"""GET /movies: the filters by people."""

import pytest
from movie_api.movies.filters import SORTS
from movie_testing.walks import check_walks


def titles(api, query: str) -> list[str]:
    answer = api.get(f"/movies?{query}")
    assert answer.status_code == 200, answer.text
    return [movie["title"] for movie in answer.json]


@pytest.fixture
def known(people, movies):
    """Ann directs A and B, with Bob in B; Bob wrote C; Cyd plays in A and D; nobody made E."""
    ann = people.create("Ann Éclair", imdb_id="nm0000001")
    bob = people.create("Bob Downey, Jr.", imdb_id="nm0000002")
    cyd = people.create("Cyd", imdb_id="nm0000003")
    movies.create_many(
        title=["Film A", "Film B", "Film C", "Film D", "Film E"],
        directors=[[ann], [ann, bob], [], [], []],
        writers=[[], [], [bob], [], []],
        cast=[[cyd], [], [], [cyd], []],
        genres=[("War",), ("War", "Drama"), ("War",), ("Drama",), ("War",)],
        year=[1999, 2000, 2001, 2002, None],
    )
    return {"ann": ann, "bob": bob, "cyd": cyd}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("director=nm0000001", "AB"),
        ("director=ann+eclair", "AB"),
        ("director=ANN%20ÉCLAIR", "AB"),
        ("director=nm0000002", "B"),
        ("director=nm0000001&director=Bob+Downey,+Jr.", "B"),
        ("director=nm0000003", ""),
        ("director=Ann", ""),
        ("person=bob+downey,+jr.", "BC"),
        ("person=nm0000001&person=nm0000003", "A"),
        ("person=nm0000009", ""),
        ("person=nm0000001&person=Nobody", ""),
        ("person_not=nm0000001", "CDE"),
        ("person_not=nm0000001&person_not=Cyd", "CE"),
        ("person_not=Nobody", "ABCDE"),
        ("person=nm0000001&person_not=nm0000002", "A"),
        ("director=nm0000001&genre=drama", "B"),
        ("person_not=nm0000001&genre=war", "CE"),
        ("person=nm0000003&year_gte=2000", "D"),
        ("q=film&person=nm0000002&sort=title", "BC"),
        ("q=film&person_not=nm0000002&genre=war&sort=title", "AE"),
        ("person=00000000-0000-4000-8000-000000000000", ""),
    ],
)
def test_movies_are_those_of_the_people_asked_for(api, known, query, expected):
    assert [title[-1] for title in titles(api, query)] == list(expected)


def test_a_person_may_be_meant_by_our_id(api, known):
    assert titles(api, f"person={known['cyd'].id.upper()}") == ["Film A", "Film D"]


def test_a_name_that_several_have_means_any_of_them(api, people, movies):
    first, second = people.create_many("Ann", "ANN")
    movies.create_many(title=["A", "B", "C"], directors=[[first], [second], []])
    assert (titles(api, "director=ann"), titles(api, "person_not=ann")) == (["A", "B"], ["C"])


def test_a_name_that_nobody_has_is_an_empty_list_that_no_movie_is_in(api, movies):
    made = movies.create()
    assert api.get(f"/movies?director=Nobody&after_id={made.id}").status_code == 400


@pytest.mark.parametrize("name", ["director", "person", "person_not"])
def test_there_may_be_ten_people_at_once(idle_api, name):
    answer = idle_api.get(f"/movies?{'&'.join([f'{name}=x'] * 11)}")
    assert answer.json["errors"] == [
        {"in": "query", "field": name, "message": "is given 11 times; at most 10 is allowed"}
    ]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("query", ["director=Ann", "person=Ann", "person_not=Bob", "person=Ann&genre=War"])
def test_a_list_by_people_gives_each_movie_once_in_every_order(api, people, movies, sort, query):
    ann, bob = people.create_many("Ann", "Bob")
    numbers = range(14)
    made = movies.create_many(
        title=["x" if number % 4 else "y" for number in numbers],
        year=[None if number % 3 == 0 else 1990 + number % 2 for number in numbers],
        rating=[None if number % 3 == 0 else 7 + number % 2 for number in numbers],
        votes=[None if number % 3 == 0 else number % 2 for number in numbers],
        runtime=[None if number % 3 == 0 else 90 + number % 2 for number in numbers],
        directors=[[ann] if number % 2 else [bob] for number in numbers],
        genres=[("War",) for _ in numbers],
    )
    values = {"title": lambda one: one.title, "year": lambda one: one.year, "rating": lambda one: one.rating}
    values |= {"votes": lambda one: one.votes, "runtime": lambda one: one.runtime}
    mine = made[1::2]
    with_value = [one for one in mine if values[sort](one) is not None]
    with_value.sort(key=lambda one: (values[sort](one), one.id))
    without = sorted(one.id for one in mine if values[sort](one) is None)
    check_walks(api, f"/movies?{query}&sort={sort}", [one.id for one in with_value] + without, [1, 3])
