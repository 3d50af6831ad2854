"""GET /people: by words of names."""

import pytest
from movie_api.people import search
from movie_testing.walks import check_walks


def names(api, address: str) -> list[str]:
    answer = api.get(address)
    assert answer.status_code == 200, answer.text
    return [person["name"] for person in answer.json]


@pytest.fixture(params=[False, True], ids=["walked", "sorted"])
def way(request, monkeypatch):
    """Both ways of reading a page: a walk of one row never fills one."""
    if request.param:
        monkeypatch.setattr(search, "_MOST_WALKED", 1)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nolan", ["Christopher Nolan", "Jonathan Nolan"]),
        ("NOL", ["Christopher Nolan", "Jonathan Nolan"]),
        ("nolan+chris", ["Christopher Nolan"]),
        ("olan", []),
        ("agnes", ["Agnès Varda"]),
        ("åGNÈS+v.", ["Agnès Varda"]),
        ("obri", ["Pat O'Brien"]),
        ("o'brien", ["Pat O'Brien"]),
        ("claude+jean", ["Jean-Claude Carrière"]),
        ("黒澤", ["黒澤明"]),
        ("nolan+varda", []),
        ("...", []),
    ],
)
def test_people_are_found_by_beginnings_of_words_in_any_order(api, people, movies, text, expected):
    made = people.create_many(
        "Jonathan Nolan", "Christopher Nolan", "Agnès Varda", "Pat O'Brien", "Jean-Claude Carrière", "黒澤明"
    )
    movies.create_many(directors=[made, [made[1]]])
    assert names(api, f"/people?q={text}") == expected


def test_without_a_text_everybody_is_listed(api, people, movies):
    ann, bob = people.create_many("Ann", "Bob")
    movies.create_many(directors=[[ann, bob], [bob]])
    assert api.get("/people").json == [bob.credited, ann.credited]


@pytest.mark.usefixtures("way")
def test_people_come_once_at_page_sizes_1_to_11_both_ways(api, people, movies):
    made = people.create_many(*(f"Ann {number}" for number in range(13)))
    movies.create_many(directors=[made, made[4:7], made[5:7], made[9:]])
    count = {one: 1 + (4 <= place < 7) + (5 <= place < 7) + (place >= 9) for place, one in enumerate(made)}
    in_order = sorted(made, key=lambda one: (-count[one], one.number))
    check_walks(api, "/people?q=ann", [one.id for one in in_order])


@pytest.mark.parametrize("role", ["directors", "writers", "cast"])
def test_who_makes_more_movies_moves_up_and_who_makes_less_down(api, people, movies, role):
    ann, bob = people.create_many("Ann", "Bob")
    first, second = movies.create_many(directors=[[ann, bob], []])
    movies.credit(second.id, **{role: [bob]})
    assert names(api, "/people") == ["Bob", "Ann"]
    movies.credit(second.id, **{role: [ann]})
    movies.credit(first.id, directors=[ann])
    assert names(api, "/people") == ["Ann", "Bob"]
    movies.delete(second.id)
    movies.credit(first.id, writers=[bob])
    assert names(api, "/people") == ["Bob", "Ann"]


def test_one_movie_counts_once_whatever_somebody_is_in_it(api, people, movies):
    ann, bob = people.create_many("Ann", "Bob")
    movies.create_many(directors=[[ann], [bob], [bob]], writers=[[ann], [], []], cast=[[ann], [], []])
    assert names(api, "/people") == ["Bob", "Ann"]


def test_a_new_name_finds_the_person_and_the_old_one_no_more(api, people, movies, database_cursor):
    movies.create(directors=[people.create("Ann")])
    database_cursor.execute("UPDATE people SET name = 'Zoë', name_key = 'zoe'")
    assert (names(api, "/people?q=zoe"), names(api, "/people?q=ann")) == (["Zoë"], [])


def test_more_words_than_ten_are_refused(idle_api):
    assert idle_api.get(f"/people?q={'+'.join('abcdefghijk')}").json["errors"] == [
        {"in": "query", "field": "q", "message": "must have at most 10 words"}
    ]


def test_a_page_takes_a_bounded_number_of_queries(api, people, movies, queries):
    movies.create(directors=people.create_many(*["Ann"] * 20))
    assert queries.count(lambda: api.get("/people?q=ann")) == 3
