"""GET /people/{id}/movies."""

import pytest
from movie_testing.walks import check_walks, links


def titles(api, address: str) -> list[str]:
    answer = api.get(address)
    assert answer.status_code == 200, answer.text
    return [movie["title"] for movie in answer.json]


@pytest.fixture
def ann(people, movies):
    """Ann, who directed A, wrote B and C, and plays in C; D is Bob's."""
    ann, bob = people.create_many("Ann", "Bob")
    movies.create_many(
        title=["A", "B", "C", "D"],
        year=[1990, None, 2001, 2005],
        directors=[[bob, ann], [bob], [], [bob]],
        writers=[[], [ann], [ann, bob], []],
        cast=[[bob], [], [ann], [bob]],
    )
    return ann


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["C", "A", "B"]),
        ("?role=director", ["A"]),
        ("?role=writer", ["C", "B"]),
        ("?role=cast", ["C"]),
        ("?desc=0", ["A", "C", "B"]),
        ("?sort=title", ["A", "B", "C"]),
        ("?sort=title&desc", ["C", "B", "A"]),
    ],
)
def test_a_persons_movies_are_those_of_the_role_the_newest_first(api, ann, query, expected):
    assert titles(api, f"/people/{ann.imdb_id}/movies{query}") == expected


def test_the_items_are_movies(api, ann):
    (shown,) = api.get(f"/people/{ann.id}/movies?role=director").json
    assert shown == api.get(f"/movies/{shown['id']}").json


def test_retired_movies_are_left_out_and_adult_ones_unless_asked_for(api, people, movies):
    ann = people.create()
    gone, _ = movies.create_many(title=["A", "B"], is_adult=[False, True], directors=[[ann], [ann]])
    movies.retire(gone.id)
    address = f"/people/{ann.id}/movies"
    assert (titles(api, address), titles(api, f"{address}?include_adult")) == ([], ["B"])


def test_somebody_who_made_no_movie_has_an_empty_list(api, people):
    assert titles(api, f"/people/{people.create().id}/movies") == []


def test_nobodys_movies_are_a_404_and_those_of_no_id_a_400(idle_api):
    statuses = [idle_api.get(f"/people/{one}/movies").status_code for one in ("nm9999999", "tt0111161")]
    assert statuses == [404, 400]


@pytest.mark.parametrize("role", ["", "&role=cast"])
def test_a_persons_movies_are_each_given_once_at_page_sizes_1_to_11_both_ways(api, people, movies, role):
    ann = people.create()
    years = [1999, None, 2001, 1999, None, 1999, 2001, None, 1950]
    made = movies.create_many(year=years, cast=[[ann]] * len(years))
    movies.create_many(year=years)
    with_year = sorted((one for one in made if one.year), key=lambda one: (-one.year, one.id))
    without = sorted(one.id for one in made if one.year is None)
    check_walks(api, f"/people/{ann.id}/movies?include_adult{role}", [one.id for one in with_year] + without)


def test_a_persons_movies_walked_by_after_id_come_once(api, people, movies):
    ann = people.create()
    made = movies.create_many(year=[2001, 2000, 1999], writers=[[ann]] * 3)
    address = f"/people/{ann.id}/movies?page_size=1"
    starts = ["", *(f"&after_id={one.id}" for one in made[:-1])]
    found = [api.get(f"{address}{start}").json[0]["id"] for start in starts]
    assert found == [one.id for one in made]


def test_a_cursor_of_one_persons_movies_is_not_good_for_anothers(api, people, movies):
    ann, bob = people.create_many("Ann", "Bob")
    movies.create_many(year=[1999, 2000], directors=[[ann, bob]] * 2)
    following = links(api.get(f"/people/{ann.id}/movies?page_size=1").headers["Link"])["next"]
    assert api.get(following).status_code == 200
    answer = api.get(following.replace(ann.id, bob.id))
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/cursor-of-another-list")
