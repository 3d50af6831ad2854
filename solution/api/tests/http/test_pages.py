"""The Link header leads to the neighbours, under an address that no stranger chose."""

import pytest
from movie_testing.walks import links


def next_of(answer) -> str:
    return links(answer.headers["Link"])["next"]


@pytest.fixture(autouse=True)
def three_movies(movies):
    movies.create_many(year=[1990, 1991, 1992], genres=[("Action", "Crime")] * 3)


def test_a_page_links_to_its_neighbours_alone(api):
    first = api.get("/movies?sort=year&page_size=1")
    second = api.get(next_of(first))
    third = api.get(next_of(second))
    assert [set(links(page.headers["Link"])) for page in (first, second, third)] == [
        {"first", "next"},
        {"first", "prev", "next"},
        {"first", "prev"},
    ]


def test_a_list_without_movies_links_to_itself_alone(api):
    assert set(links(api.get("/movies?year_gte=2001").headers["Link"])) == {"first"}


def test_every_parameter_is_kept_and_the_place_is_renewed(api):
    first = api.get("/movies?desc&page_size=1&genre=action&sort=year")
    second = api.get(next_of(first))
    assert next_of(second).count("cursor=") == 1
    assert next_of(second).startswith(
        "http://127.0.0.1:5000/movies?desc&page_size=1&genre=action&sort=year&cursor="
    )


def test_commas_and_semicolons_and_brackets_are_percent_encoded(api):
    answer = api.get("/movies?genre=action,crime&page_size=1")
    encoded = api.get("/movies?genre=a;b<c>")
    assert "genre=action%2Ccrime" in next_of(answer)
    assert "genre=a%3Bb%3Cc%3E" in links(encoded.headers["Link"])["first"]


def test_a_place_whose_name_was_encoded_is_renewed_too(api):
    second = api.get(next_of(api.get("/movies?page_size=1")).replace("cursor=", "%63ursor="))
    assert next_of(second).count("ursor=") == 1


def test_a_strangers_host_is_not_believed(api):
    answer = api.get("/movies?page_size=1", base_url="http://evil.example")
    assert "evil.example" not in answer.headers["Link"]


def test_a_forwarded_host_is_not_believed_from_whom_is_not_trusted(api):
    answer = api.get(
        "/movies?page_size=1", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    )
    assert next_of(answer).startswith("http://127.0.0.1:5000/movies?")


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1:5000", "[::1]:5000"])
def test_a_name_of_this_machine_is_kept(api, host):
    answer = api.get("/movies?page_size=1", base_url=f"http://{host}")
    assert next_of(answer).startswith(f"http://{host}/movies?")


def test_the_public_url_beats_everything(make_app):
    api = make_app(public_url="https://films.example/api", trusted_proxies="127.0.0.1").test_client()
    answer = api.get("/movies?page_size=1", headers={"X-Forwarded-Host": "other.example"})
    assert next_of(answer).startswith("https://films.example/api/movies?")


@pytest.mark.parametrize(
    ("headers", "start"),
    [
        ({"X-Forwarded-Host": "films.example", "X-Forwarded-Proto": "https"}, "https://films.example/"),
        ({"X-Forwarded-Host": "forged.example, films.example:8443"}, "http://films.example:8443/"),
        ({"Host": "films.example"}, "http://films.example/"),
        ({"X-Forwarded-Host": "films.example>; rel=next"}, "http://127.0.0.1:5000/"),
        ({"X-Forwarded-Host": "films.example", "X-Forwarded-Proto": "javascript"}, "http://films.example/"),
    ],
)
def test_a_trusted_proxy_says_what_we_are_called(make_app, headers, start):
    api = make_app(trusted_proxies="127.0.0.0/8").test_client()
    answer = api.get("/movies?page_size=1", headers=headers)
    assert next_of(answer).startswith(f"{start}movies?")


def test_a_page_begins_after_the_movie_that_is_named(api):
    imdb_id = "tt0000002"
    answer = api.get(f"/movies?sort=year&after_id={imdb_id}")
    assert ([one["year"] for one in answer.json], set(links(answer.headers["Link"]))) == (
        [1992],
        {"first", "prev"},
    )


def test_a_page_begins_after_our_id_in_any_case(api):
    first = api.get("/movies?sort=year&page_size=1").json[0]["id"]
    answer = api.get(f"/movies?sort=year&after_id={first.upper()}")
    assert [one["year"] for one in answer.json] == [1991, 1992]


@pytest.mark.parametrize(
    "query",
    [
        "after_id=tt0000099",
        "after_id=9f0c2f0e-5c1b-4a53-8a52-3d1d5f1d7b11",
        "year_gte=1992&after_id=tt0000001",
        "genre=Unknown&after_id=tt0000001",
    ],
)
def test_a_movie_outside_the_list_can_begin_no_page(api, query):
    answer = api.get(f"/movies?{query}")
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/after-id-not-in-list")


def test_a_cursor_and_a_named_movie_can_not_stand_together(api):
    address = next_of(api.get("/movies?page_size=1"))
    answer = api.get(f"{address}&after_id=tt0000001")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "after_id")


@pytest.mark.parametrize("change", ["desc=1", "sort=votes", "genre=Crime", "include_adult=1"])
def test_a_cursor_is_refused_in_another_list_and_told_why(api, change):
    cursor = next_of(api.get("/movies?page_size=1")).partition("cursor=")[2]
    answer = api.get(f"/movies?{change}&cursor={cursor}")
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/cursor-of-another-list")


@pytest.mark.parametrize(
    "query", ["genre=CRIME,action", "genre=crime&genre=Action", "genre=Action,Crime&sort=title&desc=0"]
)
def test_a_cursor_is_good_however_the_same_list_is_written(api, query):
    cursor = next_of(api.get("/movies?page_size=1&genre=Action,Crime")).partition("cursor=")[2]
    assert api.get(f"/movies?{query}&cursor={cursor}").status_code == 200


def test_no_answer_redirects_to_a_host_that_the_caller_names(api):
    overrides = [
        {"PATH_INFO": ""},
        {"PATH_INFO": "//movies"},
        {"PATH_INFO": "/docs"},
        {"PATH_INFO": "/docs/errors"},
    ]
    answers = [api.get("/", base_url="http://evil.example", environ_overrides=one) for one in overrides]
    assert [answer.status_code for answer in answers] == [200] * 4
