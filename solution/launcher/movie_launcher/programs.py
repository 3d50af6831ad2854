"""The programs that the launcher starts: the very commands that the images start too."""

import sys
from pathlib import Path
from typing import Final

from movie_database.settings import Settings, checkout_root

API_COMMAND: Final = ("gunicorn", "-c", "gunicorn.conf.py", "movie_api:create_app()")
LOAD_COMMAND: Final = ("movie-loader", "load")
LOADER_COMMAND: Final = LOAD_COMMAND[:1]
JOBS_COMMAND: Final = ("movie-jobs",)
WORKER_COMMAND: Final = ("movie-jobs", "worker")
USERS_COMMAND: Final = ("flask", "--app", "movie_api", "users")
FIRST_ADMIN_COMMAND: Final = (*USERS_COMMAND, "first-admin", "--quiet")
NO_DATABASE: Final = "postgresql://localhost/movies"
STATUS_COMMAND: Final = ("movie-loader", "status", "--json")


def installed(command: tuple[str, ...]) -> list[str]:
    """The command with its program as it is installed beside this Python, whatever PATH says."""
    return [str(Path(sys.executable).with_name(command[0])), *command[1:]]


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module; -P: a file of the current folder is no module of ours."""
    return [sys.executable, "-P", "-m", name, *arguments]


def api_folder() -> Path:
    """Where the API is started: its gunicorn.conf.py lies there."""
    return checkout_root() / "solution" / "api"


def api_command(settings: Settings) -> list[str]:
    """What serves: Gunicorn, or Flask's reloading server for those who change the code."""
    if not settings.develop_server:
        return installed(API_COMMAND)
    where = ("--host", settings.host, "--port", str(settings.port))
    return module("flask", "--app", API_COMMAND[-1], "run", "--debug", *where)


def flask_variables() -> dict[str, str]:
    """What keeps Flask from reading .env files by rules of its own: the settings read ours."""
    return {"FLASK_SKIP_DOTENV": "1"}


def database_variables(settings: Settings, address: str) -> dict[str, str]:
    """What tells a child where the database is, where its own settings don't."""
    return {"DATABASE_URL": address} if settings.server_address is None else {}
