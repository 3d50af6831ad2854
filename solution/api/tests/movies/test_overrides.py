"""Fields of movies from the dumps that an editor changed."""

import pytest

ANY = {"If-Match": "*"}


@pytest.fixture
def path(movies) -> str:
    made = movies.create(
        imdb_id="tt0468569",
        title="The Dark Knight",
        original_title="The Dark Knight",
        year=2008,
        rating=9.1,
        votes=3000,
        runtime=152,
        genres=["Action", "Crime"],
    )
    return f"/movies/{made.id}"


def patch(editor, path, **fields):
    answer = editor.patch(path, json=fields, headers=ANY)
    assert answer.status_code == 200, answer.text
    return answer.json


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rpartition("/")[2]


def test_a_movie_that_no_editor_changed_has_none(api, path):
    assert api.get(path).json["overrides"] == []


def test_a_field_that_an_editor_changed_is_shown_as_such_everywhere(api, editor, path):
    assert patch(editor, path, year=2009, title="Knight")["overrides"] == ["title", "year"]
    assert api.get(path).json["overrides"] == ["title", "year"]
    assert api.get("/movies").json[0]["overrides"] == ["title", "year"]
    assert api.get("/movies/changes").json[0]["movie"]["overrides"] == ["title", "year"]


def test_what_the_dumps_said_is_kept(database_cursor, editor, path):
    patch(editor, path, rating=8.0, genres=["War"], original_title=None)
    database_cursor.execute("SELECT field, dumped FROM movie_overrides ORDER BY field")
    assert database_cursor.fetchall() == [
        ("genres", ["Action", "Crime"]),
        ("original_title", "The Dark Knight"),
        ("rating", 91),
    ]


def test_what_the_dumps_said_first_is_kept_through_a_second_edit(database_cursor, editor, path):
    patch(editor, path, year=2009)
    patch(editor, path, year=2010)
    database_cursor.execute("SELECT dumped FROM movie_overrides")
    assert database_cursor.fetchall() == [(2008,)]


@pytest.mark.parametrize(
    ("field", "other", "own"),
    [
        ("title", "x", "The Dark Knight"),
        ("original_title", None, "The Dark Knight"),
        ("year", 1999, 2008),
        ("rating", 1.5, 9.1),
        ("votes", None, 3000),
        ("runtime", 1, 152),
        ("genres", ["War"], ["crime", "Action"]),
        ("genres", [], ["Action", "Crime"]),
        ("imdb_link", "https://m.imdb.com/title/tt0468569/", "https://www.imdb.com/title/tt0468569/"),
    ],
)
def test_a_field_that_says_what_the_dumps_say_is_none(editor, path, field, other, own):
    assert patch(editor, path, **{field: other})["overrides"] == [field]
    is_same = own != ["crime", "Action"]  # the order of genres is the dumps', too
    assert patch(editor, path, **{field: own})["overrides"] == ([] if is_same else ["genres"])


def test_a_put_overrides_what_differs(editor, path):
    body = {"title": "The Dark Knight", "year": 2008, "votes": 3000, "genres": ["Action", "Crime"]}
    answer = editor.put(path, json=body, headers=ANY)
    assert answer.json["overrides"] == ["original_title", "rating", "runtime"]
    assert answer.json["imdb_link"] == "https://www.imdb.com/title/tt0468569/"


def test_the_link_of_a_movie_from_the_dumps_leads_nowhere_else(editor, path):
    body = {"imdb_link": "https://www.imdb.com/title/tt0068646/"}
    assert kind(editor.patch(path, json=body, headers=ANY)) == (409, "imdb-id-of-the-dumps")


def test_an_override_that_is_dropped_gives_the_dumps_value_back(api, editor, path):
    before = api.get(path).json
    patch(editor, path, title="x", genres=["War"], rating=None)
    for field in ("title", "genres", "rating"):
        seen = {"If-Match": api.get(path).headers["ETag"]}
        assert editor.delete(f"{path}/overrides/{field}", headers=seen).status_code == 204
    assert api.get(path).json == before
    assert api.get("/movies?genre=Crime&sort=title").json == [before]


def test_an_override_is_dropped_by_who_has_seen_it(api, editor, path):
    seen = {"If-Match": api.get(path).headers["ETag"]}
    patch(editor, path, title="x")
    dropped = f"{path}/overrides/title"
    assert kind(editor.delete(dropped)) == (428, "if-match-needed")
    assert kind(editor.delete(dropped, headers=seen)) == (412, "changed-meanwhile")
    assert api.get(path).json["overrides"] == ["title"]


@pytest.mark.parametrize("field", ["title", "deleted", "nonsense"])
def test_what_is_not_overridden_is_not_dropped(editor, path, field):
    answer = editor.delete(f"{path}/overrides/{field}", headers=ANY)
    assert kind(answer) == (404, "no-such-override")


def test_a_movie_of_the_api_has_none(editor):
    made = editor.post("/movies", json={"title": "x"}).json
    assert patch(editor, f"/movies/{made['id']}", title="y", year=1999)["overrides"] == []


def test_a_movie_that_is_deleted_and_restored_keeps_its_overrides(api, editor, path):
    patch(editor, path, title="x")
    editor.delete(path, headers=ANY)
    assert editor.post(f"{path}/restore").json["overrides"] == ["title"]
    assert editor.delete(f"{path}/overrides/title", headers=ANY).status_code == 204
    assert api.get(path).json["title"] == "The Dark Knight"


def test_overrides_cost_lists_and_movies_no_statement(api, queries, editor, path):
    patch(editor, path, title="x")
    api.get(path)  # reads the names of genres
    assert queries.count(lambda: api.get(path)) == 1
    assert queries.count(lambda: api.get("/movies?sort=votes")) == 2
