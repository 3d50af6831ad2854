"""A plain start: what it loads, what it serves, and that nothing of it stays behind."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from movie_testing.tsv import rating_row, title_row, write_tsv

pytestmark = pytest.mark.slow


def child(running, name):
    """The launcher's child of this name."""
    (found,) = [
        one
        for one in psutil.Process(running.process.pid).children()
        if any(Path(word).name == name for word in one.cmdline()[:2])
    ]
    return found


def test_a_start_that_cannot_reach_imdb_serves_the_sample_and_says_so(launcher):
    running = launcher.start().serving()
    assert "IMDb can't be reached" in running.output
    assert "SAMPLE of " in running.output
    dataset = running.get("/dataset")
    assert dataset["sample"] is True
    assert running.get("/movies?genre=Action&rating_gt=8.5&sort=rating&desc=1")
    assert running.status("/readyz") == 200

    # Once more: the data is there, and is served as it is.
    assert running.signal(signal.SIGINT) == 130
    again = launcher.start().serving()
    assert "Loading" not in again.output
    assert again.get("/dataset")["loaded_at"] == dataset["loaded_at"]


def test_first_starts_at_once_load_once_and_both_serve(launcher):
    pair = [launcher.start(), launcher.start()]
    assert len({running.serving().get("/dataset")["loaded_at"] for running in pair}) == 1
    assert sum("Loading the bundled sample" in running.output for running in pair) == 1

    # The last one out stops the server, and no other.
    assert pair[0].signal(signal.SIGINT) == 130
    assert pair[1].get("/movies")
    assert pair[1].signal(signal.SIGINT) == 130
    assert launcher.processes() == []


def test_sigint_ends_everything_within_ten_seconds(launcher):
    running = launcher.start("serve").serving()
    assert {process.name() for process in launcher.processes()} >= {"postgres", "gunicorn"}
    assert running.signal(signal.SIGINT) == 130
    assert launcher.processes() == []


def test_sigterm_ends_a_server_as_done(launcher_on, database_url):
    running = launcher_on(database_url).start("serve").serving()
    assert running.signal(signal.SIGTERM) == 0
    assert not running.is_listening()


def test_a_second_signal_in_the_middle_of_the_end_changes_nothing(launcher):
    running = launcher.start("serve").serving()
    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGINT)
    assert running.signal(signal.SIGTERM) == 130
    assert launcher.processes() == []


def test_a_signal_that_was_ignored_at_the_start_ends_everything_all_the_same(launcher_on, database_url):
    """A shell starts its background jobs so."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        running = launcher_on(database_url).start("serve").serving()
    finally:
        signal.signal(signal.SIGINT, before)
    assert running.signal(signal.SIGINT) == 130


def test_a_signal_while_the_database_is_made_leaves_nothing_running(launcher):
    running = launcher.start("serve")
    running.wait_for("Starting PostgreSQL")
    time.sleep(0.3)
    assert running.signal(signal.SIGINT) == 130
    assert launcher.processes() == []


def test_serve_on_an_empty_database_serves_empty_lists(launcher_on, database_url):
    running = launcher_on(database_url).start("serve", WEB_CONCURRENCY="").serving()
    assert "none yet: ./run.sh load" in running.output
    assert running.get("/movies") == []
    assert running.status("/readyz") == 503


def test_a_start_that_is_not_to_load_does_not(launcher_on, database_url):
    running = launcher_on(database_url).start(SKIP_LOAD_DATA="true").serving()
    assert running.get("/movies") == []


def test_another_source_that_is_not_there_fails_and_brings_no_sample(launcher_on, database_url, tmp_path):
    running = launcher_on(database_url).start(DATASET_SOURCE=str(tmp_path))
    assert running.process.wait(30) == 1
    assert "sample" not in running.output.lower()


def test_load_that_cannot_reach_imdb_fails_and_brings_no_sample(launcher_on, database_url):
    launcher = launcher_on(database_url)
    assert launcher.run("load", DOWNLOAD_RETRIES="0").returncode == 1
    assert launcher.run("psql", "-Atc", "SELECT state FROM dataset_loads").stdout == "failed\n"


def test_an_api_that_ends_by_itself_is_told(launcher_on, database_url):
    running = launcher_on(database_url).start("serve").serving()
    child(running, "gunicorn").kill()
    assert running.process.wait(10) == 1
    assert "The API ended by itself (killed by signal 9)" in running.output


def test_a_worker_that_ends_by_itself_is_told_and_started_again_while_the_api_goes_on(
    launcher_on, database_url
):
    running = launcher_on(database_url).start("serve").serving()
    running.wait_for("The worker runs")
    child(running, "movie-jobs").kill()
    running.wait_for(r"The worker ended by itself \(killed by signal 9\).*started again in 1 s")
    assert running.get("/movies") == []
    running.wait_for("(?s)The worker runs.*The worker runs")


def test_a_reload_that_is_asked_for_is_done_by_the_worker_and_served(launcher_on, database_url, tmp_path):
    launcher = launcher_on(database_url)
    dumps = write_tsv(tmp_path / "dumps", basics=[title_row()], ratings=[rating_row()])
    running = launcher.start("serve", DATASET_SOURCE=str(dumps)).serving()
    running.wait_for("The worker runs")
    assert launcher.run("jobs", "run", "loader:reload").stdout.endswith("for the worker.\n")
    running.wait_for("(?s)Began.*loader:reload.*Done.*loader:reload")
    assert [movie["title"] for movie in running.get("/movies")] == ["X"]


def test_the_worker_alone_runs_until_it_is_asked_to_end(launcher_on, database_url):
    running = launcher_on(database_url).start("worker")
    running.wait_for("The worker runs")
    assert running.signal(signal.SIGTERM) == 0
    assert "The worker ends" in running.output


@pytest.mark.parametrize(
    ("schedule", "told"),
    [("5 3 * * *", "Reload +daily at 03:05 UTC"), ("never", "Reload +never by itself .* ./run.sh load")],
)
def test_a_start_tells_when_the_data_is_reloaded(launcher_on, database_url, schedule, told):
    launcher_on(database_url).start("serve", RELOAD_CRON=schedule).wait_for(told)


def test_an_api_whose_launcher_is_killed_ends(launcher_on, database_url):
    running = launcher_on(database_url).start("serve").serving()
    children = psutil.Process(running.process.pid).children(recursive=True)
    os.kill(running.process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_the_developers_server_serves_and_ends_too(launcher_on, database_url):
    running = launcher_on(database_url).start("serve", DEVELOP_SERVER="true").serving()
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert running.get("/movies") == []
    assert running.signal(signal.SIGINT) == 130
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
