"""GET /movies/{id}/history."""

import pytest
from movie_testing.walks import links

ANY = {"If-Match": "*"}


@pytest.fixture
def path(editor) -> str:
    made = editor.post("/movies", json={"title": "x", "rating": 7, "genres": ["Drama"]}).json
    return f"/movies/{made['id']}"


def told(editor, path) -> list[tuple]:
    return [(one["action"], one["before"], one["after"]) for one in editor.get(f"{path}/history").json]


def test_it_tells_what_changed_and_nothing_else_latest_first(editor, path):
    editor.patch(path, json={"rating": 8.5, "title": "x", "genres": ["War"]}, headers=ANY)
    editor.delete(path, headers=ANY)
    editor.post(f"{path}/restore")
    *later, (action, before, after) = told(editor, path)
    assert later == [
        ("movie.restore", {"deleted": True}, {"deleted": False}),
        ("movie.delete", {"deleted": False}, {"deleted": True}),
        (
            "movie.edit",
            {"rating": 7.0, "genres": [{"name": "Drama"}]},
            {"rating": 8.5, "genres": [{"name": "War"}]},
        ),
    ]
    assert (action, before, after["title"]) == ("movie.create", None, "x")


def test_it_tells_overrides(editor, movies):
    path = f"/movies/{movies.create(year=2008).id}"
    editor.patch(path, json={"year": 2009}, headers=ANY)
    editor.delete(f"{path}/overrides/year", headers=ANY)
    was, now = {"year": 2008, "overrides": []}, {"year": 2009, "overrides": ["year"]}
    assert told(editor, path) == [("movie.override.drop", now, was), ("movie.edit", was, now)]


def test_it_tells_who_under_a_pseudonym(app, accounts, session_headers, path):
    account = accounts.create(role="editor", display_name="Bob")
    headers = session_headers(account)
    client = app.test_client()
    client.patch(path, json={"year": 1999}, headers=headers | ANY)
    answer = client.get(f"{path}/history", headers=headers)
    assert answer.json[0]["by"] == account.pseudonym
    assert not {account.email, account.id, "Bob"} & set(answer.text.split('"'))


def test_what_was_refused_is_not_told(editor, path):
    editor.patch(path, json={"year": 1999}, headers={"If-Match": '"x"'})
    editor.patch(path, json={"year": 1}, headers=ANY)
    editor.patch(path, json={"title": "x"}, headers=ANY)
    assert [action for action, *_ in told(editor, path)] == ["movie.create"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 7])
def test_it_is_walked_both_ways(editor, path, page_size):
    for year in range(1990, 1996):
        editor.patch(path, json={"year": year}, headers=ANY)
    whole = editor.get(f"{path}/history").json
    address, walked = f"{path}/history?page_size={page_size}", []
    while address:
        answer = editor.get(address)
        walked.append(answer.json)
        last, address = address, links(answer.headers["Link"]).get("next")
    assert sum(walked, []) == whole  # noqa: RUF017  a few entries
    backward = []
    while last:
        answer = editor.get(last)
        backward.append(answer.json)
        last = links(answer.headers["Link"]).get("prev")
    assert backward == walked[::-1]


def test_a_movie_of_the_dumps_that_nobody_touched_has_none(editor, movies):
    assert editor.get(f"/movies/{movies.create().id}/history").json == []


def test_of_a_movie_that_never_was_there_is_no_history(editor):
    answer = editor.get("/movies/9f0c2f0e-5c1b-4a53-8a52-3d1d5f1d7b11/history")
    assert answer.status_code == 404


def test_a_cursor_of_one_movies_history_is_not_good_for_anothers(editor, path):
    other = f"/movies/{editor.post('/movies', json={'title': 'y'}).json['id']}"
    for one in (path, other):
        editor.patch(one, json={"year": 1999}, headers=ANY)
    following = links(editor.get(f"{path}/history?page_size=1").headers["Link"])["next"]
    assert editor.get(following).status_code == 200
    answer = editor.get(following.replace(path, other))
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/cursor-of-another-list")
