"""docker-compose.yml and the images, as far as they can be checked where no Docker engine is.

`testing/schemas/compose-spec.json` is the Compose Specification's own JSON schema (Apache-2.0; its
licence lies beside it), taken from the PyPI package check-jsonschema 0.39.0.
"""

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from movie_database import settings
from movie_database.settings import Settings
from movie_jobs.worker import Pace
from movie_launcher import programs

ROOT = Path(__file__).parents[2]
DOCKERFILES = {
    "api": "solution/api/Dockerfile",
    "loader": "solution/data-loader/Dockerfile",
    "worker": "solution/jobs/Dockerfile",
}
# The services that run programs of ours, each in an image of its own.
SERVICES = list(DOCKERFILES)
# What means nothing in an image.
NOT_FOR_IMAGES = {"DEVELOP_SERVER", "PG_BINDIR", "SKIP_LOAD_DATA", "TEST_DATABASE_URL"}
# The address is given by its parts, the folders are the image's own: .env may say otherwise for run.sh.
FIXED = {"DATABASE_URL": "", "DATA_DIR": "/data", "SQL_SCRIPTS": "/app/sql-scripts"}
# OIDC_<NAME>_…, whose names nobody knows before: given by the file itself.
GIVEN_BY_FILE = {"OIDC"}
GIVEN_ALL_OF_ENV = ["api", "worker"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))


