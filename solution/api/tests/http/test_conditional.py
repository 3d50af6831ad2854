"""Answers that are kept: by which tag, for how long, and when 304 tells that they are good still."""

import re
import shutil
from pathlib import Path

import httpx
import movie_api
import pytest
from movie_api.http.conditional import Tags, edition_of, is_declared
from movie_api.http.kept import KeptAnswers
from movie_testing.api_server import running_api

MOVIE = "/movies/tt0000001"
LISTS = ["/movies", "/movies?sort=rating&desc=1", "/movies?genre=Action", "/movies/changes", "/genres"]
OF_DATA = [*LISTS, MOVIE]
OF_CONTENT = [
    "/",
    "/docs",
    "/docs/",
    "/docs/openapi.yaml",
    "/docs/openapi.json",
    "/docs/errors",
    "/docs/errors/no-data",
    "/docs/assets/docs.css",
    "/docs/assets/swagger-ui-bundle.js",
    "/docs/assets/favicon-32x32.png",
]
NEVER_KEPT = ["/healthz", "/readyz", "/dataset", "/dataset/loads", "/dataset/loads/1"]
FAULTS = [
    "/nope",
    "/movies/tt9999999",
    "/movies?sort=size",
    "/movies/x",
    "/docs/errors/nope",
    "/docs/assets/x",
]


@pytest.fixture(autouse=True)
def movie(movies):
    return movies.create(imdb_id="tt0000001", genres=("Action",), rating=9.0, title="x" * 2000)


@pytest.mark.parametrize("address", OF_DATA)
def test_an_answer_of_data_says_what_it_was_made_from(api, loads, address):
    answer = api.get(address)
    assert re.fullmatch('"[0-9a-f]{32}"', answer.headers["ETag"])
    assert answer.headers["Cache-Control"] == "public, no-cache"
    assert answer.headers["Data-Generation"] == "2"
    assert answer.headers["Last-Modified"].endswith(" GMT")


@pytest.mark.parametrize("address", OF_CONTENT)
def test_a_page_of_the_documentation_has_a_tag_and_is_asked_for_anew(api, address):
    answer = api.get(address)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, no-cache")
    assert answer.headers.getlist("ETag") == [answer.headers["ETag"]]
    assert "Data-Generation" not in answer.headers


@pytest.mark.parametrize("address", [*NEVER_KEPT, *FAULTS])
def test_a_state_or_a_fault_is_never_kept(api, loads, address):
    loads.create()
    answer = api.get(address)
    assert answer.headers.getlist("Cache-Control") == ["no-store"]
    assert "ETag" not in answer.headers


def test_what_a_write_gives_is_never_kept(editor):
    answers = [editor.post("/movies", json={"title": title}) for title in ("x", "")]
    assert [answer.headers["Cache-Control"] for answer in answers] == ["no-store"] * 2


def test_every_view_says_how_its_answers_are_kept(app):
    views = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in rule.methods}
    assert {name for name in views if not is_declared(app.view_functions[name])} == set()


