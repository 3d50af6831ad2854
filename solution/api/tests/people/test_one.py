"""GET /people/{id}."""

import pytest


@pytest.mark.parametrize("name", ["id", "imdb_id"])
def test_a_person_is_found_by_our_id_and_by_imdbs(api, people, name):
    made = people.create("Agnès Varda", imdb_id="nm0889513", born=1928, died=2019)
    assert api.get(f"/people/{getattr(made, name)}").json == {
        "id": made.id,
        "name": "Agnès Varda",
        "imdb_link": "https://www.imdb.com/name/nm0889513/",
        "born": 1928,
        "died": 2019,
    }


def test_an_id_may_be_in_capitals(api, people):
    made = people.create()
    assert api.get(f"/people/{made.id.upper()}").json["id"] == made.id


def test_years_that_are_not_known_are_null(api, people):
    person = api.get(f"/people/{people.create().id}").json
    assert (person["born"], person["died"]) == (None, None)


@pytest.mark.parametrize("person_id", ["nm9999999", "00000000-0000-4000-8000-000000000000"])
def test_an_id_that_nobody_has_is_a_404(idle_api, person_id):
    answer = idle_api.get(f"/people/{person_id}")
    assert (answer.status_code, answer.json["type"]) == (404, "/docs/errors/no-such-person")


@pytest.mark.parametrize("person_id", ["nm123456", "tt0111161", "nm12345678901", "x", "nm000000a"])
def test_what_is_no_id_is_a_400(idle_api, person_id):
    answer = idle_api.get(f"/people/{person_id}")
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/malformed-id")


def test_who_has_the_answer_gets_a_304_until_the_person_changes(api, people):
    made = people.create(born=1928)
    tag = {"If-None-Match": api.get(f"/people/{made.id}").headers["ETag"]}
    assert api.get(f"/people/{made.id}", headers=tag).status_code == 304
    people.change(made, born=1929)
    assert api.get(f"/people/{made.id}", headers=tag).json["born"] == 1929


def test_a_change_of_movies_leaves_a_persons_tag_as_it_is(api, people, movies):
    address = f"/people/{people.create().id}"
    tag = {"If-None-Match": api.get(address).headers["ETag"]}
    movies.create()
    assert api.get(address, headers=tag).status_code == 304


def test_it_takes_one_query(api, people, queries):
    address = f"/people/{people.create().id}"
    assert queries.count(lambda: api.get(address)) == 1
