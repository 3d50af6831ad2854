"""POST, PUT, DELETE /genres/{id} and /genres/{id}/merge."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from movie_api.database import read, write
from movie_api.genres.queries import find_or_create
from movie_api.movies.queries import COLUMNS, shown

ANY = {"If-Match": "*"}


def ids(api) -> dict[str, int]:
    return {genre["name"]: genre["id"] for genre in api.get("/genres").json}


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rpartition("/")[2]


def rename(editor, genre_id: int, name: str):
    return editor.put(f"/genres/{genre_id}", json={"name": name}, headers=ANY)


def genres_of(api, address: str) -> list[list[str]]:
    return [[genre["name"] for genre in movie["genres"]] for movie in api.get(address).json]


def test_a_genre_that_is_made_is_there_under_its_location(api, editor):
    answer = editor.post("/genres", json={"name": "Film essay"})
    assert (answer.status_code, answer.json["name"]) == (201, "Film essay")
    assert answer.headers["Location"] == f"http://127.0.0.1:5000/genres/{answer.json['id']}"
    assert api.get(answer.headers["Location"]).json == answer.json
    assert api.get("/genres").json == [answer.json]


@pytest.mark.parametrize("name", ["Drama", "dRAMA"])
def test_a_name_that_is_taken_is_a_conflict(editor, movies, name):
    movies.create(genres=("Drama",))
    assert kind(editor.post("/genres", json={"name": name})) == (409, "genre-exists")


@pytest.mark.parametrize("body", [{}, {"name": " x"}, {"name": "a,b"}, {"name": 1}, {"name": "x", "id": 1}])
def test_a_name_that_is_not_valid_is_refused(idle_editor, body):
    assert kind(idle_editor.post("/genres", json=body)) == (400, "invalid-body")


def test_a_genre_that_is_renamed_shows_its_new_name_everywhere_at_once(api, editor, movies):
    movies.create(genres=("Sci-Fi", "Drama"))
    assert genres_of(api, "/movies") == [["Sci-Fi", "Drama"]]
    answer = rename(editor, ids(api)["Sci-Fi"], "Science fiction")
    assert (answer.status_code, answer.json["name"]) == (200, "Science fiction")
    assert genres_of(api, "/movies") == [["Science fiction", "Drama"]]
    assert sorted(ids(api)) == ["Drama", "Science fiction"]


def test_another_process_shows_the_new_name_at_once(api, editor, movies, make_app):
    movies.create(genres=("Sci-Fi",))
    other = make_app().test_client()
    assert genres_of(other, "/movies") == [["Sci-Fi"]]
    rename(editor, ids(api)["Sci-Fi"], "Science fiction")
    assert genres_of(other, "/movies") == [["Science fiction"]]


def test_the_movies_of_a_renamed_genre_have_changed_and_no_others(api, editor, movies):
    path = f"/movies/{movies.create(genres=('Sci-Fi',)).id}"
    other = f"/movies/{movies.create(genres=('Drama',)).id}"
    before = [api.get(one).headers["ETag"] for one in (path, other)]
    since = api.get("/movies/changes").json[-1]["changed_at"]
    rename(editor, ids(api)["Sci-Fi"], "Science fiction")
    after = [api.get(one).headers["ETag"] for one in (path, other)]
    assert [one == two for one, two in zip(before, after, strict=True)] == [False, True]
    (entry,) = api.get("/movies/changes", query_string={"since": since}).json
    assert entry["movie"]["genres"] == [{"name": "Science fiction"}]


def test_the_old_name_still_means_the_genre(api, editor, movies):
    movies.create(genres=("Sci-Fi",))
    rename(editor, ids(api)["Sci-Fi"], "Science fiction")
    assert genres_of(api, "/movies?genre=sci-fi") == [["Science fiction"]]
    made = editor.post("/movies", json={"title": "x", "genres": ["Sci-Fi", "Science fiction"]})
    assert made.json["genres"] == [{"name": "Science fiction"}]
    assert kind(editor.post("/genres", json={"name": "SCI-FI"})) == (409, "genre-exists")


def test_a_genre_may_have_its_old_name_again(api, editor, movies):
    movies.create(genres=("Sci-Fi",))
    genre_id = ids(api)["Sci-Fi"]
    for name in ("Science fiction", "Sci-Fi", "SCI-FI"):
        assert rename(editor, genre_id, name).json == {"id": genre_id, "name": name}
    assert genres_of(api, "/movies?genre=science fiction") == [["SCI-FI"]]


def test_a_name_of_another_genre_is_a_conflict(api, editor, movies):
    movies.create(genres=("Sci-Fi", "Drama"))
    genre_ids = ids(api)
    rename(editor, genre_ids["Sci-Fi"], "Science fiction")
    answers = [rename(editor, genre_ids["Drama"], name) for name in ("science FICTION", "sci-fi")]
    assert [kind(answer) for answer in answers] == [(409, "genre-exists")] * 2


def test_a_rename_that_changes_nothing_makes_no_new_version(api, editor, movies):
    movies.create(genres=("Drama",))
    before = api.get("/genres").headers["Data-Generation"]
    path = f"/genres/{ids(api)['Drama']}"
    assert rename(editor, ids(api)["Drama"], "Drama").headers["ETag"] == api.get(path).headers["ETag"]
    assert api.get("/genres").headers["Data-Generation"] == before


def test_a_lost_update_of_a_genre_is_refused(api, editor, movies):
    movies.create(genres=("Drama",))
    path = f"/genres/{ids(api)['Drama']}"
    seen = {"If-Match": api.get(path).headers["ETag"]}
    after = editor.put(path, json={"name": "Play"}, headers=seen)
    assert after.headers["ETag"] == api.get(path).headers["ETag"]
    assert kind(editor.put(path, json={"name": "Tragedy"}, headers=seen)) == (412, "changed-meanwhile")
    assert kind(editor.delete(path, headers=seen)) == (412, "changed-meanwhile")
    assert kind(editor.put(path, json={"name": "Tragedy"})) == (428, "if-match-needed")
    assert kind(editor.delete(path)) == (428, "if-match-needed")


def test_a_genre_in_use_is_not_deleted_and_it_is_told_by_how_many(api, editor, movies):
    made = movies.create_many(genres=[("Drama",), ("Drama", "War"), ("War",)])
    movies.retire(made[0].id)
    answer = editor.delete(f"/genres/{ids(api)['Drama']}", headers=ANY)
    assert kind(answer) == (409, "genre-in-use")
    assert answer.json["detail"] == "2 movies have the genre Drama, retired ones included."
    assert answer.json["errors"] == [{"in": "path", "field": "id", "message": "is in use: 2 movies have it"}]


def test_a_genre_that_no_movie_has_is_deleted_with_its_old_names(api, editor):
    genre_id = editor.post("/genres", json={"name": "a"}).json["id"]
    rename(editor, genre_id, "b")
    answer = editor.delete(f"/genres/{genre_id}", headers=ANY)
    assert (answer.status_code, api.get("/genres").json) == (204, [])
    assert editor.post("/genres", json={"name": "a"}).status_code == 201
    assert kind(editor.delete(f"/genres/{genre_id}", headers=ANY)) == (404, "no-such-genre")


def test_who_deletes_a_genre_waits_for_who_gives_it_to_a_movie(app, editor, accounts):
    genre_id = editor.post("/genres", json={"name": "Drama"}).json["id"]
    headers = accounts.editor_headers() | ANY
    with ThreadPoolExecutor(1) as pool:
        with app.app_context(), write() as connection:
            find_or_create(connection, ["Drama"])
            other = pool.submit(
                lambda: app.test_client().delete(f"/genres/{genre_id}", headers=headers).status_code
            )
            with pytest.raises(TimeoutError):
                other.result(timeout=0.5)
        assert other.result(timeout=10) == 204


def test_a_genre_is_merged_into_another_with_its_movies_and_names(api, editor, movies):
    movies.create_many(
        title=["a", "b", "c", "d"],
        genres=[("Romcom", "War"), ("Comedy", "War", "Romcom"), ("Romcom", "Comedy"), ("War",)],
    )
    genre_ids = ids(api)
    rename(editor, genre_ids["Romcom"], "Romantic comedy")
    answer = editor.post(f"/genres/{genre_ids['Romcom']}/merge", json={"into": genre_ids["Comedy"]})
    assert (answer.status_code, answer.json) == (200, {"id": genre_ids["Comedy"], "name": "Comedy"})
    assert answer.headers["ETag"] == api.get(f"/genres/{genre_ids['Comedy']}").headers["ETag"]
    assert sorted(ids(api)) == ["Comedy", "War"]
    expected = [["Comedy", "War"], ["Comedy", "War"], ["Comedy"]]
    for name in ("Comedy", "Romcom", "romantic comedy"):
        assert genres_of(api, f"/movies?genre={name}") == expected


def test_a_genre_is_not_merged_into_itself_or_into_none(api, editor):
    genre_id = editor.post("/genres", json={"name": "a"}).json["id"]
    merge = f"/genres/{genre_id}/merge"
    assert kind(editor.post(merge, json={"into": genre_id})) == (409, "same-genre")
    assert kind(editor.post(merge, json={"into": 99})) == (404, "no-such-genre")
    assert kind(editor.post("/genres/99/merge", json={"into": genre_id})) == (404, "no-such-genre")
    assert api.get("/genres").json == [{"id": genre_id, "name": "a"}]


def test_each_change_of_a_genre_is_in_the_audit(editor, database_cursor):
    first = editor.post("/genres", json={"name": "a"}).json["id"]
    second = editor.post("/genres", json={"name": "b"}).json["id"]
    rename(editor, first, "c")
    editor.post(f"/genres/{first}/merge", json={"into": second})
    editor.delete(f"/genres/{second}", headers=ANY)
    database_cursor.execute(
        "SELECT action, object, detail FROM audit WHERE action LIKE 'genre.%' ORDER BY id"
    )
    assert database_cursor.fetchall() == [
        ("genre.create", str(first), {"before": None, "after": {"id": first, "name": "a"}}),
        ("genre.create", str(second), {"before": None, "after": {"id": second, "name": "b"}}),
        ("genre.rename", str(first), {"before": {"name": "a"}, "after": {"name": "c"}}),
        (
            "genre.merge",
            str(first),
            {"before": {"name": "c"}, "after": {"into": {"id": second, "name": "b"}}},
        ),
        ("genre.delete", str(second), {"before": {"name": "b"}, "after": None}),
    ]


def test_two_writers_make_a_genre_of_one_name_once(app, accounts):
    headers = accounts.editor_headers()

    def make(number: int) -> int:
        body = {"name": ["Ärger", "ÄRGER"][number % 2]}
        return app.test_client().post("/genres", json=body, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(make, range(8))) == [201] + [409] * 7


def test_a_movie_that_is_read_while_its_genre_is_merged_away_is_shown_without_it(app, api, editor, movies):
    movies.create(genres=("Romcom", "War"))
    genre_ids = ids(api)
    with app.app_context():
        row = read(f"SELECT {COLUMNS} FROM movies")
        editor.post(f"/genres/{genre_ids['Romcom']}/merge", json={"into": genre_ids["War"]})
        app.extensions.pop("genre_names", None)
        (seen,) = shown(row)
    assert seen["genres"] == [{"name": "War"}]
