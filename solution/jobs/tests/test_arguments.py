"""Jobs that are one piece of work among many: put there by a transaction, with what they are about."""

import json

import psycopg2
import pytest
from movie_database.addresses import libpq_address


def letters(bench):
    return [json.loads(line) for line in (bench.folder / "letters").read_text().splitlines()]


@pytest.mark.slow
def test_a_job_is_given_its_arguments_and_nothing_else(bench):
    job = bench.defer("trial:letter", mail="7", copies=[1, 2])
    bench.start("trial:letter")
    bench.wait_for(job, "succeeded")
    assert letters(bench) == [{"mail": "7", "copies": [1, 2]}]


@pytest.mark.slow
def test_a_job_that_is_tried_again_has_the_arguments_it_had(bench):
    job = bench.defer("trial:letter", mail="7", bad_tries=2)
    bench.start("trial:letter")
    done = bench.wait_for(job, "succeeded")
    assert letters(bench) == [{"mail": "7", "bad_tries": 2}] * 3
    assert done["args"]["failures"] == 2


@pytest.mark.slow
def test_several_jobs_of_one_task_run_at_once(bench):
    jobs = [bench.defer("trial:pair", number=number) for number in range(2)]
    bench.start("trial:pair")
    for job in jobs:
        bench.wait_for(job, "succeeded")


@pytest.mark.slow
def test_jobs_of_one_task_are_all_taken_up_when_their_worker_died(bench):
    jobs = [bench.defer("trial:letter", mail=str(number)) for number in range(3)]
    bench.query("UPDATE procrastinate_jobs SET status = 'doing'")
    bench.start("trial:letter")
    for job in jobs:
        assert bench.wait_for(job, "succeeded")["args"]["error"] == "the worker died while it ran"
    assert sorted(letter["mail"] for letter in letters(bench)) == ["0", "1", "2"]


def test_any_number_of_jobs_of_one_task_wait(bench):
    jobs = [bench.defer("trial:letter", mail="7") for _ in range(3)]
    assert len(set(jobs)) == 3
    assert {bench.job(job)["status"] for job in jobs} == {"todo"}


def test_a_job_is_in_the_queue_of_its_component_with_its_arguments_alone(bench):
    job = bench.job(bench.defer("trial:letter", mail="7"))
    assert (job["queue_name"], job["task_name"], job["args"]) == ("trial", "trial:letter", {"mail": "7"})
    assert (job["lock"], job["queueing_lock"], job["scheduled_at"]) == (None, None, None)


def test_a_job_is_there_only_if_its_transaction_is(bench):
    connection = psycopg2.connect(libpq_address(bench.url))
    with connection.cursor() as cursor:
        cursor.execute("SELECT jobs_defer('trial:letter', '{}')")
    connection.rollback()
    connection.close()
    assert bench.query("SELECT FROM procrastinate_jobs") == []
