"""POST /movies."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from movie_api.database import write
from movie_api.genres.queries import find_or_create
from movie_database.addresses import libpq_address

LINK = "https://www.imdb.com/title/tt0111161/"


def post(api, **fields):
    return api.post("/movies", json=fields)


def faults(answer) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    return {fault["field"]: fault["message"] for fault in answer.json["errors"]}


def test_a_movie_that_is_made_is_there_under_its_location(api, editor):
    answer = post(
        editor,
        title="The Last Reel",
        original_title="La dernière bobine",
        year=2026,
        rating=8.7,
        votes=3,
        runtime=104,
        genres=["Drama", {"name": "Mystery"}],
        imdb_link=LINK,
    )
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://127.0.0.1:5000/movies/{answer.json['id']}"
    assert api.get(answer.headers["Location"]).json == answer.json
    assert answer.json | {"id": None} == {
        "id": None,
        "title": "The Last Reel",
        "original_title": "La dernière bobine",
        "year": 2026,
        "rating": 8.7,
        "votes": 3,
        "runtime": 104,
        "genres": [{"name": "Drama"}, {"name": "Mystery"}],
        "directors": [],
        "writers": [],
        "cast": [],
        "imdb_link": LINK,
        "overrides": [],
    }


def test_a_title_is_enough(editor):
    answer = post(editor, title="x")
    assert (answer.status_code, answer.json["genres"], answer.json["imdb_link"]) == (201, [], None)


def test_a_load_can_tell_it_from_its_own(editor, database_url):
    post(editor, title="Élan", imdb_link=LINK)
    with psycopg2.connect(libpq_address(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT source, title_type, title_key, imdb_id, is_adult FROM movies")
        assert cursor.fetchall() == [("api", "movie", "elan", "tt0111161", False)]
    connection.close()


def test_a_title_is_kept_exactly(api, editor):
    titles = [" x ", "x\ny", "\u0085x", "東京物語", "🎬" * 1000, "'; DROP TABLE movies; --", "%s", "\\N"]
    locations = [post(editor, title=title).headers["Location"] for title in titles]
    assert [api.get(location).json["title"] for location in locations] == titles


@pytest.mark.parametrize("title", [None, 1, True, [], "", " ", "\u3000\u00a0\ufeff", "x" * 1001, "a\0b"])
def test_a_title_is_1_to_1000_characters_that_are_not_all_blank(idle_editor, title):
    assert set(faults(post(idle_editor, title=title))) == {"title"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("original_title", ""),
        ("year", 1873),
        ("year", 2101),
        ("year", "1994"),
        ("year", True),
        ("year", 1994.5),
        ("rating", 0.9),
        ("rating", 10.1),
        ("rating", 8.75),
        ("rating", "8.7"),
        ("rating", False),
        ("votes", -1),
        ("votes", 2**31),
        ("votes", 1e300),
        ("runtime", 0),
        ("runtime", 1_000_001),
        ("genres", None),
        ("genres", "Drama"),
        ("genres", ["x"] * 21),
        ("imdb_link", "tt0111161"),
        ("imdb_link", "https://www.imdb.com/name/nm0000151/"),
        ("imdb_link", "https://imdb.com.evil.example/title/tt0111161/"),
        ("imdb_link", "https://evil.example/www.imdb.com/title/tt0111161/"),
        ("imdb_link", "javascript://www.imdb.com/title/tt0111161/"),
        ("imdb_link", "https://user@www.imdb.com/title/tt0111161/"),
        ("imdb_link", "https://www.imdb.com/title/tt0111161/\n"),
        ("imdb_link", "https://www.imdb.com/title/tt00111161/"),
        ("imdb_link", "https://www.imdb.com/title/tt011116/"),
        ("imdb_link", "https://www.imdb.com/title/tt0111161/fullcredits"),
        ("is_adult", False),
        ("id", "9f0c2f0e-5c1b-4a53-8a52-3d1d5f1d7b11"),
        ("imdb_id", "tt0111161"),
    ],
)
def test_a_field_that_is_not_valid_is_named(idle_editor, field, value):
    assert set(faults(post(idle_editor, title="x", **{field: value}))) == {field}


@pytest.mark.parametrize(
    "genre",
    ["", " ", " Drama", "Drama ", "a,b", "a\nb", "x" * 101, 1, None, {}, {"name": 1}, {"name": "x", "id": 1}],
)
def test_a_genre_that_is_not_valid_is_named(idle_editor, genre):
    assert set(faults(post(idle_editor, title="x", genres=["Drama", genre]))) == {"genres[1]"}


def test_every_fault_is_told_at_once_in_our_words(idle_editor):
    answer = faults(post(idle_editor, titel="x", year="1994", genres=[1], votes=-1))
    assert answer == {
        "title": "is required",
        "year": "must be a whole number",
        "votes": "must be at least 0",
        "genres[0]": "must be a text, or an object with a name and nothing else",
        "titel": "is not known; the nearest that is: title",
    }


@pytest.mark.parametrize(
    "link",
    [
        LINK,
        "https://www.imdb.com/title/tt0111161",
        "http://imdb.com/title/tt0111161/",
        "https://m.imdb.com/de/title/tt0111161/?ref_=nv_sr_srsg_0",
        "https://www.imdb.com/pt-br/title/tt0111161/",
    ],
)
def test_an_address_of_a_title_is_given_back_as_it_came(api, editor, link):
    created = post(editor, title="x", imdb_link=link)
    assert (created.json["imdb_link"], api.get("/movies/tt0111161").json["id"]) == (link, created.json["id"])


def test_numbers_may_be_written_with_a_point_where_they_are_whole(editor):
    answer = post(editor, title="x", year=1994.0, rating=9)
    assert (answer.json["year"], answer.json["rating"]) == (1994, 9.0)


def test_every_rating_with_one_decimal_comes_back(editor):
    ratings = [tenths / 10 for tenths in range(10, 101)]
    assert [post(editor, title="x", rating=rating).json["rating"] for rating in ratings] == ratings


def test_an_imdb_id_that_exists_is_a_conflict_and_leaves_nothing(api, editor, movies):
    movies.create(imdb_id="tt0111161")
    for _ in range(3):  # the connections of reads are those of writes
        api.get("/genres")
    answer = post(editor, title="x", imdb_link=LINK, genres=["New"])
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (409, "imdb_link")
    assert (len(api.get("/movies").json), api.get("/genres").json) == (1, [])


def test_genres_are_told_apart_without_case_and_named_as_first_written(api, editor):
    post(editor, title="x", genres=["Épouvante"])
    answer = post(editor, title="y", genres=["éPOUVANTE", {"name": "E\u0301pouvante"}, "Drama"])
    assert answer.json["genres"] == [{"name": "Épouvante"}, {"name": "Drama"}]
    assert [genre["name"] for genre in api.get("/genres").json] == ["Drama", "Épouvante"]


def test_a_writer_waits_for_another_that_makes_the_same_genre(app, accounts):
    headers = accounts.editor_headers()
    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), write() as connection:
            find_or_create(connection, ["Ärger"])
            other = pool.submit(
                lambda: app.test_client().post(
                    "/movies", json={"title": "x", "genres": ["ÄRGER"]}, headers=headers
                )
            )
            with pytest.raises(TimeoutError):
                other.result(timeout=0.5)
        assert other.result(timeout=10).json["genres"] == [{"name": "Ärger"}]


def test_two_writers_make_a_genre_once(app, accounts):
    headers = accounts.editor_headers()
    names = ["Ärger", "ärger", "ÄRGER", "Neu", "NEU", "neu"]

    def make(number: int) -> int:
        wanted = names[number % 6 :] + names[: number % 6]
        body = {"title": "x", "genres": wanted}
        return app.test_client().post("/movies", json=body, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(make, range(24)))
    genres = [genre["name"].casefold() for genre in app.test_client().get("/genres").json]
    assert (statuses, sorted(genres)) == ({201}, ["neu", "ärger"])


def test_of_writers_of_the_same_movie_one_makes_it(app, accounts):
    headers = accounts.editor_headers()

    def make(_number: int) -> int:
        body = {"title": "x", "imdb_link": LINK}
        return app.test_client().post("/movies", json=body, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(make, range(16)))
    assert sorted(statuses) == [201] + [409] * 15


def test_a_parameter_is_refused(idle_editor):
    assert idle_editor.post("/movies?dry_run=1", json={"title": "x"}).status_code == 400
