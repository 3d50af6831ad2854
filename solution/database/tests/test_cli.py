import os
import subprocess
import sys

import pytest


@pytest.fixture
def run(tmp_path):
    """Runs the package's command with an environment of these settings alone."""

    def command(*words, **settings):
        environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), **settings}
        return subprocess.run(
            [sys.executable, "-m", "movie_database", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return command


def test_migrate_brings_the_schema_once(run, empty_database_url):
    run("migrate", DATABASE_URL=empty_database_url)
    done = run("migrate", DATABASE_URL=empty_database_url)
    assert done.returncode == 0
    assert done.stdout.endswith(": applied nothing, all was there\n")


def test_a_wrong_setting_is_wrong_usage(run):
    done = run("migrate", PORT="none")
    assert (done.returncode, done.stderr) == (2, "PORT is 'none'; allowed: a whole number from 1 to 65535\n")


def test_an_unknown_word_is_wrong_usage(run):
    done = run("migrat")
    assert done.returncode == 2
    assert "No such command 'migrat'" in done.stderr


def test_no_server_is_a_failure_in_one_line(run):
    done = run("migrate", DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/d")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr


def test_the_settings_are_printed_as_a_table(run):
    assert "| `PORT` | 5000 | Port that the API listens at |\n" in run("settings").stdout
