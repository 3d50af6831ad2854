"""The worker as it runs: real processes that come, die and end, on a real database."""

import os
import signal
import time
from pathlib import Path

import psutil
import psycopg2
import pytest
from movie_database.addresses import database_name
from movie_jobs import queue
from movie_testing import databases

pytestmark = pytest.mark.slow


def wait_until(condition):
    give_up_at = time.monotonic() + 20
    while not (found := condition()):
        assert time.monotonic() < give_up_at
        time.sleep(0.03)
    return found


def test_a_periodic_job_runs_once_at_each_tick_with_two_workers(bench):
    for _ in range(2):
        bench.start("trial:tick")
    wait_until(lambda: bench.living_workers() == 2 and bench.traces("ticks") >= 2)
    for worker in bench.workers:
        worker.terminate()
        worker.wait(10)
    ticks = bench.query(
        "SELECT args ->> 'timestamp' AS at, attempts FROM procrastinate_jobs WHERE lock = 'trial:tick'"
    )
    assert len({tick["at"] for tick in ticks}) == len(ticks)
    assert sum(tick["attempts"] for tick in ticks) == bench.traces("ticks")


def test_a_periodic_job_that_waits_already_is_not_put_there_again(bench):
    assert [bench.put("trial:tick") for _ in range(2)] == [1, 1]


def test_two_jobs_of_one_task_never_run_at_once(bench):
    for _ in range(2):
        bench.start("trial:program")
    first = bench.put("trial:program")
    wait_until(lambda: bench.traces("began") == 1)
    second = bench.put("trial:program")
    time.sleep(0.5)
    assert (bench.traces("began"), bench.job(second)["status"]) == (1, "todo")
    (bench.folder / "go").touch()
    assert bench.wait_for(first, "succeeded")["id"] < bench.wait_for(second, "succeeded")["id"]


def test_a_job_is_tried_again_until_it_succeeds(bench):
    job = bench.put("trial:flaky")
    bench.start("trial:flaky")
    done = bench.wait_for(job, "succeeded")
    assert (done["attempts"], done["args"]["failures"]) == (3, 2)


def test_a_job_that_can_never_succeed_is_tried_once_and_alerted_until_it_does(bench, inbox):
    bench.alert_urls = inbox.address
    job = bench.put("trial:hopeless")
    bench.start("trial:hopeless")
    failed = bench.wait_for(job, "failed")
    assert (bench.traces("tries"), failed["args"]["error"]) == (1, "it can't work")
    (bench.folder / "well").touch()
    assert queue.retry(bench.url, job)
    bench.wait_for(job, "succeeded")
    wait_until(lambda: len(inbox.texts) == 2)
    assert inbox.texts == ["trial:hopeless failed: it can't work", "trial:hopeless is done."]


def test_a_job_that_takes_too_long_is_ended(bench):
    job = bench.put("trial:slow")
    bench.start("trial:slow")
    assert bench.wait_for(job, "failed")["args"]["error"] == "it took longer than 0.2 s"
    assert bench.traces("ended") == 1


def test_a_task_that_is_to_run_at_the_start_does(bench):
    bench.start("trial:start")
    wait_until(lambda: bench.traces("ticks") == 1)


def test_the_job_of_a_worker_that_was_killed_is_taken_up_again_and_done(bench):
    job = bench.put("trial:program")
    killed = bench.start("trial:program")
    wait_until(lambda: bench.traces("began") == 1)
    killed.kill()
    killed.wait()
    bench.start("trial:program")
    wait_until(lambda: bench.traces("began") == 2)
    (bench.folder / "go").touch()
    done = bench.wait_for(job, "succeeded")
    assert done["args"]["error"] == "the worker died while it ran"


