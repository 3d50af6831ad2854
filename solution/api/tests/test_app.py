"""Making the program."""

import pytest
from movie_api import create_app
from movie_database.settings import SettingsError


def test_making_the_program_asks_no_database_and_makes_no_file(make_settings, tmp_path):
    create_app(make_settings(database_url="postgresql://nobody:x@127.0.0.1:1/none"))
    assert list(tmp_path.iterdir()) == []


def test_without_a_database_it_is_not_made(make_settings):
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        create_app(make_settings())


def test_two_programs_in_one_process_have_databases_of_their_own(make_app, movies, idle_api):
    movies.create(title="x")
    here = make_app().test_client()
    assert (len(here.get("/movies").json), len(idle_api.get("/movies").json)) == (1, 0)
    assert len(here.get("/movies").json) == 1
