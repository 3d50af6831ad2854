import os
import time

import psycopg2
import pytest
import yaml
from movie_database import addresses
from movie_database.settings import checkout_root, given_settings
from movie_testing import databases

_DOCKER = """#!/bin/sh
# Stands for an engine with Compose: `up` starts nothing, the port is that of a server that runs.
echo "$*" >> "$(dirname "$0")/calls"
case "$*" in
    *" port database 5432") echo 127.0.0.1:%s ;;
esac
"""


@pytest.fixture
def no_settings(monkeypatch):
    """No server is given, whatever the developer has."""
    monkeypatch.setattr(databases, "read_settings", given_settings)


def put_docker(folder, monkeypatch, text):
    """A program named docker that comes before any other."""
    docker = folder / "docker"
    docker.write_text(text)
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def query(address, statement):
    connection = psycopg2.connect(addresses.libpq_address(address))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_finds_nothing_of_another(database_url, turn):
    query(database_url, "INSERT INTO genres (name) VALUES ('Drama')")
    assert query(database_url, "SELECT count(*) FROM genres") == [(1,)]


def test_an_empty_database_has_no_schema(empty_database_url):
    assert query(empty_database_url, "SELECT to_regclass('movies')") == [(None,)]


def test_a_database_is_dropped_although_somebody_is_connected(server_url):
    server = databases.open_connection(server_url)
    databases.create_database(server, "test_dropped")
    left = psycopg2.connect(addresses.libpq_address(addresses.with_database(server_url, "test_dropped")))
    databases.drop_database(server, "test_dropped")
    with pytest.raises(psycopg2.OperationalError):
        left.cursor().execute("SELECT 1")
    left.close()
    server.close()


def test_a_template_that_a_killed_run_left_half_made_is_made_anew(server_url, monkeypatch):
    monkeypatch.setattr(databases, "schema_checksum", lambda _: "half made of a killed run")
    server = databases.open_connection(server_url)
    databases.create_database(server, "test_template_half made of a k_draft")
    name = databases.ensure_template(server, server_url)
    found = query(addresses.with_database(server_url, name), "SELECT to_regclass('movies')::text")
    databases.drop_database(server, name)
    server.close()
    assert found == [("movies",)]


def test_a_server_that_is_given_is_used(data_dir, monkeypatch):
    given = given_settings(test_database_url="postgresql://u@h/d", database_url="postgresql://u@h/other")
    monkeypatch.setattr(databases, "read_settings", lambda: given)
    with databases.server_for_tests(data_dir) as address:
        assert address == "postgresql+psycopg2://u@h/d"


@pytest.mark.usefixtures("no_settings")
def test_docker_gives_the_server_where_it_answers(data_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(databases, "_answers", lambda address: address.endswith("@127.0.0.1:54321/postgres"))
    put_docker(tmp_path, monkeypatch, _DOCKER % 54321)
    with databases.server_for_tests(data_dir) as address:
        assert address == "postgresql+psycopg2://postgres:test@127.0.0.1:54321/postgres"
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[-1] for call in calls if " -f " in call] == ["--wait", "5432", "-v"]


@pytest.mark.usefixtures("no_settings")
def test_without_an_engine_an_embedded_server_is_started(data_dir, tmp_path, monkeypatch):
    put_docker(tmp_path, monkeypatch, "#!/bin/sh\nexit 1\n")
    with databases.server_for_tests(data_dir) as address:
        assert query(address, "SELECT current_setting('fsync')") == [("off",)]


def test_the_composed_server_is_of_the_version_that_is_shipped():
    shipped = yaml.safe_load((checkout_root() / "docker-compose.yml").read_text())["services"]["db"]["image"]
    tested = yaml.safe_load(databases.COMPOSE_FILE.read_text())["services"]["database"]["image"]
    assert tested == shipped


def test_servers_that_killed_runs_left_are_removed(monkeypatch):
    folder = databases.make_folder_name()
    folder.mkdir()
    an_hour_ago = time.time() - 3600
    os.utime(folder, (an_hour_ago, an_hour_ago))
    databases.remove_leftovers()
    assert not folder.exists()


def test_the_server_of_a_run_that_still_runs_stays(data_dir):
    with databases.database(given_settings(data_dir=data_dir), databases.EMBEDDED_OPTIONS):
        an_hour_ago = time.time() - 3600
        os.utime(data_dir, (an_hour_ago, an_hour_ago))
        databases.remove_leftovers()
        assert data_dir.exists()
