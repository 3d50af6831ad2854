"""A real worker with tasks of the tests' own: trial_worker.py ADDRESS FOLDER ALERT_URLS PACE TASK …

Tasks leave their traces in the folder, and look there for what they are to do.
"""

import asyncio
import json
import sys
import time
from datetime import timedelta
from pathlib import Path

from movie_database.logs import configure_logging
from movie_database.settings import given_settings
from movie_jobs.programs import run_program
from movie_jobs.tasks import Backoff, JobError, Task
from movie_jobs.worker import Pace, work

ADDRESS, FOLDER, ALERT_URLS, PACE, *NAMES = sys.argv[1:]
TRACES = Path(FOLDER)
# Says that it began, and is over when it is told to.
PROGRAM = """
import os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
with (folder / "began").open("a") as file:
    print(os.getpid(), file=file)
while not (folder / "go").exists():
    time.sleep(0.02)
"""


def leave(name, trace="x"):
    with (TRACES / name).open("a") as file:
        print(trace, file=file)


async def tick(run):
    leave("ticks")


async def flaky(run):
    leave("tries")
    if run.failures < 2:
        raise JobError(f"failure {run.failures + 1}", is_transient=True)


def hopeless(run):
    leave("tries")
    if not (TRACES / "well").exists():
        raise JobError("it can't work", is_transient=False)


async def slow(run):
    try:
        await asyncio.sleep(60)
    finally:
        leave("ended")


async def program(run):
    await run_program([sys.executable, "-c", PROGRAM, FOLDER])


def letter(run):
    """Leaves what it was given, and fails as often as that says."""
    leave("letters", json.dumps(dict(run.arguments)))
    if run.failures < run.arguments.get("bad_tries", 0):
        raise JobError("not yet", is_transient=True)


def pair(run):
    """Is over when it has company."""
    leave("pairs")
    while len((TRACES / "pairs").read_text().splitlines()) < 2:
        time.sleep(0.02)


TASKS = {
    "trial:tick": Task("tick", tick, schedule="* * * * * *"),
    "trial:flaky": Task("flaky", flaky, backoff=Backoff(retries=3, first_seconds=0.1)),
    "trial:hopeless": Task("hopeless", hopeless, backoff=Backoff(retries=3, first_seconds=0.1)),
    "trial:slow": Task("slow", slow, time_limit=timedelta(seconds=0.2)),
    "trial:program": Task("program", program),
    "trial:letter": Task(
        "letter", letter, takes_arguments=True, backoff=Backoff(retries=3, first_seconds=0.1)
    ),
    "trial:pair": Task("pair", pair, takes_arguments=True),
    "trial:start": Task("start", tick, runs_at_start=True),
}

settings = given_settings(alert_urls=ALERT_URLS)
configure_logging(settings)
sys.exit(work(ADDRESS, settings, {name: TASKS[name] for name in NAMES}, Pace(**json.loads(PACE))))
