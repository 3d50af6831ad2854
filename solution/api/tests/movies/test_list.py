"""GET /movies: its filters, its fields, and what it costs."""

import pytest
from movie_api.http.kept import KeptAnswers

HEADLINE = "/movies?genre=Action&rating_gt=8.5&sort=rating&desc=1"


def titles(api, address: str) -> list[str]:
    answer = api.get(address)
    assert answer.status_code == 200, answer.text
    return [movie["title"] for movie in answer.json]


def test_a_movie_has_all_its_fields(api, movies):
    made = movies.create(
        title="Élan \u2028 \r 東京物語 ",
        original_title="L'élan",
        year=1994,
        rating=9.3,
        votes=3_000_000,
        runtime=51_420,
        genres=("Drama", "Action"),
        imdb_id="tt0111161",
    )
    assert api.get("/movies").json == [
        {
            "id": made.id,
            "title": "Élan \u2028 \r 東京物語 ",
            "original_title": "L'élan",
            "year": 1994,
            "rating": 9.3,
            "votes": 3_000_000,
            "runtime": 51_420,
            "genres": [{"name": "Drama"}, {"name": "Action"}],
            "directors": [],
            "writers": [],
            "cast": [],
            "imdb_link": "https://www.imdb.com/title/tt0111161/",
            "overrides": [],
        }
    ]


def test_what_is_not_known_is_null(api, movies):
    movies.create(title="x", imdb_id=None)
    (movie,) = api.get("/movies").json
    unknown = ("original_title", "year", "rating", "votes", "runtime", "imdb_link")
    assert [movie[name] for name in unknown] == [None] * 6
    assert movie["genres"] == []


def test_action_movies_above_8_5_come_best_first(api, movies):
    movies.create_many(
        title=["good", "best", "as good", "at 8.5", "drama", "unrated"],
        rating=[8.6, 9.9, 8.6, 8.5, 9.0, None],
        genres=[("Action",), ("Crime", "Action"), ("Action",), ("Action",), ("Drama",), ("Action",)],
        id=[f"00000000-0000-4000-8000-00000000000{number}" for number in range(6)],
    )
    assert titles(api, HEADLINE) == ["best", "good", "as good"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("rating_gt=9.15", ["9.2"]),
        ("rating_gt=9.1", ["9.2"]),
        ("rating_gt=9.0999999", ["9.1", "9.2"]),
        ("rating_gt=9", ["9.1", "9.2"]),
        ("rating_gt=10", []),
        ("rating_gt=0", ["1.0", "9.0", "9.1", "9.2"]),
    ],
)
def test_a_rating_is_compared_exactly(api, movies, query, expected):
    movies.create_many(title=["1.0", "9.0", "9.1", "9.2", "none"], rating=[1.0, 9.0, 9.1, 9.2, None])
    assert titles(api, f"/movies?{query}") == expected


def test_years_are_a_range_with_both_ends(api, movies):
    movies.create_many(title=["a", "b", "c", "d", "e"], year=[1989, 1990, 1999, 2000, None])
    assert titles(api, "/movies?year_gte=1990&year_lte=1999") == ["b", "c"]


def test_a_range_without_years_is_empty(api, movies):
    movies.create(year=1995)
    assert titles(api, "/movies?year_gte=1999&year_lte=1990") == []


def test_movies_without_votes_have_not_enough(api, movies):
    movies.create_many(title=["a", "b", "c", "d"], votes=[0, 99, 100, None])
    assert (titles(api, "/movies?votes_gte=100"), titles(api, "/movies?votes_gte=0")) == (
        ["c"],
        ["a", "b", "c"],
    )


def test_of_several_genres_all_must_hold_case_aside(api, movies):
    movies.create_many(title=["a", "b", "c"], genres=[("Action",), ("Action", "Film-Noir"), ("Film-Noir",)])
    assert titles(api, "/movies?genre=ACTION&genre=film-noir") == ["b"]


def test_a_genre_in_another_script_is_found_in_any_case(api, movies):
    movies.create(title="a", genres=("Драма",))
    assert titles(api, "/movies?genre=ДРАМА") == ["a"]


