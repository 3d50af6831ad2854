"""`backup` and `restore`: a whole file or none, a whole database or the one that was there."""

import os
import stat
import subprocess

import pytest
from movie_database.connections import connected
from movie_database.settings import given_settings
from movie_launcher.clients import client, connection_words

pytestmark = pytest.mark.slow


@pytest.fixture
def launcher(launcher_on, database_url):
    """On a database that holds movies."""
    made = launcher_on(database_url)
    ask(
        made,
        "INSERT INTO movies (source, title_type, title, title_key)"
        " SELECT 'api', 'movie', 'Film ' || n, 'film ' || n FROM generate_series(1, 1000) n",
    )
    return made


def ask(launcher, statement):
    with connected(launcher.variables["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone() if cursor.description else None


def contents(launcher):
    """A checksum of all movies."""
    return ask(launcher, "SELECT count(*), md5(string_agg(m::text, ',' ORDER BY id)) FROM movies m")


def dump(address, file):
    words, variables = connection_words(address)
    command = [client(given_settings(), "pg_dump"), "--format=custom", f"--file={file}", *words]
    subprocess.run(command, env={**os.environ, **variables}, check=True)


def databases(launcher):
    (count,) = ask(launcher, "SELECT count(*) FROM pg_database WHERE datname LIKE current_database() || '%'")
    return count


def test_a_backup_brings_back_what_was_there(launcher, tmp_path):
    before = contents(launcher)
    assert launcher.run("backup", tmp_path / "movies.dump").returncode == 0
    ask(launcher, "DELETE FROM movies")
    ended = launcher.run("restore", "--yes", tmp_path / "movies.dump")
    assert ended.returncode == 0, ended.stderr
    assert contents(launcher) == before
    assert databases(launcher) == 1


def test_a_restore_under_a_running_api_is_served_at_once(launcher, tmp_path):
    launcher.run("backup", tmp_path / "movies.dump")
    running = launcher.start("serve").serving()
    before = running.get("/movies")
    ask(launcher, "DELETE FROM movies")
    assert launcher.run("restore", "--yes", tmp_path / "movies.dump").returncode == 0
    running.status("/movies")  # The connection that the swap ended.
    assert running.get("/movies") == before


def test_a_backup_is_for_its_owner_alone(launcher, tmp_path):
    launcher.run("backup", tmp_path / "movies.dump")
    assert stat.S_IMODE((tmp_path / "movies.dump").stat().st_mode) == 0o600


def test_a_backup_writes_over_no_file_unless_told_to(launcher, tmp_path):
    file = tmp_path / "movies.dump"
    file.write_text("precious")
    ended = launcher.run("backup", file)
    assert ended.returncode == 1
    assert "--force" in ended.stderr
    assert file.read_text() == "precious"
    assert launcher.run("backup", "--force", file).returncode == 0
    assert file.read_bytes().startswith(b"PGDMP")


def test_a_backup_that_fails_leaves_nothing_half_written(launcher, tmp_path):
    # A server that nobody answers for.
    ended = launcher.run("backup", tmp_path / "movies.dump", DATABASE_URL="postgresql://x:y@127.0.0.1:9/z")
    assert ended.returncode == 1
    assert [one.name for one in tmp_path.iterdir() if "movies" in one.name] == []


@pytest.mark.parametrize("kind", ["no archive", "cut short", "of another product"])
def test_a_restore_that_fails_leaves_the_data_as_it_was(launcher, tmp_path, empty_database_url, kind):
    file = tmp_path / "movies.dump"
    if kind == "of another product":
        dump(empty_database_url, file)
    else:
        launcher.run("backup", file)
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2] if kind == "cut short" else b"PGDMP is not all")
    before = contents(launcher)
    ended = launcher.run("restore", "--yes", file)
    assert ended.returncode == 1
    assert "as it was" in ended.stderr
    assert contents(launcher) == before
    assert databases(launcher) == 1


def test_a_restore_that_nobody_agreed_to_is_wrong_usage(launcher, tmp_path):
    launcher.run("backup", tmp_path / "movies.dump")
    ended = launcher.run("restore", tmp_path / "movies.dump")
    assert ended.returncode == 2
    assert "--yes" in ended.stderr


def test_what_a_killed_restore_left_is_removed_by_the_next_one(launcher, tmp_path):
    launcher.run("backup", tmp_path / "movies.dump")
    (name,) = ask(launcher, "SELECT current_database()")
    ask(launcher, f"CREATE DATABASE {name}_restore_0123abcd")
    launcher.run("restore", "--yes", tmp_path / "movies.dump")
    assert databases(launcher) == 1
