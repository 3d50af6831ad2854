"""Whatever the contract allows or forbids, the running program does as it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from movie_testing.api_server import running_api

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent


@pytest.fixture
def server(database_url, movies, loads, tmp_path):
    numbers = range(40)
    movies.create_many(
        title=[f"Movie {number % 5}" for number in numbers],
        year=[None if number % 3 == 0 else 1990 + number % 4 for number in numbers],
        rating=[None if number % 4 == 0 else 7 + number % 3 for number in numbers],
        votes=[None if number % 4 == 0 else number for number in numbers],
        genres=[("Action",) if number % 2 else ("Crime", "Drama") for number in numbers],
    )
    # The path of the contract's example.
    movies.create(imdb_id="tt0468569")
    movies.retire(movies.create(imdb_id="tt0468570").id)
    for state in ("done", "unchanged", "refused", "failed", "running"):
        loads.create(
            state=state,
            files=[{"name": "title.basics", "address": "https://x.example/title.basics.tsv.gz", "rows": 3}],
            rejected={"title.basics": {"wrong_number_of_columns": 2}},
            phases=[{"name": "basics", "seconds": 0.5, "rows": 3}],
        )
    with running_api(database_url, tmp_path) as api:
        yield api


def test_schemathesis_finds_nothing_with_all_its_checks(server, tmp_path):
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={FOLDER / 'schemathesis.toml'}",
            "run",
            f"{server.url}/docs/openapi.json",
            "--checks=all",
            "--mode=all",
            "--phases=examples,coverage,fuzzing,stateful",
            "--max-examples=40",
            "--seed=1",
            "--continue-on-failure",
        ],
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(FOLDER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
