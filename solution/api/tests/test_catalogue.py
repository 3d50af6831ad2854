"""Writes to the catalogue: each is a generation of its own, whoever makes it."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import movie_api
import pytest

LINK = "https://www.imdb.com/title/tt0111161/"


@pytest.fixture
def generation(database_cursor):
    def read() -> int:
        database_cursor.execute("SELECT generation FROM catalogue_state")
        return database_cursor.fetchone()[0]

    return read


def test_a_movie_that_is_made_begins_a_generation(editor, generation, database_cursor):
    before = generation()
    made = editor.post("/movies", json={"title": "x"}).json["id"]
    database_cursor.execute(
        "SELECT one.generation, two.generation FROM movies"
        " JOIN catalogue_changes AS one ON one.id = appeared_in"
        " JOIN catalogue_changes AS two ON two.id = changed_in WHERE movies.id = %s",
        (made,),
    )
    assert database_cursor.fetchall() == [(before + 1, before + 1)]
    assert generation() == before + 1


@pytest.mark.parametrize(
    ("body", "status"), [({"title": "x", "imdb_link": LINK}, 409), ({"title": ""}, 400), ({"titel": 1}, 400)]
)
def test_a_write_that_is_refused_begins_none(editor, movies, generation, body, status):
    movies.create(imdb_id="tt0111161")
    before = generation()
    assert (editor.post("/movies", json=body).status_code, generation()) == (status, before)


def test_writers_side_by_side_begin_one_each(app, accounts, generation, database_cursor):
    headers = accounts.editor_headers()
    before = generation()
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda _: app.test_client().post("/movies", json={"title": "x"}, headers=headers), range(12)
            )
        )
    database_cursor.execute("SELECT count(DISTINCT changed_in) FROM movies")
    assert database_cursor.fetchone() == (12,)
    assert generation() == before + 12


def test_beside_accounts_only_a_change_of_the_catalogue_opens_a_transaction_that_writes():
    # Answers that are not given again are forgotten by a job; they are written within a change.
    package = Path(movie_api.__file__).parent
    users = {
        path.name
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] not in ("accounts", "limits")
        and re.search(r"^from movie_api\.database import .*\bwrite\b", path.read_text(), re.MULTILINE)
    }
    assert users == {"catalogue.py", "first_answers.py"}
