"""GET /movies/{id}."""

import pytest


def test_a_movie_is_found_by_our_id_and_by_imdbs(api, movies):
    made = movies.create(imdb_id="tt0111161")
    addresses = (made.id, made.id.upper(), "tt0111161")
    assert [api.get(f"/movies/{address}").json["id"] for address in addresses] == [made.id] * 3


def test_an_adult_title_is_found_all_the_same(api, movies):
    made = movies.create(is_adult=True)
    assert api.get(f"/movies/{made.id}").status_code == 200


@pytest.mark.parametrize("unknown", ["tt0000000", "tt9999999999", "9f0c2f0e-5c1b-4a53-8a52-3d1d5f1d7b11"])
def test_an_id_that_no_movie_has_is_not_found(idle_api, unknown):
    assert idle_api.get(f"/movies/{unknown}").status_code == 404


@pytest.mark.parametrize(
    "malformed",
    [
        "x",
        "tt123",
        "tt12345678901",
        "TT0111161",
        "tt\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
        "%00",
        "1",
        "tt0111161%0A",
    ],
)
def test_an_id_that_is_none_is_refused(idle_api, malformed):
    answer = idle_api.get(f"/movies/{malformed}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "id")


def test_a_parameter_is_refused(api, movies):
    movies.create(imdb_id="tt0111161")
    assert api.get("/movies/tt0111161?fields=title").status_code == 400
