"""What a start loads, by what the database holds and what answers."""

import functools
import http.server
import threading

import pytest
from movie_database.connections import connected
from movie_database.settings import read_settings
from movie_launcher import loading
from movie_launcher.environment import EnvironmentUnfitError
from movie_launcher.errors import LauncherError
from movie_testing.dumps import write_dumps
from movie_testing.people_dumps import write_crew, write_names

pytestmark = pytest.mark.slow


@pytest.fixture
def imdb(tmp_path, monkeypatch):
    """A web server in IMDb's place: its folder, and the settings whose default source it is."""
    folder = tmp_path / "imdb"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    source = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(loading, "DEFAULT_SOURCE", source)
    monkeypatch.setenv("DATASET_SOURCE", source)
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def last_load(database_url):
    """Tells the id of what was loaded last, and whether it is the sample; None if nothing was."""

    def tell():
        with connected(database_url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, is_sample FROM dataset_loads WHERE state = 'done' ORDER BY id DESC LIMIT 1"
            )
            return cursor.fetchone()

    return tell


@pytest.fixture
def start(database_url, last_load, tmp_path, monkeypatch):
    """Loads as a start on this database does; what the database holds then."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DOWNLOAD_RETRIES", "0")

    def load():
        loading.load_what_is_missing(read_settings(), {})
        return last_load()

    return load


@pytest.fixture
def sample(database_url, last_load):
    """The sample was loaded before; what the database holds with it."""
    with connected(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dataset_loads (started_at, finished_at, source, is_sample, title_types, files,"
            " movie_rows, genre_rows, rating_rows, report)"
            " VALUES (now(), now(), 'sample', true, '{movie}', '[]', 0, 0, 0, '{}')"
        )
    return last_load()


@pytest.fixture
def unreachable(monkeypatch):
    """IMDb can't be reached, wherever the tests run: nobody answers at the proxy that leads to it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")


def dumps(folder):
    write_dumps(folder, titles=200, movies=50, ratings=60, seed=1)
    write_crew(folder)
    write_names(folder)


def test_imdbs_dumps_take_the_samples_place_as_soon_as_they_can_be_reached(imdb, start, sample):
    dumps(imdb)
    assert start() == (sample[0] + 1, False)


def test_the_sample_is_served_on_while_imdb_cannot_be_reached(start, sample, unreachable):
    assert start() == sample


def test_the_sample_is_served_on_while_imdb_answers_by_errors(imdb, start, sample):
    assert start() == sample


def test_an_imdb_that_answers_by_errors_is_a_failure_and_brings_no_sample(imdb, start, last_load):
    with pytest.raises(LauncherError) as raised:
        start()
    assert raised.value.code == 1
    assert last_load() is None


def test_real_data_is_not_loaded_again_by_a_start(imdb, start):
    dumps(imdb)
    loaded = start()
    assert loaded[1] is False
    write_dumps(imdb, titles=300, movies=80, ratings=60, seed=2)
    assert start() == loaded


def test_another_source_that_fails_is_a_failure_even_with_the_sample_there(
    start, sample, tmp_path, monkeypatch
):
    monkeypatch.setenv("DATASET_SOURCE", str(tmp_path / "nothing"))
    with pytest.raises(LauncherError):
        start()


def test_a_disk_that_is_too_small_for_imdbs_dumps_is_told_before_they_are_loaded(imdb, start, monkeypatch):
    dumps(imdb)
    monkeypatch.setattr(loading, "DOWNLOAD_BYTES", 10**18)
    with pytest.raises(EnvironmentUnfitError, match="Too little disk space below"):
        start()
