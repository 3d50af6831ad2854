"""The reload as the worker runs it, and the watch: real loads, and programs that end as loads do."""

import asyncio
import json
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest
from movie_database.addresses import libpq_address
from movie_jobs import queue
from movie_jobs.tasks import JobError, NotNowError, Run
from movie_loader import jobs
from movie_testing.tsv import rating_row, title_row, write_tsv

pytestmark = pytest.mark.slow

EVERY_DAY = "0 2 * * *"


@pytest.fixture
def query(database_url):
    def ask(statement, *values):
        with psycopg2.connect(libpq_address(database_url)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return rows

    return ask


@pytest.fixture
def make_run(database_url, make_settings):
    def make(**values):
        return Run(database_url, make_settings(**values))

    return make


@pytest.fixture
def ends_with(tmp_path):
    """Makes a program that ends as a load does."""

    def make(script):
        file = tmp_path / "movie-loader"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return [file, "load", "--json"]

    return make


@pytest.fixture
def add_load(query):
    """Writes the row of a load that ended so long ago."""

    def add(age, *, is_sample=False, state="done"):
        query(
            "INSERT INTO dataset_loads (started_at, finished_at, source, is_sample, title_types, state)"
            " VALUES (now() - %s, now() - %s, 'a source', %s, '{movie}', %s)",
            *(age, age, is_sample, state),
        )

    return add


def reload(run, command=jobs.LOAD_COMMAND, **options):
    asyncio.run(jobs.reload(run, command, **options))


def causes(query):
    return [cause for (cause,) in query("SELECT cause FROM alerts ORDER BY cause")]


def waiting(query):
    return query("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo'")


def test_a_reload_loads_by_the_installed_program(make_run, query, tmp_path, monkeypatch):
    monkeypatch.setenv(
        "DATASET_SOURCE", str(write_tsv(tmp_path / "dumps", basics=[title_row()], ratings=[rating_row()]))
    )
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    reload(make_run())
    assert query("SELECT state, movie_rows FROM dataset_loads") == [("done", 1)]


def test_a_reload_that_fails_for_its_source_is_no_failure_that_another_alert_tells(
    make_run, query, tmp_path, monkeypatch
):
    monkeypatch.setenv("DATASET_SOURCE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(JobError, match="nowhere") as caught:
        reload(make_run())
    assert caught.value.is_told
    assert len(causes(query)) == 1


def test_a_load_that_was_refused_is_not_tried_again(make_run, ends_with):
    told = json.dumps({"state": "refused", "error": {"code": "shrunk", "message": "half is gone"}})
    with pytest.raises(JobError, match="half is gone") as caught:
        reload(make_run(), ends_with(f"echo '{told}'; exit 4"))
    assert not caught.value.is_transient


@pytest.mark.parametrize("is_transient", [True, False])
def test_a_load_that_failed_is_tried_again_if_it_says_that_this_can_help(make_run, ends_with, is_transient):
    told = json.dumps({"error": {"code": "source", "message": "no answer", "is_transient": is_transient}})
    with pytest.raises(JobError, match="no answer") as caught:
        reload(make_run(), ends_with(f"echo '{told}'; exit 1"))
    assert (caught.value.is_transient, caught.value.is_told) == (is_transient, False)


def test_a_load_that_fails_without_a_word_is_not_tried_again(make_run, ends_with):
    with pytest.raises(JobError, match="exit code 2 without a word") as caught:
        reload(make_run(), ends_with("echo nonsense; exit 2"))
    assert (caught.value.is_transient, caught.value.is_told) == (False, False)


@pytest.mark.parametrize("end", ["exit 3", "exit 130", "kill -TERM $$"])
def test_a_load_that_could_not_run_goes_back_to_the_queue(make_run, ends_with, end):
    with pytest.raises(NotNowError):
        reload(make_run(), ends_with(end))


def test_a_load_that_was_killed_is_alerted_and_tried_again(make_run, ends_with, query):
    with pytest.raises(JobError, match="signal 9") as caught:
        reload(make_run(), ends_with("kill -9 $$"))
    assert (caught.value.is_transient, caught.value.is_told) == (True, True)
    assert causes(query) == ["load:killed"]


def test_a_load_that_runs_out_of_time_is_ended_alerted_and_tried_again(make_run, ends_with, query):
    run = make_run(reload_time_limit=timedelta(seconds=1))
    with pytest.raises(JobError, match=r"longer than 1 s \(RELOAD_TIME_LIMIT\)") as caught:
        reload(run, ends_with("trap '' TERM; sleep 60 & wait; sleep 60"), patience_seconds=0.2)
    assert caught.value.is_transient
    assert causes(query) == ["load:time_limit"]


def test_a_load_that_was_killed_is_told_once_and_not_by_the_watch_too(make_run, ends_with, query):
    query(
        "INSERT INTO dataset_loads (started_at, source, is_sample, title_types, state)"
        " VALUES (now(), 'a source', false, '{movie}', 'running')"
    )
    with pytest.raises(JobError):
        reload(make_run(), ends_with("kill -9 $$"))
    jobs.watch(make_run())
    assert causes(query) == ["load:killed"]


def test_a_load_that_is_done_just_when_its_time_is_over_is_done(make_run, ends_with, query):
    run = make_run(reload_time_limit=timedelta(seconds=1))
    reload(run, ends_with("trap 'exit 0' TERM; sleep 60 & wait"))
    assert causes(query) == []


def test_old_data_is_alerted_until_it_is_fresh_again(make_run, query, add_load):
    run = make_run(stale_after=timedelta(hours=36), reload_cron="never")
    add_load(timedelta(hours=37))
    jobs.watch(run)
    assert causes(query) == ["stale"]
    add_load(timedelta(hours=1), state="unchanged")
    jobs.watch(run)
    assert causes(query) == []


def test_the_sample_is_never_old(make_run, query, add_load):
    add_load(timedelta(days=99), is_sample=True)
    jobs.watch(make_run())
    assert (causes(query), waiting(query)) == ([], [])


def test_a_load_that_died_without_a_word_is_alerted(make_run, query):
    query(
        "INSERT INTO dataset_loads (started_at, source, is_sample, title_types, state)"
        " VALUES (now(), 'a source', false, '{movie}', 'running')"
    )
    jobs.watch(make_run())
    assert causes(query) == ["load:died"]


def test_a_reload_that_was_missed_is_made_up_for_once(make_run, query, add_load):
    add_load(timedelta(hours=25))
    for _ in range(2):
        jobs.watch(make_run(reload_cron=EVERY_DAY))
    assert waiting(query) == [("loader:reload",)]


def test_a_worker_that_starts_after_a_missed_tick_reloads_at_once(
    database_url, query, add_load, dumps, monkeypatch
):
    add_load(timedelta(hours=25))
    for name, value in {
        "DATABASE_URL": database_url,
        "DATA_DIR": dumps.parent,
        "DATASET_SOURCE": dumps,
    }.items():
        monkeypatch.setenv(name, str(value))
    with subprocess.Popen([Path(sys.executable).with_name("movie-jobs"), "worker"]) as worker:
        give_up_at = time.monotonic() + 30
        while query("SELECT count(*) FROM dataset_loads WHERE state = 'done'") != [(2,)]:
            assert time.monotonic() < give_up_at
            time.sleep(0.1)
        worker.terminate()


def test_a_reload_that_failed_at_its_tick_was_not_missed(make_run, database_url, query, add_load):
    add_load(timedelta(hours=25))
    job = queue.put(database_url, jobs.RELOAD).id
    query("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", job)
    jobs.watch(make_run(reload_cron=EVERY_DAY))
    assert waiting(query) == []


def test_no_reload_was_missed_if_the_data_is_newer_than_the_tick(make_run, query, add_load):
    add_load(timedelta(0))
    jobs.watch(make_run(reload_cron=EVERY_DAY))
    assert waiting(query) == []


def test_nothing_is_missed_where_nothing_is_scheduled(make_run, query, add_load):
    add_load(timedelta(hours=25))
    jobs.watch(make_run(reload_cron="never"))
    assert waiting(query) == []


def test_a_worker_is_spared_of_pandas():
    program = "import sys; import movie_loader.jobs; print('pandas' in sys.modules, 'apprise' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "False False\n"