def test_an_unknown_genre_gives_an_empty_list(api, movies):
    movies.create(genres=("Action",))
    assert titles(api, "/movies?genre=Action&genre=Nope") == []


def test_a_genre_that_is_new_is_found_at_once(api, movies):
    movies.create(title="a", genres=("Action",))
    assert titles(api, "/movies?genre=Heist") == []
    movies.create(title="b", genres=("Heist",))
    assert titles(api, "/movies?genre=Heist") == ["b"]


def test_the_names_of_genres_that_are_new_are_shown_at_once(api, movies):
    movies.create(title="a", genres=("Action",))
    api.get("/movies")
    movies.create(title="b", genres=("Heist",))
    assert [movie["genres"] for movie in api.get("/movies").json] == [
        [{"name": "Action"}],
        [{"name": "Heist"}],
    ]


def test_adult_titles_are_listed_only_when_asked_for(api, movies):
    movies.create_many(title=["a", "b"], is_adult=[False, True])
    assert (titles(api, "/movies"), titles(api, "/movies?include_adult")) == (["a"], ["a", "b"])


def test_titles_are_sorted_without_case_and_accents_by_code_point(api, movies):
    movies.create_many(title=["b", "Éa", "A", "eb", "東", "~", "[", "Ea"])
    in_order = ["[", "A", "b", "eb", "~", "東"]
    assert [title for title in titles(api, "/movies?page_size=100") if title not in ("Éa", "Ea")] == in_order


def test_a_page_has_10_movies_unless_said_otherwise(api, movies):
    movies.create_many(year=[2000] * 101)
    sizes = [
        len(api.get(address).json) for address in ("/movies", "/movies?page_size=1", "/movies?page_size=100")
    ]
    assert sizes == [10, 1, 100]


@pytest.mark.parametrize("page_size", ["0", "101", "-1", "ten", "", "1.0"])
def test_a_page_size_is_1_to_100(idle_api, page_size):
    answer = idle_api.get(f"/movies?page_size={page_size}")
    assert answer.json["errors"] == [
        {"in": "query", "field": "page_size", "message": "must be a whole number from 1 to 100"}
    ]


def test_a_nul_in_a_genre_is_refused(idle_api):
    assert idle_api.get("/movies?genre=%00").status_code == 400


def test_every_fault_of_a_query_is_told_at_once(idle_api):
    answer = idle_api.get("/movies?genr=Action&sort=size&rating_gt=11&page_size=0&desc&desc")
    assert [fault["field"] for fault in answer.json["errors"]] == [
        "genr",
        "sort",
        "rating_gt",
        "page_size",
        "desc",
    ]
    assert answer.json["errors"][0]["message"].endswith("genre")


@pytest.mark.parametrize(
    ("address", "number"),
    [
        (HEADLINE, 2),
        ("/movies", 2),
        ("/movies?sort=year&desc=1&year_gte=1990", 2),
        ("/movies/changes", 2),
        ("/movies/tt0000001", 1),
    ],
)
def test_an_answer_takes_one_query_beside_the_generations_and_the_genres_one_more_at_times(
    api, movies, queries, address, number
):
    movies.create_many(rating=[9.0, 9.1] * 10, genres=[("Action",)] * 20, year=[1999] * 20)
    assert queries.count(lambda: api.get(address)) == number + 1
    api.application.extensions["kept_answers"] = KeptAnswers()
    assert queries.count(lambda: api.get(address)) == number


def test_the_pages_of_a_walk_take_a_bounded_number_of_queries(api, movies, queries):
    movies.create_many(rating=[9.0, 9.1, None] * 10)
    address = "/movies?sort=rating&page_size=7"
    api.get("/movies?sort=rating")
    while address:
        answers = []
        assert queries.count(lambda: answers.append(api.get(address))) <= 4  # noqa: B023  asked at once
        (answer,) = answers
        address = (
            answer.headers["Link"].rpartition("<")[2].partition(">")[0]
            if 'rel="next"' in answer.headers["Link"]
            else None
        )
