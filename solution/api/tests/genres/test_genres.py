"""GET /genres."""


def test_all_genres_are_listed_in_alphabetical_order(api, movies):
    movies.create(genres=("War", "action", "Drama"))
    assert api.get("/genres").json == [{"name": "action"}, {"name": "Drama"}, {"name": "War"}]


def test_there_may_be_none(api):
    assert api.get("/genres").json == []


def test_it_takes_one_query_beside_the_generations_and_no_parameters(api, queries):
    assert queries.count(lambda: api.get("/genres")) == 2
    assert api.get("/genres?page_size=1").status_code == 400