@pytest.mark.parametrize("address", [*OF_DATA, *OF_CONTENT])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("accepts", ["", "gzip"])
def test_who_has_the_answer_is_told_so_and_nothing_else(api, address, method, accepts):
    headers = {"Accept-Encoding": accepts}
    first = api.get(address, headers=headers)
    answer = api.open(address, method=method, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (answer.status_code, answer.data) == (304, b"")
    names = ("ETag", "Cache-Control", "Last-Modified", "Data-Generation")
    assert [answer.headers.get(name) for name in names] == [first.headers.get(name) for name in names]
    assert answer.headers.getlist("Vary") == ["Accept-Encoding"]
    assert "X-Request-ID" in answer.headers
    assert not {"Content-Type", "Content-Length", "Content-Encoding", "Link"} & set(answer.headers.keys())


@pytest.mark.parametrize(
    "form",
    ["{tag}", "W/{tag}", '"other", {tag}', '"a,b", W/"c",{tag} , "d"', "*"],
)
@pytest.mark.parametrize("address", ["/movies", MOVIE, "/docs/errors"])
def test_every_form_of_if_none_match_is_read(api, address, form):
    held = form.format(tag=api.get(address).headers["ETag"])
    assert api.get(address, headers={"If-None-Match": held}).status_code == 304


@pytest.mark.parametrize("held", ['"other"', "", '"*"', "nonsense", '"', ","])
@pytest.mark.parametrize("address", ["/movies", MOVIE])
def test_another_tag_gets_the_whole_answer(api, address, held):
    answer = api.get(address, headers={"If-None-Match": held})
    assert (answer.status_code, len(answer.data) > 2) == (200, True)


@pytest.mark.parametrize("address", ["/movies", MOVIE])
def test_a_date_decides_nothing(api, address):
    date = api.get(address).headers["Last-Modified"]
    assert api.get(address, headers={"If-Modified-Since": date}).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/movies?sort=size",
        "/movies?cursor=AAAA",
        "/movies?after_id=tt9999999",
        "/movies/changes?since=99",
        "/movies/x",
    ],
)
def test_a_fault_in_the_request_is_told_first(api, address):
    for held in ("*", api.get("/movies").headers["ETag"]):
        assert api.get(address, headers={"If-None-Match": held}).status_code == 400


@pytest.mark.parametrize("address", LISTS)
def test_a_list_is_known_without_a_look_at_it(api, database_cursor, queries, address):
    tag = api.get(address).headers["ETag"]
    for table in ("movies", "movie_genres", "genres", "catalogue_changes"):
        database_cursor.execute(f"ALTER TABLE {table} RENAME TO away_{table}")
    count = queries.count(lambda: api.get(address, headers={"If-None-Match": tag}))
    assert (api.get(address, headers={"If-None-Match": tag}).status_code, count) == (304, 1)


@pytest.mark.parametrize("address", LISTS)
def test_the_generation_is_read_before_the_data(app, api, queries, address):
    for _ in range(2):
        app.extensions["kept_answers"] = KeptAnswers()
        queries.statements.clear()
        api.get(address)
    first, *others = queries.statements
    # The plan that finds the one row of catalogue_state by its key.
    assert (first.endswith("(true)"), len(others) > 0) == (True, True)


def test_a_movie_is_known_after_one_look_by_its_key(app, api, movie, queries):
    tag = api.get(MOVIE).headers["ETag"]
    app.extensions.pop("genre_names")
    counts = [
        queries.count(lambda address=address: api.get(address, headers={"If-None-Match": tag}))
        for address in (MOVIE, f"/movies/{movie.id}")
    ]
    assert counts == [1, 1]


@pytest.mark.parametrize("address", LISTS)
def test_a_list_is_made_once_while_the_generation_stands(api, movies, queries, address):
    first = api.get(address)
    again = []
    assert queries.count(lambda: again.append(api.get(address))) == 1
    assert (again[0].data, again[0].headers["ETag"]) == (first.data, first.headers["ETag"])
    movies.create()
    assert queries.count(lambda: api.get(address)) > 1


@pytest.mark.parametrize("address", LISTS)
def test_a_change_of_any_movie_makes_another_list(api, movies, address):
    before = api.get(address)
    movies.create()
    after = api.get(address, headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, after.headers["Data-Generation"]) == (200, "3")
    assert after.headers["ETag"] != before.headers["ETag"]


def test_a_change_of_another_movie_leaves_a_movie_as_it_is(api, editor, movies):
    before = api.get(MOVIE)
    movies.create()
    editor.post("/movies", json={"title": "x"})
    after = api.get(MOVIE, headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, after.headers["Data-Generation"]) == (304, "4")
    assert after.headers["Last-Modified"] == before.headers["Last-Modified"]


