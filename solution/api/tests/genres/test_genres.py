"""GET /genres and /genres/{id}."""


def test_all_genres_are_listed_in_alphabetical_order(api, movies):
    movies.create(genres=("War", "action", "Drama"))
    assert [genre["name"] for genre in api.get("/genres").json] == ["action", "Drama", "War"]


def test_there_may_be_none(api):
    assert api.get("/genres").json == []


def test_it_takes_one_query_beside_the_generations_and_no_parameters(api, queries):
    assert queries.count(lambda: api.get("/genres")) == 2
    assert api.get("/genres?page_size=1").status_code == 400


def test_each_genre_is_there_under_its_id(api, movies):
    movies.create(genres=("War", "Drama"))
    for genre in api.get("/genres").json:
        assert api.get(f"/genres/{genre['id']}").json == genre


def test_a_genre_takes_one_query_and_is_kept_by_its_version(api, movies, queries):
    movies.create(genres=("War",))
    path = f"/genres/{api.get('/genres').json[0]['id']}"
    tag = api.get(path).headers["ETag"]
    movies.create(genres=("War",))
    assert queries.count(lambda: api.get(path)) == 1
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_a_genre_that_is_not_there_is_told(api):
    answers = [api.get(f"/genres/{one}") for one in ("1", "2147483647", "0", "x", "2147483648")]
    assert [answer.status_code for answer in answers] == [404, 404, 400, 400, 400]