def instructions(name: str) -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments; continued lines are one."""
    text = re.sub(r"^#.*\n", "", (ROOT / DOCKERFILES[name]).read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


def environment(service: dict[str, Any]) -> dict[str, str | None]:
    """What a service is given; None: passed on if it is set."""
    given = service.get("environment", {})
    return {name: None if value is None else str(value) for name, value in given.items()}


def test_compose_file_is_of_the_specifications_form(compose):
    schema = json.loads((ROOT / "testing" / "schemas" / "compose-spec.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(compose)


def test_docker_compose_itself_takes_the_file_where_it_is_here(tmp_path):
    docker = shutil.which("docker")
    version = docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    if not version or version.returncode != 0:
        pytest.skip("docker compose is not here; the schema's test stands alone")
    command = [docker, "compose", "--project-directory", str(ROOT), "--env-file", os.devnull, "config"]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DB_PASSWORD": "given"}
    subprocess.run(command, env=environ, check=True, capture_output=True)


def test_database_password_has_no_default(compose):
    passwords = [
        value
        for service in compose["services"].values()
        for name, value in environment(service).items()
        if name in {"DB_PASSWORD", "POSTGRES_PASSWORD"}
    ]
    assert len(passwords) == 4
    assert all(value.startswith("${DB_PASSWORD:?") for value in passwords)


def test_nothing_is_published_but_the_apis_port(compose):
    published = [name for name, service in compose["services"].items() if service.get("ports")]
    assert published == ["api"]
    assert len(compose["services"]["api"]["ports"]) == 1


def test_database_has_no_way_out(compose):
    networks = compose["services"]["db"]["networks"]
    assert [compose["networks"][name] for name in networks] == [{"internal": True}]


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_of_a_service_is_a_setting(compose, name):
    known = {field.upper() for field in Settings.model_fields}
    assert set(environment(compose["services"][name])) - known == set()


def test_every_setting_that_means_something_in_an_image_can_be_set(compose):
    passed = {variable for name in SERVICES for variable in environment(compose["services"][name])}
    assert {field.upper() for field in Settings.model_fields} - passed == NOT_FOR_IMAGES | GIVEN_BY_FILE


@pytest.mark.parametrize("name", GIVEN_ALL_OF_ENV)
def test_providers_of_any_name_reach_the_api_and_the_worker(compose, name):
    assert compose["services"][name]["env_file"] == [{"path": ".env", "required": False}]


@pytest.mark.parametrize("name", GIVEN_ALL_OF_ENV)
def test_what_env_says_for_run_sh_alone_reaches_no_container(compose, name):
    given = environment(compose["services"][name])
    assert {variable: given[variable] for variable in FIXED} == FIXED


@pytest.mark.parametrize("name", SERVICES)
def test_variables_left_unset_are_taken_as_defaults(compose, monkeypatch, tmp_path, name):
    """Compose passes an unset variable on as an empty one."""
    monkeypatch.setattr(settings, "checkout_root", lambda: tmp_path)
    for variable, value in environment(compose["services"][name]).items():
        if value is None:
            monkeypatch.delenv(variable, raising=False)
            continue
        given = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        monkeypatch.setenv(variable, re.sub(r"\$\{\w+:\?[^}]*\}", "given", given))
    assert settings.read_settings().server_address == "postgresql+psycopg2://movies:given@db:5432/movies"


def test_what_gunicorn_reads_itself_is_never_passed_on_empty(compose):
    read_by_gunicorn = {"WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "GUNICORN_CMD_ARGS"}
    passed = environment(compose["services"]["api"])
    assert {passed[name] for name in read_by_gunicorn & set(passed)} == {None}


@pytest.mark.parametrize("name", SERVICES)
def test_services_can_write_to_their_volume_alone(compose, name):
    service = compose["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_images_are_pinned_to_a_full_version(compose):
    bases = [words.split()[0] for name in DOCKERFILES for word, words in instructions(name) if word == "FROM"]
    for image in [*bases, compose["services"]["db"]["image"]]:
        assert re.fullmatch(r"(python:\d+\.\d+\.\d+|postgres:\d+\.\d+)-[\w-]+", image), image


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("api", programs.API_COMMAND),
        ("loader", programs.LOAD_COMMAND),
        ("worker", programs.WORKER_COMMAND),
    ],
)
def test_an_image_starts_what_run_sh_starts(compose, name, command):
    commands = [words for word, words in instructions(name) if word in {"CMD", "ENTRYPOINT"}]
    assert [json.loads(words) for words in commands] == [list(command)]
    assert not {"command", "entrypoint"} & set(compose["services"][name])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_in_the_image_of_its_dockerfile(compose, name):
    service = compose["services"][name]
    assert service["build"] == {"context": ".", "dockerfile": DOCKERFILES[name]}
    assert service["image"] == f"movies-{name}:0.1.0"


def test_a_load_means_the_same_whether_the_worker_runs_it_or_somebody_does(compose):
    worker, loader = (environment(compose["services"][name]) for name in ("worker", "loader"))
    assert {name: worker.get(name) for name in loader} == loader


def test_the_worker_works_for_the_api_by_the_same_settings(compose):
    """Such as the key that signs, the address that links begin with, and the clients at providers."""
    worker, api = (environment(compose["services"][name]) for name in ("worker", "api"))
    both = set(worker) & set(api)
    assert {name: worker[name] for name in both} == {name: api[name] for name in both}
    assert {"SECRET_KEY", "PUBLIC_URL", "REFRESH_TOKEN_LIFETIME", "APPLE_PRIVATE_KEY", "SMTP_HOST"} <= both


def test_no_mail_is_written_to_a_folder_in_a_container(compose):
    """It is where HOST is loopback, which it is not there: people elsewhere ask for mails."""
    assert environment(compose["services"]["worker"])["HOST"] == "0.0.0.0"


def test_all_programs_share_one_volume(compose):
    """Mails and files that one makes are signed by the key, and served from the folder, of another."""
    assert [compose["services"][name]["volumes"] for name in SERVICES] == [["data:/data"]] * 3
    assert set(compose["volumes"]) == {"database", "data"}


def test_the_worker_has_the_time_to_put_its_jobs_back(compose):
    seconds = int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s"))
    assert seconds > Pace().end_seconds + 1


def packages(name: str) -> dict[str, list[str]]:
    """The names of our packages that an image holds, and what each needs."""
    installs = " ".join(words for word, words in instructions(name) if word == "RUN")
    projects = [
        tomllib.loads((ROOT / "solution" / folder / "pyproject.toml").read_text("utf-8"))["project"]
        for folder in re.findall(r"/build/(?!locks)([\w-]+)", installs)
    ]
    return {
        project["name"]: [re.match(r"[\w-]+", needed)[0] for needed in project["dependencies"]]
        for project in projects
    }


def test_the_image_of_the_worker_holds_all_that_it_runs():
    assert set(packages("worker")) == {"movie-api", "movie-database", "movie-jobs", "movie-loader"}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_holds_all_that_its_packages_need(name):
    ours = packages(name)
    lock = (ROOT / "locks" / f"{name}.txt").read_text("utf-8")
    locked = set(re.findall(r"^([\w-]+)==", lock, flags=re.MULTILINE))
    assert {needed for needs in ours.values() for needed in needs} - set(ours) - locked == set()


@pytest.mark.parametrize("name", DOCKERFILES)
def test_everything_that_is_copied_is_there_and_is_sent_to_the_builder(name):
    sources = [
        word
        for instruction, words in instructions(name)
        if instruction == "COPY" and not words.startswith("--from")
        for word in shlex.split(words)[:-1]
    ]
    assert sources
    for source in sources:
        path = ROOT / source
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        assert any(is_sent(one.relative_to(ROOT).as_posix()) for one in files), source


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".data/secret_key",
        "solution/api/tests/test_movies.py",
        "solution/api/movie_api/__pycache__/server.cpython-313.pyc",
        "solution/database/movie_database/.env",
        "run.sh",
    ],
)
def test_secrets_tests_and_leftovers_are_not_sent_to_the_builder(path):
    assert not is_sent(path)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_runs_as_nobody_special(name):
    users = [words for word, words in instructions(name) if word == "USER"]
    assert users == ["10001"]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_packages_of_an_image_are_installed_by_hash_alone(name):
    installs = re.findall(r"pip install ([^&]*)", " ".join(words for _, words in instructions(name)))
    for install in installs:
        assert "--require-hashes" in install or "--no-deps" in install, install


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a file through: the last line that matches it or a folder of it decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and _matches(pattern, path):
            sent = line.startswith("!")
    return sent


def _matches(pattern: str, path: str) -> bool:
    folders = [path, *(parent.as_posix() for parent in Path(path).parents)]
    if pattern.startswith("**/"):
        return any(fnmatch.fnmatch(Path(folder).name, pattern[3:]) for folder in folders)
    return any(
        len(Path(folder).parts) == len(Path(pattern).parts) and fnmatch.fnmatch(folder, pattern)
        for folder in folders
    )
