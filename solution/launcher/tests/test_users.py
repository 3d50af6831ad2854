"""Accounts from the command line, and the first admin: the launcher brings the database."""

import json
import re
import shlex
import signal
import stat

import httpx
import pytest

pytestmark = pytest.mark.slow


def first_admin(launcher):
    """What the first admin's file says."""
    lines = (launcher.data_dir / "first-admin.env").read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}


def add_movie(running, **headers):
    """The status of an answer to a new movie."""
    address = f"http://127.0.0.1:{running.port}/movies"
    return httpx.post(address, json={"title": "X"}, headers=headers).status_code


def test_a_first_start_tells_where_the_first_admins_file_is_and_nothing_secret(launcher):
    running = launcher.start("serve").serving()
    told = first_admin(launcher)
    assert re.search(rf"Accounts +http://localhost:{running.port}/account\n", running.output)
    assert re.search(rf"First admin +{launcher.data_dir}/first-admin.env\n", running.output)
    assert told["API_KEY"] not in running.output
    assert told["ADMIN_LINK"].partition("#token=")[2] not in running.output
    assert told["ADMIN_LINK"].startswith(f"http://localhost:{running.port}/account/reset#token=")
    assert stat.S_IMODE((launcher.data_dir / "first-admin.env").stat().st_mode) == 0o600
    assert add_movie(running, Authorization=f"Bearer {told['API_KEY']}") == 201
    assert add_movie(running) == 401

    # Once more: nothing is made anew, and without its file there is nothing to tell.
    assert running.signal(signal.SIGINT) == 130
    (launcher.data_dir / "first-admin.env").unlink()
    again = launcher.start("serve").serving()
    assert "irst admin" not in again.output
    assert add_movie(again, Authorization=f"Bearer {told['API_KEY']}") == 201


def test_the_file_of_a_database_that_is_gone_is_replaced(launcher_on, database_url):
    launcher = launcher_on(database_url)
    launcher.data_dir.mkdir()
    (launcher.data_dir / "first-admin.env").write_text("API_KEY=movies_of_before\n")
    running = launcher.start("serve").serving()
    assert add_movie(running, Authorization=f"Bearer {first_admin(launcher)['API_KEY']}") == 201


def test_first_starts_at_once_make_one_admin(launcher):
    pair = [launcher.start("serve"), launcher.start("serve")]
    statuses = [
        add_movie(running.serving(), Authorization=f"Bearer {first_admin(launcher)['API_KEY']}")
        for running in pair
    ]
    assert statuses == [201, 201]
    assert len(json.loads(launcher.run("users", "list", "--json").stdout)) == 1
    assert sum("Made the first admin" in running.output for running in pair) == 1


def test_a_start_whose_first_admin_cannot_be_let_in_fails_and_says_why(launcher_on, database_url):
    launcher = launcher_on(database_url)
    (launcher.data_dir / "first-admin.env").mkdir(parents=True)
    for variables in ({}, {"DEVELOP_SERVER": "true"}):
        running = launcher.start("serve", **variables)
        assert running.process.wait(30) == 1
        assert "The first admin was not made: " in running.output
        assert "Traceback" not in running.output
    assert launcher.run("users", "list").stdout == "There are no accounts.\n"


def test_the_developers_server_makes_the_first_admin_too(launcher_on, database_url):
    launcher = launcher_on(database_url)
    running = launcher.start("serve", DEVELOP_SERVER="true").serving()
    assert re.search(r"First admin +\S+/first-admin.env\n", running.output)
    told = first_admin(launcher)
    assert told["API_KEY"] not in running.output
    assert add_movie(running, Authorization=f"Bearer {told['API_KEY']}") == 201


@pytest.mark.parametrize("server", [{}, {"DEVELOP_SERVER": "true"}])
def test_a_server_that_is_open_to_everybody_warns_where_it_is_seen(launcher_on, database_url, server):
    running = launcher_on(database_url).start("serve", ANONYMOUS_WRITES="true", **server).serving()
    assert re.search(r"WARNING +ANONYMOUS_WRITES is on: anybody who reaches this server", running.output)
    assert add_movie(running) == 201


def test_a_server_that_is_not_open_warns_of_nothing(launcher_on, database_url):
    running = launcher_on(database_url).start("serve").serving()
    assert "WARNING" not in running.output


def test_users_are_made_and_changed_on_the_embedded_database_from_any_folder(launcher, tmp_path, monkeypatch):
    (tmp_path / "movie_api.py").write_text("raise SystemExit('the wrong module')\n")
    (tmp_path / ".env").write_text("LOG_LEVEL=of another program\n")
    monkeypatch.chdir(tmp_path)
    made = launcher.run("users", "create", "ann@example.com", "--role", "editor", PORT="5123")
    assert made.returncode == 0, made.stderr
    assert re.search(r"^http://localhost:5123/account/reset#token=\S{43}$", made.stdout, re.MULTILINE)
    assert launcher.run("users", "promote", "ann@example.com", "admin").returncode == 0
    (user,) = json.loads(launcher.run("users", "list", "--json").stdout)
    assert (user["email"], user["role"]) == ("ann@example.com", "admin")


def test_exit_codes_of_users_come_through_with_one_plain_line(launcher_on, database_url):
    launcher = launcher_on(database_url)
    unknown = launcher.run("users", "disable", "nobody@example.com")
    assert unknown.returncode == 1
    assert unknown.stderr == "There is no account with the address or id nobody@example.com.\n"
    assert launcher.run("users", "promote", "nobody@example.com", "king").returncode == 2
    assert launcher.run("users", "delete").returncode == 2


def test_help_on_users_names_every_command_and_needs_no_database(launcher):
    assert "Usage:" in launcher.run("users").stderr
    ended = launcher.run("users", "--help")
    assert ended.returncode == 0
    commands = ("list", "create", "promote", "demote", "disable", "enable", "link", "first-admin")
    assert all(f"\n  {command} " in ended.stdout for command in commands)
    assert launcher.run("users", "promote", "--help").returncode == 0
    assert not launcher.data_dir.exists()


def test_help_on_users_works_where_the_database_is_given_in_parts(launcher):
    assert launcher.run("users", "--help", DB_HOST="localhost").returncode == 0
