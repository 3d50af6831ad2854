"""`stop`: everything of its own DATA_DIR, and nothing else."""

import shutil

import pytest
from movie_jobs.programs import PATIENCE_SECONDS as PROGRAM_PATIENCE_SECONDS
from movie_jobs.worker import Pace
from movie_launcher.processes import PATIENCE_SECONDS
from movie_testing.databases import make_folder_name, remove_folder

pytestmark = pytest.mark.slow


@pytest.fixture
def other(launcher, tmp_path):
    """A launcher on another DATA_DIR."""
    scratch = tmp_path / "other"
    scratch.mkdir()
    made = type(launcher)(make_folder_name(), scratch)
    yield made
    for running in made.started:
        running.process.kill()
        running.process.wait()
    remove_folder(made.data_dir)
    shutil.rmtree(scratch)


def test_stop_ends_the_processes_of_its_own_data_dir_only(launcher, other):
    running, untouched = launcher.start("serve"), other.start("serve")
    running.serving()
    untouched.serving()
    ended = launcher.run("stop")
    assert (ended.returncode, ended.stdout) == (0, "Stopped 1 running command.\n")
    assert running.process.wait(10) == 0
    assert launcher.processes() == []
    assert untouched.status("/healthz") == 200


def test_stop_is_done_if_nothing_runs(launcher):
    ended = launcher.run("stop")
    assert (ended.returncode, ended.stdout) == (0, "Nothing was running.\n")
    assert not launcher.data_dir.exists()


def test_a_worker_is_given_the_time_to_put_its_jobs_back():
    pace = Pace()
    assert pace.grace_seconds + PROGRAM_PATIENCE_SECONDS < pace.end_seconds < PATIENCE_SECONDS