def test_the_program_of_a_job_ends_with_the_worker_that_is_killed(bench):
    bench.put("trial:program")
    worker = bench.start("trial:program")
    pid = wait_until(
        lambda: (bench.folder / "began").exists() and (bench.folder / "began").read_text().strip()
    )
    program = psutil.Process(int(pid))
    worker.kill()
    worker.wait()
    psutil.wait_procs([program], timeout=10)
    assert not program.is_running()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_worker_that_ends_puts_its_job_back_and_counts_no_failure(bench, number, code):
    job = bench.put("trial:program")
    worker = bench.start("trial:program")
    wait_until(lambda: bench.traces("began") == 1)
    began_at = time.monotonic()
    worker.send_signal(number)
    worker.send_signal(number)  # a second one changes nothing
    assert worker.wait(10) == code, bench.log
    assert time.monotonic() - began_at < 5
    back = bench.job(job)
    assert (back["status"], back["args"]) == ("todo", {})
    assert back["scheduled_at"].timestamp() <= time.time()
    assert not psutil.pid_exists(int((bench.folder / "began").read_text()))


def test_a_job_is_put_back_though_another_of_its_task_waits_already(bench):
    job = bench.put("trial:program")
    worker = bench.start("trial:program")
    wait_until(lambda: bench.traces("began") == 1)
    other = bench.put("trial:program")
    worker.terminate()
    worker.wait(10)
    assert [bench.job(number)["status"] for number in (job, other)] == ["todo", "todo"]


def test_a_worker_that_ends_lets_a_short_job_finish(bench):
    job = bench.put("trial:program")
    worker = bench.start("trial:program", grace_seconds=5)
    wait_until(lambda: bench.traces("began") == 1)
    worker.terminate()
    (bench.folder / "go").touch()
    assert worker.wait(10) == 0
    assert bench.job(job)["status"] == "succeeded"


def test_a_worker_that_has_nothing_to_do_ends_at_once(bench):
    worker = bench.start("trial:flaky")
    wait_until(bench.living_workers)
    worker.terminate()
    assert worker.wait(2) == 0
    assert bench.living_workers() == 0


def test_a_job_that_lost_every_worker_fails_and_is_alerted(bench, inbox):
    bench.alert_urls = inbox.address
    job = bench.put("trial:program")
    bench.query(
        "UPDATE procrastinate_jobs SET status = 'doing', args = '{\"failures\": 3}' WHERE id = %s", job
    )
    bench.start("trial:program")
    bench.wait_for(job, "failed")
    wait_until(lambda: inbox.texts)
    assert inbox.texts == ["trial:program failed: the worker died while it ran, again and again"]


def test_a_job_whose_end_could_not_be_noted_is_taken_up_again_by_its_own_worker(bench):
    bench.start("trial:hopeless")
    wait_until(bench.living_workers)
    (bench.folder / "well").touch()
    bench.query(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status, worker_id)"
        " SELECT 'trial', 'trial:hopeless', 'trial:hopeless', 'doing', id FROM procrastinate_workers"
    )
    (job,) = bench.query("SELECT id FROM procrastinate_jobs WHERE task_name = 'trial:hopeless'")
    bench.wait_for(job["id"], "succeeded")


@pytest.fixture
def doors(bench, server_url):
    """Shuts the database to everybody but us, and opens it."""
    server = databases.open_connection(server_url)
    name = database_name(bench.url)

    def set_open(is_open):
        with server.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {is_open}")
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )

    yield set_open
    set_open("true")
    server.close()


def test_a_worker_outlives_a_database_that_is_away_for_a_while(bench, doors):
    worker = bench.start("trial:flaky")
    wait_until(bench.living_workers)
    doors("false")
    with pytest.raises(psycopg2.Error, match="not currently accepting"):
        psycopg2.connect(bench.url.replace("+psycopg2", ""))
    time.sleep(1)
    doors("true")
    job = bench.put("trial:flaky")
    bench.wait_for(job, "succeeded")
    assert worker.poll() is None


def test_a_worker_ends_if_the_database_stays_away(bench, doors):
    worker = bench.start("trial:flaky", patience_seconds=0.5)
    wait_until(bench.living_workers)
    doors("false")
    assert worker.wait(15) == 1
    assert "The worker can't go on" in bench.log
    assert "Traceback" not in bench.log


def test_a_worker_that_is_to_end_while_the_database_is_away_does(bench, doors):
    worker = bench.start("trial:program", end_seconds=1)
    bench.put("trial:program")
    wait_until(lambda: bench.traces("began") == 1)
    doors("false")
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.wait(6) == 0
    assert not psutil.pid_exists(int((Path(bench.folder) / "began").read_text()))
