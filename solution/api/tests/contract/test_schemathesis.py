"""Whatever the contract allows or forbids, the running program does as it says."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import movie_api
import pytest
import yaml
from movie_testing.api_server import running_api

# Thousands of requests: on a machine that does something else as well, more than the two minutes of others.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

FOLDER = Path(__file__).parent
CONTRACT = Path(movie_api.__file__).parent / "openapi.yaml"
FOR_SOMEBODY = [
    operation["operationId"]
    for methods in yaml.safe_load(CONTRACT.read_text("utf-8"))["paths"].values()
    for operation in methods.values()
    if operation["x-access"]["role"] or operation["operationId"] in ("list_movies", "get_movie")
]
ALL_PHASES = "examples,coverage,fuzzing,stateful"
SECRET_KEY = secrets.token_urlsafe(32)
# They count what is tried, and it is tried often here.
NO_LIMITS = dict.fromkeys(
    ("sign_in_limit", "sign_in_address_limit", "registration_limit", "reset_limit", "reset_address_limit"),
    "off",
)


@pytest.fixture
def server(database_url, movies, people, loads, tmp_path):
    numbers = range(40)
    movies.create_many(
        title=[f"Movie {number % 5}" for number in numbers],
        year=[None if number % 3 == 0 else 1990 + number % 4 for number in numbers],
        rating=[None if number % 4 == 0 else 7 + number % 3 for number in numbers],
        votes=[None if number % 4 == 0 else number for number in numbers],
        genres=[("Action",) if number % 2 else ("Crime", "Drama") for number in numbers],
    )
    # The path of the contract's example.
    nolan = people.create("Christopher Nolan", imdb_id="nm0634240", born=1970)
    movies.create(
        imdb_id="tt0468569", directors=[nolan], writers=people.create_many("Ann", "Bob"), cast=[nolan]
    )
    movies.retire(movies.create(imdb_id="tt0468570").id)
    for state in ("done", "unchanged", "refused", "failed", "running"):
        loads.create(
            state=state,
            files=[{"name": "title.basics", "address": "https://x.example/title.basics.tsv.gz", "rows": 3}],
            rejected={"title.basics": {"wrong_number_of_columns": 2}},
            phases=[{"name": "basics", "seconds": 0.5, "rows": 3}],
        )
    with running_api(database_url, tmp_path, secret_key=SECRET_KEY, **NO_LIMITS) as api:
        yield api


@pytest.mark.parametrize("role", ["nobody", "user", "editor", "admin"])
def test_schemathesis_finds_nothing_with_all_its_checks(server, database_url, tmp_path, role):
    # Nobody asks for everything; what is the same for whoever has an account is asked by nobody alone, and
    # the edges of all values are the same for an admin as for an editor.
    who = {} if role == "nobody" else {"MOVIE_ROLE": role}
    asked = [] if role == "nobody" else [f"--include-operation-id={name}" for name in FOR_SOMEBODY]
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            f"--config-file={FOLDER / 'schemathesis.toml'}",
            "run",
            # As it is written: what the server shows leaves out the providers that it is not set up for.
            str(CONTRACT),
            f"--url={server.url}",
            "--checks=all",
            "--mode=all",
            f"--phases={'examples,fuzzing,stateful' if role == 'admin' else ALL_PHASES}",
            f"--max-examples={12 if role == 'nobody' else 6}",
            *asked,
            "--seed=1",
            "--continue-on-failure",
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "hooks",
            "PYTHONPATH": os.pathsep.join([str(FOLDER), os.environ.get("PYTHONPATH", "")]),
            "DATABASE_URL": database_url,
            "SECRET_KEY": SECRET_KEY,
            **who,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
