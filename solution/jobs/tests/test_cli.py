"""`movie-jobs`: what it prints, and its exit codes."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog
from movie_database.settings import Settings
from movie_jobs import queue
from movie_jobs.cli import main

# Apprise imports a module that Python 3.13 no longer has, and does without it there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def unchanged_log():
    """The log goes where it went before: a command has it go to its own standard error."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def run(database_url, tmp_path, monkeypatch, capsys, unchanged_log):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))

    def run_command(*words):
        with pytest.raises(SystemExit) as ended:
            main(words)
        return Ended(ended.value.code, *capsys.readouterr())

    return run_command


@pytest.fixture
def add(bench):
    """Puts a job there and gives it a status and an error."""

    def put(task, status, error=None):
        number = bench.put(task)
        bench.query(
            "UPDATE procrastinate_jobs SET status = %s, queueing_lock = NULL,"
            " args = jsonb_strip_nulls(jsonb_build_object('error', %s)) WHERE id = %s",
            *(status, error, number),
        )
        return number

    return put


def test_jobs_are_listed_the_newest_first_with_their_errors(run, add):
    add("trial:one", "succeeded")
    add("trial:two", "failed", "the dumps look wrong")
    listed = run("list")
    assert listed.code == 0
    assert listed.out.index("trial:two") < listed.out.index("trial:one")
    assert "the dumps look wrong" in listed.out


def test_those_that_failed_or_lost_their_worker_can_be_listed_alone(run, add):
    add("trial:one", "succeeded")
    add("trial:two", "failed", "wrong")
    add("trial:three", "doing")
    jobs = json.loads(run("list", "--failed", "--json").out)
    assert [(job["task"], job["status"], job["error"]) for job in jobs] == [
        ("trial:three", "stalled", None),
        ("trial:two", "failed", "wrong"),
    ]


def test_an_empty_list_is_told(run):
    assert run("list", "--failed").out == "There are no such jobs.\n"


@pytest.mark.parametrize("status", ["failed", "doing", "cancelled", "aborted"])
def test_a_job_that_did_not_succeed_waits_again_when_it_is_retried(run, add, bench, status):
    job = add("trial:one", status)
    told = run("retry", str(job))
    assert (told.code, bench.job(job)["status"]) == (0, "todo")
    assert told.out == f"Job {job} waits for the worker, but none runs: ./run.sh worker starts one.\n"


def test_a_job_can_be_retried_while_another_of_its_task_waits(run, add, bench):
    job = add("trial:one", "failed")
    bench.put("trial:one")
    assert run("retry", str(job)).code == 0


def test_a_job_that_succeeded_or_is_not_there_is_not_retried(run, add):
    job = add("trial:one", "succeeded")
    assert run("retry", str(job))[::2] == (
        1,
        f"movie-jobs: Job {job} succeeded: `run` has its task run once more\n",
    )
    assert run("retry", "99")[::2] == (1, "movie-jobs: There is no job 99\n")


def test_a_task_is_put_there_once_however_often_it_is_asked_for(run, bench):
    assert run("run", "loader:reload").out.startswith("Job 1 waits for the worker")
    assert run("run", "loader:reload").out.startswith("Job 1 waits already for the worker")
    assert queue.had_job_since(bench.url, "loader:reload", bench.query("SELECT now()")[0]["now"])


def test_a_job_that_waits_for_its_next_try_is_due_when_its_task_is_asked_for(run, bench):
    job = bench.put("loader:reload")
    bench.query(
        "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour', queueing_lock = NULL"
        " WHERE id = %s",
        job,
    )
    run("run", "loader:reload")
    assert [one["scheduled_at"] for one in queue.jobs(bench.url)] == [None]


def test_a_task_that_takes_arguments_is_not_put_there_without_any(run, bench):
    told = run("run", "api:mail")
    assert told.code == 2
    assert "A job of api:mail is one piece of work among many" in told.err
    assert queue.jobs(bench.url) == []


def test_an_unknown_task_is_wrong_usage_and_the_known_are_told(run):
    told = run("run", "loader:relaod")
    assert told.code == 2
    assert "there are jobs:prune, api:forget, api:prune, loader:reload, loader:watch" in told.err


def test_a_wrong_setting_is_told(run, monkeypatch):
    monkeypatch.setenv("RELOAD_CRON", "daily")
    assert run("list").code == 2


def test_a_database_that_is_away_is_a_failure_in_a_line(run, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:word@127.0.0.1:9/movies")
    told = run("list")
    assert (told.code, told.err.count("\n")) == (1, 1)


def test_the_test_of_alerts_says_for_each_address_whether_it_went(run, inbox, monkeypatch):
    monkeypatch.setenv("ALERT_URLS", f"{inbox.address} json://user:hunter2@127.0.0.1:9/")
    told = run("alert-test")
    assert told.code == 1
    first, second = told.out.splitlines()
    assert first == "address 1 (json://): sent"
    assert second.startswith("address 2 (json://): not sent: ")
    assert inbox.texts == ["Alerts of the movie API arrive here."]
    assert "hunter2" not in told.out + told.err


def test_the_test_of_alerts_tells_that_there_are_no_addresses(run):
    assert run("alert-test")[::2] == (1, "movie-jobs: ALERT_URLS is not set: alerts go to the log alone\n")


def test_old_jobs_are_removed_once_they_are_over(bench, add):
    for task, status in (("trial:old", "failed"), ("trial:waits", "todo"), ("trial:new", "failed")):
        add(task, status)
    bench.query("UPDATE procrastinate_events SET at = now() - interval '31 days' WHERE job_id IN (1, 2)")
    assert queue.prune(bench.url) == 1
    assert [job["task"] for job in queue.jobs(bench.url)] == ["trial:new", "trial:waits"]


def test_the_installed_program_tells_its_commands():
    program = Path(sys.executable).with_name("movie-jobs")
    ended = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    assert all(f"\n  {name} " in ended.stdout for name in ("worker", "list", "retry", "run", "alert-test"))
