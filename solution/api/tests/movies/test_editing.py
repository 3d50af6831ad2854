"""PUT, PATCH and DELETE /movies/{id}."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

LINK = "https://www.imdb.com/title/tt0111161/"
FIELDS = {
    "title": "The Last Reel",
    "original_title": "La dernière bobine",
    "year": 2026,
    "rating": 8.7,
    "votes": 3,
    "runtime": 104,
    "genres": ["Drama", "Mystery"],
    "imdb_link": LINK,
}
NOTHING = {
    "original_title": None,
    "year": None,
    "rating": None,
    "votes": None,
    "runtime": None,
    "genres": [],
    "imdb_link": None,
}
NOBODY = {"directors": [], "writers": [], "cast": []}


def make(editor, **fields) -> str:
    answer = editor.post("/movies", json=FIELDS | fields)
    assert answer.status_code == 201, answer.text
    return f"/movies/{answer.json['id']}"


def tag(api, path, **headers) -> dict[str, str]:
    return {"If-Match": api.get(path, headers=headers).headers["ETag"]}


def patch(editor, path, seen=None, **fields):
    return editor.patch(path, json=fields, headers=seen or {"If-Match": "*"})


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rpartition("/")[2]


def test_a_patch_changes_what_it_names_and_nothing_else(api, editor):
    path = make(editor)
    before = api.get(path).json
    answer = patch(editor, path, tag(api, path), year=2027, genres=["Crime"])
    assert answer.status_code == 200
    assert answer.json == before | {"year": 2027, "genres": [{"name": "Crime"}]}
    assert api.get(path).json == answer.json


def test_null_in_a_patch_takes_a_value_away(api, editor):
    path = make(editor)
    answer = patch(editor, path, **NOTHING)
    assert (
        answer.json == {"id": answer.json["id"], "title": FIELDS["title"], "overrides": []} | NOTHING | NOBODY
    )


def test_a_patch_of_a_list_replaces_it_whole(editor):
    path = make(editor, genres=["Drama", "Mystery"])
    assert patch(editor, path, genres=[{"name": "War"}]).json["genres"] == [{"name": "War"}]


@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "application/json"])
def test_a_patch_may_have_two_types(editor, media_type):
    path = make(editor)
    headers = {"If-Match": "*", "Content-Type": media_type}
    assert editor.patch(path, data=b'{"votes": 4}', headers=headers).json["votes"] == 4


def test_a_patch_of_another_type_is_told_those_that_are_taken(editor):
    headers = {"If-Match": "*", "Content-Type": "application/json-patch+json"}
    answer = editor.patch(make(editor), data=b"[]", headers=headers)
    assert kind(answer) == (415, "unsupported-media-type")
    assert answer.headers["Accept-Patch"] == "application/merge-patch+json, application/json"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": None}, "title"),
        ({"titel": "x"}, "titel"),
        ({"year": {"to": 2000}}, "year"),
        ({"year": "2000"}, "year"),
        ({"genres": {"0": "War"}}, "genres"),
        ({"genres": [None]}, "genres[0]"),
        ({"overrides": []}, "overrides"),
        ([], ""),
        ("x", ""),
    ],
)
def test_a_patch_that_would_make_no_movie_is_refused_and_changes_nothing(api, editor, body, field):
    path = make(editor)
    before = api.get(path)
    answer = editor.patch(path, json=body, headers={"If-Match": "*"})
    assert (answer.status_code, [fault["field"] for fault in answer.json["errors"]]) == (400, [field])
    assert api.get(path).headers["ETag"] == before.headers["ETag"]


def test_a_patch_that_changes_nothing_makes_no_new_version(api, editor):
    path = make(editor)
    before = api.get(path)
    answer = patch(editor, path, year=FIELDS["year"], genres=["drama", "MYSTERY"])
    after = api.get(path)
    assert (answer.status_code, answer.json, answer.headers["ETag"]) == (
        200,
        before.json,
        before.headers["ETag"],
    )
    assert after.headers["Data-Generation"] == before.headers["Data-Generation"]


def test_a_put_leaves_nothing_of_what_was_there(api, editor):
    path = make(editor)
    answer = editor.put(path, json={"title": "x"}, headers=tag(api, path))
    assert answer.json == {"id": answer.json["id"], "title": "x", "overrides": []} | NOTHING | NOBODY
    assert api.get(path).json == answer.json


def test_a_put_needs_a_title(editor):
    assert editor.put(make(editor), json={}, headers={"If-Match": "*"}).status_code == 400


def test_a_changed_title_is_sorted_by(api, editor):
    path = make(editor, title="Zoo", imdb_link=None)
    make(editor, title="Middle", imdb_link=None)
    patch(editor, path, title="Älter")
    assert [movie["title"] for movie in api.get("/movies?sort=title").json] == ["Älter", "Middle"]


def test_changed_genres_are_filtered_by(api, editor):
    path = make(editor, genres=["Drama"])
    patch(editor, path, genres=["War"])
    assert [len(api.get(f"/movies?genre={genre}").json) for genre in ("Drama", "War")] == [0, 1]


def test_the_tag_of_an_edit_is_that_of_the_next_read(api, editor):
    path = make(editor)
    answer = patch(editor, path, year=1999)
    assert answer.headers["ETag"] == api.get(path).headers["ETag"]
    assert patch(editor, path, {"If-Match": answer.headers["ETag"]}, year=2000).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_write_without_if_match_is_refused(editor, method):
    answer = editor.open(make(editor), method=method, json={"title": "x"})
    assert kind(answer) == (428, "if-match-needed")


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("header", ['"5d0a0c1d8f0e4d4b9f2f6a1c3b7e8d90"', "", "nonsense"])
def test_a_write_to_another_version_is_refused(api, editor, method, header):
    path = make(editor)
    answer = editor.open(path, method=method, json={"title": "x"}, headers={"If-Match": header})
    assert kind(answer) == (412, "changed-meanwhile")
    assert api.get(path).json["title"] == FIELDS["title"]


def test_the_tag_of_an_older_version_is_refused(api, editor):
    path = make(editor)
    seen = tag(api, path)
    patch(editor, path, year=1999)
    assert kind(patch(editor, path, seen, year=2000)) == (412, "changed-meanwhile")


def test_another_movies_change_refuses_nothing(api, editor):
    path, other = make(editor), make(editor, imdb_link=None)
    seen = tag(api, path)
    patch(editor, other, year=1999)
    assert patch(editor, path, seen, year=2000).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "gzip, identity;q=0", "identity"])
def test_a_tag_is_good_in_whatever_coding_it_was_read(api, editor, coding):
    path = make(editor)
    assert patch(editor, path, tag(api, path, **{"Accept-Encoding": coding}), year=2000).status_code == 200


def test_a_weak_tag_is_never_the_same(api, editor):
    path = make(editor)
    weak = {"If-Match": "W/" + api.get(path).headers["ETag"]}
    assert patch(editor, path, weak, year=2000).status_code == 412


def test_one_of_several_tags_is_enough(api, editor):
    path = make(editor)
    seen = tag(api, path)["If-Match"]
    assert patch(editor, path, {"If-Match": f'"x", {seen}'}, year=2000).status_code == 200


def test_of_writers_who_read_the_same_version_one_writes(app, accounts, api, editor):
    path = make(editor)
    seen = tag(api, path)
    everybody = [accounts.editor_headers() for _ in range(8)]
    start = Barrier(len(everybody))

    def write(number: int) -> int:
        start.wait()
        headers = everybody[number] | seen
        return app.test_client().patch(path, json={"votes": 100 + number}, headers=headers).status_code

    with ThreadPoolExecutor(len(everybody)) as pool:
        statuses = list(pool.map(write, range(len(everybody))))
    assert sorted(statuses) == [200] + [412] * 7
    assert api.get(path).json["votes"] == 100 + statuses.index(200)


def test_the_order_of_refusals_is_that_of_what_is_told(editor, movies):
    retired = movies.create()
    movies.retire(retired.id)
    nowhere = "/movies/9f0c2f0e-5c1b-4a53-8a52-3d1d5f1d7b11"
    assert kind(editor.patch(nowhere, json={"year": 1})) == (400, "invalid-body")
    assert kind(editor.patch(nowhere, json={})) == (404, "no-such-movie")
    assert kind(editor.patch(f"/movies/{retired.id}", json={})) == (410, "movie-retired")
    assert kind(editor.patch("/movies/x", json={})) == (400, "malformed-id")


def test_a_movie_is_edited_by_its_imdb_id_too(api, editor):
    make(editor)
    assert patch(editor, "/movies/tt0111161", year=1994).json["year"] == 1994


def test_the_link_of_a_movie_of_the_api_leads_where_it_is_said(api, editor):
    path = make(editor)
    patch(editor, path, imdb_link="https://www.imdb.com/title/tt0068646/")
    assert api.get("/movies/tt0068646").json["id"] == api.get(path).json["id"]
    assert api.get("/movies/tt0111161").status_code == 404


def test_a_link_to_another_movie_is_a_conflict_and_changes_nothing(api, editor, movies):
    movies.create(imdb_id="tt0068646")
    path = make(editor)
    before = api.get(path).headers["ETag"]
    answer = patch(editor, path, year=1, imdb_link="https://www.imdb.com/title/tt0068646/")
    assert answer.status_code == 400
    answer = patch(editor, path, year=2000, imdb_link="https://www.imdb.com/title/tt0068646/")
    assert kind(answer) == (409, "movie-exists")
    assert api.get(path).headers["ETag"] == before


def test_a_deleted_movie_is_gone_for_readers(api, editor):
    path = make(editor)
    answer = editor.delete(path, headers=tag(api, path))
    assert (answer.status_code, answer.data) == (204, b"")
    assert kind(api.get(path)) == (410, "movie-retired")
    assert api.get("/movies").json == []
    assert [entry["change"] for entry in api.get("/movies/changes").json] == ["retired"]


def test_a_deleted_movie_takes_no_more_edits(editor):
    path = make(editor)
    editor.delete(path, headers={"If-Match": "*"})
    answers = [editor.delete(path), patch(editor, path, year=1990), editor.put(path, json={"title": "x"})]
    assert [answer.status_code for answer in answers] == [410] * 3


def test_a_deleted_movie_is_restored_as_it_was(api, editor):
    path = make(editor)
    before = api.get(path).json
    editor.delete(path, headers={"If-Match": "*"})
    answer = editor.post(f"{path}/restore")
    assert (answer.status_code, answer.json) == (200, before)
    assert api.get(path).headers["ETag"] == answer.headers["ETag"]
    assert [entry["change"] for entry in api.get("/movies/changes").json] == ["added"]


def test_what_no_editor_deleted_is_not_restored(editor, movies):
    there, gone = movies.create(), movies.create()
    movies.retire(gone.id)
    answers = [editor.post(f"/movies/{one.id}/restore") for one in (there, gone)]
    assert [kind(answer) for answer in answers] == [(409, "movie-not-deleted")] * 2


def test_an_edit_is_a_change_that_followers_are_told(api, editor):
    path = make(editor)
    since = api.get("/movies/changes").json[-1]["changed_at"]
    patch(editor, path, year=1999)
    (entry,) = api.get("/movies/changes", query_string={"since": since}).json
    assert (entry["change"], entry["movie"]["year"]) == ("changed", 1999)


def test_options_tells_the_methods_of_a_movie(api):
    answer = api.options("/movies/tt0111161")
    allowed = {method.strip() for method in answer.headers["Allow"].split(",")}
    assert allowed == {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"}


def test_options_of_a_list_beside_movies_tells_no_methods_of_a_movie(api):
    answer = api.options("/movies/changes")
    assert {method.strip() for method in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS"}
