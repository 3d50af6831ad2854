"""When a job is tried again, when something is due, and what is installed."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import procrastinate
import pytest
from movie_database.settings import checkout_root
from movie_jobs import schedules
from movie_jobs.tasks import Backoff, JobError, NotNowError, installed_tasks
from procrastinate.jobs import Job

BACKOFF = Backoff(retries=3, first_seconds=60, factor=3, longest_seconds=1000)


def decision(error, failures):
    job = Job(
        queue="trial", lock=None, queueing_lock=None, task_name="trial", task_kwargs={"failures": failures}
    )
    return BACKOFF.get_retry_decision(exception=error, job=job)


@pytest.mark.parametrize(("failures", "rule"), [(0, 60), (1, 180), (2, 540)])
def test_waits_grow_and_differ_by_a_fifth_at_most(failures, rule):
    waits = [BACKOFF.wait_seconds(failures) for _ in range(500)]
    assert min(waits) >= 0.8 * rule
    assert max(waits) <= 1.2 * rule
    assert max(waits) - min(waits) > 0.2 * rule


def test_no_wait_is_longer_than_the_longest():
    assert {BACKOFF.wait_seconds(9) for _ in range(100)} == {1000}


def test_a_transient_failure_is_tried_again_so_often_and_no_more():
    error = JobError("away", is_transient=True)
    assert [decision(error, failures) is not None for failures in range(5)] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_failure_that_no_try_can_help_is_the_last():
    assert decision(JobError("wrong", is_transient=False), 0) is None


def test_a_job_that_cannot_run_now_waits_and_is_never_given_up():
    wait = decision(NotNowError("busy", seconds=300), 99).retry_at - datetime.now(UTC)
    assert 299 < wait.total_seconds() < 301


@pytest.fixture
def in_tokyo(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_ticks_are_of_utc_whatever_the_machines_time_zone(in_tokyo):
    noon = datetime(2026, 3, 29, 12, tzinfo=UTC)
    assert schedules.next_tick("0 2 * * *", noon) == datetime(2026, 3, 30, 2, tzinfo=UTC)
    assert schedules.latest_tick("0 2 * * *", noon) == datetime(2026, 3, 29, 2, tzinfo=UTC)


def test_the_library_that_puts_periodic_jobs_there_counts_in_utc_too(in_tokyo):
    registry = procrastinate.Blueprint().periodic_registry
    task = procrastinate.Blueprint().task(name="trial")(os.getpid)
    registry.register_task(task=task, cron="0 2 * * *", periodic_id="", configure_kwargs={})
    noon = datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp()
    deferrer = procrastinate.periodic.PeriodicDeferrer(registry)
    assert deferrer.get_next_tick(noon) == 14 * 3600


@pytest.mark.parametrize("schedule", ["never", "0 0 30 2 *"])
def test_what_is_never_due_has_no_tick(schedule):
    assert (schedules.next_tick(schedule), schedules.describe(schedule)) == (None, "never")


def test_a_daily_schedule_is_told_as_such():
    assert schedules.describe("5 2 * * *") == "daily at 02:05 UTC"


def test_another_schedule_is_told_by_its_next_tick():
    assert schedules.describe("0 2 1 1 *").endswith("-01-01 at 02:00 UTC")


def test_tasks_of_installed_components_are_found_by_their_full_names(make_settings):
    assert "loader:reload" in installed_tasks(make_settings())


def test_the_schema_is_that_of_the_installed_library():
    """If this fails after an upgrade: what the library's sql/migrations add is a new script of ours."""
    script = (checkout_root() / "sql-scripts" / "0003_jobs.sql").read_text("utf-8")
    schema = Path(procrastinate.__file__).with_name("sql") / "schema.sql"
    assert script.endswith(schema.read_text("utf-8"))
