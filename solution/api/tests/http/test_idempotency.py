"""The Idempotency-Key."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from movie_api import first_answers

BODY = {"title": "The Last Reel", "rating": 8.7, "genres": ["Drama"]}


def post(client, key, body=BODY, path="/movies", **headers):
    return client.post(path, json=body, headers={"Idempotency-Key": key} | headers)


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rpartition("/")[2]


def as_answered(answer) -> tuple:
    return answer.status_code, answer.data, answer.headers["Location"]


def test_the_same_request_is_answered_as_at_first_and_makes_nothing_more(api, editor):
    first = post(editor, "a")
    editor.patch(first.headers["Location"], json={"title": "y"}, headers={"If-Match": "*"})
    generation = api.get("/movies").headers["Data-Generation"]
    assert as_answered(post(editor, "a")) == as_answered(first)
    assert api.get("/movies").headers["Data-Generation"] == generation
    assert len(api.get("/movies").json) == 1


def test_without_a_key_each_request_makes_a_movie(api, editor):
    for _ in range(2):
        editor.post("/movies", json=BODY)
    assert len(api.get("/movies").json) == 2


def test_the_same_key_with_another_body_is_a_conflict(api, editor):
    post(editor, "a")
    assert kind(post(editor, "a", BODY | {"year": 1999})) == (409, "idempotency-key-used")
    assert len(api.get("/movies").json) == 1


def test_the_same_key_at_another_address_is_a_conflict(editor):
    post(editor, "a", {"name": "x"}, "/genres")
    assert post(editor, "a", {"name": "x"}, "/genres").status_code == 201
    assert kind(post(editor, "a")) == (409, "idempotency-key-used")


def test_keys_of_two_users_have_nothing_to_do_with_each_other(app, accounts, api):
    answers = [post(app.test_client(), "a", **accounts.editor_headers()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(api.get("/movies").json) == 2


def test_keys_of_nobody_are_known_too(make_app):
    anybody = make_app(anonymous_writes=True).test_client()
    assert as_answered(post(anybody, "a")) == as_answered(post(anybody, "a"))
    assert len(anybody.get("/movies").json) == 1


def test_what_was_refused_is_not_remembered(editor, movies):
    body = BODY | {"imdb_link": "https://www.imdb.com/title/tt0111161/"}
    made = movies.create(imdb_id="tt0111161")
    assert kind(post(editor, "a", body)) == (409, "movie-exists")
    movies.delete(made.id)
    assert post(editor, "a", body).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256])
def test_a_key_that_is_none_is_refused(idle_editor, key):
    assert kind(post(idle_editor, key)) == (400, "invalid-parameters")


def test_of_requests_with_one_key_at_once_one_makes_what_all_are_told(app, api, accounts):
    headers = accounts.editor_headers()
    start = Barrier(8)

    def ask(_number: int) -> tuple:
        start.wait()
        return as_answered(post(app.test_client(), "a", **headers))

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(ask, range(8)))
    assert len(answers) == 1
    assert len(api.get("/movies").json) == 1


def test_a_day_later_the_key_is_as_new(api, editor, database_cursor):
    post(editor, "a")
    database_cursor.execute("UPDATE idempotency_keys SET expires_at = expires_at - interval '24 hours'")
    assert post(editor, "a", BODY | {"year": 1999}).status_code == 201
    assert post(editor, "a", BODY | {"year": 1999}).json["year"] == 1999
    assert len(api.get("/movies").json) == 2


def test_keys_that_are_over_are_pruned_and_no_others(app, editor, database_cursor):
    post(editor, "old")
    database_cursor.execute("UPDATE idempotency_keys SET expires_at = now()")
    post(editor, "new")
    with app.app_context():
        first_answers.prune()
    database_cursor.execute("SELECT key FROM idempotency_keys")
    assert database_cursor.fetchall() == [("new",)]


def test_the_keys_of_a_deleted_user_go_with_the_account(app, accounts, session_headers, database_cursor):
    headers = session_headers(accounts.create(role="editor"))
    post(app.test_client(), "a", **headers)
    exported = app.test_client().get("/auth/export", headers=headers).json["idempotency_keys"]
    assert [one["key"] for one in exported] == ["a"]
    assert app.test_client().delete("/auth/user", headers=headers).status_code == 204
    database_cursor.execute("SELECT count(*) FROM idempotency_keys")
    assert database_cursor.fetchone() == (0,)