def test_a_change_of_the_movie_makes_it_another(api, movies, movie):
    before = api.get(MOVIE)
    movies.change(movie.id, votes=7)
    after = api.get(MOVIE, headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, after.json["votes"]) == (200, 7)


def test_a_movie_has_one_tag_under_both_of_its_ids(api, movie):
    tags = {api.get(address).headers["ETag"] for address in (MOVIE, f"/movies/{movie.id}")}
    assert len(tags) == 1


def test_movies_that_changed_together_have_tags_of_their_own(api, movies):
    made = movies.create_many(title=["a", "b"])
    assert len({api.get(f"/movies/{one.id}").headers["ETag"] for one in made}) == 2


def test_a_tag_differs_by_what_is_asked_for(api):
    addresses = ["/movies", "/movies?desc", "/movies?page_size=1", "/movies/changes", "/genres"]
    assert len({api.get(address).headers["ETag"] for address in addresses}) == len(addresses)


def test_a_tag_differs_by_the_address_that_links_are_made_of(api):
    hosts = ["http://127.0.0.1:5000", "http://localhost:5000"]
    assert len({api.get("/movies", base_url=host).headers["ETag"] for host in hosts}) == 2


@pytest.mark.parametrize("address", ["/movies", MOVIE, "/docs/errors"])
def test_a_tag_differs_by_coding(api, address):
    codings = ["", "gzip", "br", "zstd"]
    tags = {api.get(address, headers={"Accept-Encoding": one}).headers["ETag"] for one in codings}
    assert len(tags) == len(codings)


def test_a_database_that_was_set_back_has_other_tags(api, database_cursor):
    before = api.get("/movies").headers["ETag"]
    database_cursor.execute("UPDATE catalogue_state SET changed_at = changed_at + interval '1 microsecond'")
    assert api.get("/movies").headers["ETag"] != before


def test_tags_hang_on_the_program_and_the_secret_that_links_are_signed_with(app):
    tags = [
        Tags(edition, lambda secret=secret: secret)
        for edition, secret in (("1", "a"), ("1", "a"), ("2", "a"), ("1", "b"))
    ]
    with app.test_request_context() as context:
        made = [one.tag(context.request.environ, "state") for one in tags]
    assert (made[0] == made[1], len(set(made))) == (True, 3)


def test_the_edition_changes_with_any_module_and_with_the_version(tmp_path):
    package = Path(movie_api.__file__).parent
    copy = tmp_path / "movie_api"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("assets", "__pycache__"))
    same = edition_of(copy, "1")
    with (copy / "movies" / "schemas.py").open("a") as file:
        file.write("\n")
    assert edition_of(package, "1") == same
    assert edition_of(package, "2") != same
    assert edition_of(copy, "1") != same


def test_all_workers_make_the_same_tags(database_url, tmp_path):
    with running_api(database_url, tmp_path, web_concurrency=3) as api:
        answers = [httpx.get(f"{api.url}/movies") for _ in range(30)]
    assert len({answer.headers["ETag"] for answer in answers}) == 1


def test_two_servers_with_one_secret_make_the_same_tags(database_url, tmp_path):
    tags = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        settings = {
            "secret_key": "a secret that both servers hold, 3f9c1b7e5d",
            "public_url": "https://films.example",
        }
        with running_api(database_url, tmp_path / name, **settings) as api:
            tags.append(httpx.get(f"{api.url}/movies").headers["ETag"])
    assert tags[0] == tags[1]


def test_a_304_over_the_wire_ends_where_its_headers_do(database_url, tmp_path):
    with running_api(database_url, tmp_path) as api, httpx.Client() as client:
        tag = client.get(f"{api.url}{MOVIE}").headers["ETag"]
        answers = [client.get(f"{api.url}{MOVIE}", headers={"If-None-Match": tag}) for _ in range(2)]
    assert [(one.status_code, one.content, "Transfer-Encoding" in one.headers) for one in answers] == [
        (304, b"", False)
    ] * 2
