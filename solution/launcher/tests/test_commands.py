"""Words, settings and exit codes."""

import json
import os
import socket

import pytest
from movie_database.connections import connected
from movie_testing.tsv import rating_row, title_row, write_tsv

pytestmark = pytest.mark.slow

LOAD_LOCK = 0x6C6F6164  # movie_loader's, which tests of the launcher must not import

COMMANDS = [
    *("up", "load", "serve", "worker", "jobs", "loader", "users", "test", "check"),
    *("psql", "backup", "restore", "bench", "stop"),
]


def test_an_unknown_word_gives_the_help_and_exit_code_2(launcher):
    ended = launcher.run("lode")
    assert ended.returncode == 2
    assert "No such command 'lode'" in ended.stderr
    assert all(f"\n  {command} " in ended.stderr for command in COMMANDS)


def test_an_unknown_option_is_wrong_usage(launcher):
    assert launcher.run("serve", "--fast").returncode == 2


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"]])
def test_help_names_every_command(launcher, words):
    ended = launcher.run(*words)
    assert ended.returncode == 0
    assert all(f"\n  {command} " in ended.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_tells_what_it_does(launcher, command):
    ended = launcher.run(command, "--help")
    assert ended.returncode == 0
    assert "Usage:" in ended.stdout
    assert not launcher.data_dir.exists()


def test_help_on_a_word_is_that_commands_help(launcher):
    assert launcher.run("help", "backup").stdout == launcher.run("backup", "--help").stdout


def test_wrong_settings_are_told_all_at_once_before_anything_starts(launcher):
    ended = launcher.run("serve", PORT="http", LOG_LEVEL="LOUD", TITLE_TYPES="film")
    assert ended.returncode == 2
    assert [line.split()[1] for line in ended.stderr.splitlines()] == ["TITLE_TYPES", "PORT", "LOG_LEVEL"]
    assert not launcher.data_dir.exists()


def test_a_taken_port_is_told_with_its_holder_and_the_setting(launcher):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = launcher.run("serve", PORT=str(port))
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert f"Port {port} is taken by " in line
    assert f"(process {os.getpid()})" in line
    assert "PORT=" in line
    assert not launcher.data_dir.exists()


def test_a_port_whose_last_connection_just_ended_is_free(launcher):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, listener.accept()[0] as accepted:
            accepted.close()
            client.recv(1)
    ended = launcher.run("serve", PORT=str(port), PG_BINDIR="/nowhere")
    assert "is taken" not in ended.stderr


def test_a_host_that_is_not_this_machine_is_told(launcher):
    ended = launcher.run("serve", HOST="192.0.2.1")
    assert ended.returncode == 1
    assert "HOST is '192.0.2.1'" in ended.stderr


def test_a_data_dir_that_cannot_be_made_is_told_in_a_line(launcher_on, database_url, tmp_path):
    (tmp_path / "file").touch()
    ended = launcher_on(database_url).run(DATA_DIR=str(tmp_path / "file" / "data"))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "file/data: Not a directory" in ended.stderr


def test_psql_answers_on_the_database_and_shows_no_password(launcher_on, database_url):
    launcher = launcher_on(database_url)
    ended = launcher.run("psql", "-Atc", "SELECT count(*) FROM movies")
    assert (ended.returncode, ended.stdout) == (0, "0\n")


def test_a_failing_statement_in_psql_is_a_failure(launcher_on, database_url):
    assert launcher_on(database_url).run("psql", "-v", "ON_ERROR_STOP=1", "-c", "nonsense").returncode == 1


def test_exit_codes_of_the_loader_come_through(launcher_on, database_url, tmp_path):
    launcher = launcher_on(database_url)
    assert launcher.run("load", "--no-such-option").returncode == 2
    assert launcher.run("load", "--source", tmp_path).returncode == 1


def test_the_help_tells_all_exit_codes(launcher):
    told = " ".join(launcher.run("--help").stdout.split())
    assert "0 done" in told
    assert "1 failed, 2 wrong usage or setting, 3 another load is running, 4 refused" in told
    assert "130 interrupted" in told


def test_a_load_while_another_runs_ends_with_3(launcher_on, database_url, tmp_path):
    dumps = write_tsv(tmp_path / "dumps", basics=[title_row()], ratings=[rating_row()])
    with connected(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (LOAD_LOCK,))
        assert launcher_on(database_url).run("load", "--source", dumps).returncode == 3


def test_a_load_that_was_refused_ends_with_4(launcher_on, database_url, tmp_path):
    launcher = launcher_on(database_url)
    many = [title_row(tconst=f"tt{number:07}") for number in range(1, 101)]
    dumps = write_tsv(tmp_path / "dumps", basics=many, ratings=[rating_row()])
    assert launcher.run("load", "--source", dumps).returncode == 0
    write_tsv(dumps, basics=many[:50], ratings=[rating_row()])
    assert launcher.run("load", "--source", dumps).returncode == 4


def test_jobs_and_loads_are_told_of_the_database(launcher_on, database_url):
    launcher = launcher_on(database_url)
    assert launcher.run("jobs", "run", "jobs:prune").stdout.startswith("Job 1 waits for the worker")
    assert [job["task"] for job in json.loads(launcher.run("jobs", "list", "--json").stdout)] == [
        "jobs:prune"
    ]
    assert launcher.run("loader", "history", "--json").stdout == "[]\n"


def test_exit_codes_of_pytest_are_ours(launcher, tmp_path):
    file = tmp_path / "test_case.py"
    file.write_text("def test_it():\n    raise KeyboardInterrupt\n")
    ended = launcher.run("test", "-n", "0", "-p", "no:cacheprovider", "-p", "no:schemathesis", file)
    assert ended.returncode == 130, ended.stdout


def test_browser_tests_without_a_chromium_are_no_silent_skip(launcher):
    ended = launcher.run("test", CHROMIUM="/nowhere/chromium")
    assert ended.returncode == 1
    assert "CHROMIUM is '/nowhere/chromium'" in ended.stderr


def test_a_file_of_the_current_folder_is_no_module_of_ours(launcher, tmp_path, monkeypatch):
    (tmp_path / "click.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    assert launcher.run("stop").returncode == 0
