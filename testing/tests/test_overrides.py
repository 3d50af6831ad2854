"""What an editor does through the API is there after the next night's load by the real loader."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from movie_testing.api_server import running_api
from movie_testing.factories.accounts import AccountFactory
from movie_testing.tsv import rating_row, title_row, write_tsv

pytestmark = pytest.mark.slow

ONE = title_row(tconst="tt0000001", primaryTitle="One", startYear=1990, genres="Drama,War")
TWO = title_row(tconst="tt0000002", primaryTitle="Two", startYear=1990, genres="Sci-Fi")
THREE = title_row(tconst="tt0000003", primaryTitle="Three", startYear=1990, genres="Musical")
NEXT_DAY = {"startYear": 1991, "runtimeMinutes": 77}


@pytest.fixture
def bring(database_url, tmp_path):
    """Loads dumps of these titles by the program that the nightly job runs."""

    def bring_them(*titles) -> None:
        dumps = write_tsv(tmp_path / "dumps", basics=titles, ratings=[rating_row()])
        environment = {
            "DATABASE_URL": database_url,
            "DATA_DIR": str(tmp_path / "data"),
            "PATH": "/usr/bin:/bin",
            "MAX_SHRINK_PERCENT": "100",
            "MAX_RATING_SHIFT": "9",
        }
        command = [Path(sys.executable), "-m", "movie_loader", "load", "--source", str(dumps)]
        subprocess.run(command, env=environment, check=True, capture_output=True)

    return bring_them


@pytest.fixture
def editor(database_url, tmp_path):
    """An editor who asks a running server."""
    with (
        AccountFactory(database_url) as accounts,
        running_api(database_url, tmp_path, web_concurrency=2) as api,
        httpx.Client(base_url=api.url, timeout=30, headers=accounts.editor_headers()) as client,
    ):
        yield client


def seen(editor, path) -> dict[str, str]:
    return {"If-Match": editor.get(path).headers["ETag"]}


def names(genres) -> list[str]:
    return [genre["name"] for genre in genres]


def test_a_field_that_an_editor_changed_is_kept_until_the_override_is_dropped(bring, editor):
    bring(ONE)
    path = "/movies/tt0000001"
    changed = editor.patch(path, json={"title": "Mine", "genres": ["Crime"]}, headers=seen(editor, path))
    assert changed.status_code == 200, changed.text
    bring(ONE | NEXT_DAY | {"primaryTitle": "Theirs", "originalTitle": "Theirs", "genres": "Music,Drama"})
    now = editor.get(path).json()
    assert (now["title"], names(now["genres"]), now["overrides"]) == ("Mine", ["Crime"], ["genres", "title"])
    assert (now["year"], now["runtime"], now["original_title"]) == (1991, 77, "Theirs")
    for field in now["overrides"]:
        dropped = editor.delete(f"{path}/overrides/{field}", headers=seen(editor, path))
        assert dropped.status_code == 204, dropped.text
    now = editor.get(path).json()
    assert (now["title"], names(now["genres"]), now["overrides"]) == ("Theirs", ["Music", "Drama"], [])
    bring(ONE | {"primaryTitle": "Later"})
    assert editor.get(path).json()["title"] == "Later"


def test_a_tag_that_was_read_before_a_load_changed_the_movie_is_refused(bring, editor):
    bring(ONE, TWO)
    before = {path: seen(editor, path) for path in ("/movies/tt0000001", "/movies/tt0000002")}
    bring(ONE | NEXT_DAY, TWO)
    statuses = [
        editor.patch(path, json={"title": "x"}, headers=tag).status_code for path, tag in before.items()
    ]
    assert statuses == [412, 200]


def test_a_movie_that_an_editor_deleted_comes_back_when_it_is_restored_and_not_before(bring, editor):
    bring(ONE, TWO)
    path = "/movies/tt0000001"
    assert editor.delete(path, headers=seen(editor, path)).status_code == 204
    bring(ONE | NEXT_DAY, TWO | NEXT_DAY)
    assert editor.get(path).status_code == 410
    assert editor.post(f"{path}/restore").json()["title"] == "One"
    bring(ONE | {"startYear": 1992}, TWO)
    assert editor.get(path).json()["year"] == 1992


def test_names_that_genres_lost_do_not_come_back(bring, editor):
    bring(ONE, TWO, THREE)
    ids = {genre["name"]: genre["id"] for genre in editor.get("/genres").json()}
    renamed = f"/genres/{ids['Sci-Fi']}"
    answer = editor.put(renamed, json={"name": "Science fiction"}, headers=seen(editor, renamed))
    assert answer.status_code == 200, answer.text
    merged = editor.post(f"/genres/{ids['Musical']}/merge", json={"into": ids["Drama"]})
    assert merged.status_code == 200, merged.text
    bring(ONE | NEXT_DAY, TWO | NEXT_DAY, THREE | {"genres": "Musical,War,Sci-Fi"})
    assert names(editor.get("/genres").json()) == ["Drama", "Science fiction", "War"]
    shown = {
        path: names(editor.get(f"/movies/{path}").json()["genres"]) for path in ("tt0000002", "tt0000003")
    }
    assert shown == {"tt0000002": ["Science fiction"], "tt0000003": ["Drama", "War", "Science fiction"]}
    assert [len(editor.get(f"/movies?genre={name}").json()) for name in ("sci-fi", "musical")] == [2, 2]
