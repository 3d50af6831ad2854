"""The API as a child: started, waited for, announced, watched."""

import http.client
import ipaddress
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import click
from movie_database import exits
from movie_database.setting_types import NEVER
from movie_database.settings import Settings
from movie_jobs import schedules

from movie_launcher import processes, programs
from movie_launcher.errors import LauncherError
from movie_launcher.processes import Child
from movie_launcher.working import Worker

START_SECONDS: Final = 60.0
FIRST_ADMIN_FILE: Final = "first-admin.env"
"""In DATA_DIR: what lets the first admin in. The API writes it, and its owner removes it."""
_OPEN_TO_ALL: Final = "ANONYMOUS_WRITES is on: anybody who reaches this server can add movies"
_POLL_SECONDS: Final = 0.05
_WATCH_SECONDS: Final = 0.25
_REQUEST_SECONDS: Final = 5.0


@contextmanager
def api(settings: Settings, variables: dict[str, str]) -> Iterator[Child]:
    """The API, answering.

    Raises:
        LauncherError: It does not start.
    """
    if settings.develop_server:
        _make_first_admin(variables)
    command = programs.api_command(settings)
    # Gunicorn reads it too, and an empty one, which to us is unset, is no number to it.
    variables = {**variables, "WEB_CONCURRENCY": str(settings.web_concurrency)}
    with processes.child(command, environment=variables, folder=programs.api_folder()) as process:
        _wait_until_it_answers(settings, process)
        yield process


def watch(process: Child, worker: Worker) -> None:
    """Returns never while the API runs, and keeps the worker running.

    Raises:
        LauncherError: The API ended by itself.
    """
    try:
        while (code := process.poll()) is None:
            worker.look()
            time.sleep(_WATCH_SECONDS)
    finally:
        # Both at once: each may take as long as everything together may.
        worker.ask_to_end()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    how = processes.how_it_ended(code)
    raise LauncherError(f"The API ended by itself ({how}); its last words are above.")


def announce(settings: Settings) -> None:
    """Prints where the API is, what it serves, and how to end it."""
    address = public_address(settings)
    first_admin = settings.data_dir / FIRST_ADMIN_FILE
    lines = {
        "Movies": f"{address}/movies",
        "Docs": f"{address}/docs",
        "Accounts": f"{address}/account",
        "First admin": _from_here(first_admin) if first_admin.is_file() else None,
        "Data": _describe(_ask(settings, "/dataset")),
        "Reload": _describe_schedule(settings),
        "WARNING": _OPEN_TO_ALL if settings.anonymous_writes else None,
        "Stop": "Ctrl-C, or ./run.sh stop",
    }
    told = [f"  {label:<13}{text}" for label, text in lines.items() if text]
    click.echo("\n".join(["", *told, ""]))


def public_address(settings: Settings) -> str:
    """The address to open in a browser on this machine."""
    if settings.public_url:
        return settings.public_url
    host = "localhost" if _is_here(settings.host) else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _make_first_admin(variables: dict[str, str]) -> None:
    """There is an admin, or other users. Gunicorn sees to it by itself, from its settings file.

    Raises:
        LauncherError: None could be made.
    """
    command = programs.installed(programs.FIRST_ADMIN_COMMAND)
    code = processes.run(
        command, environment=variables | programs.flask_variables(), folder=programs.api_folder()
    )
    if code != exits.DONE:
        raise LauncherError("The API did not start, for the reason above.")


def _from_here(path: Path) -> str:
    """A path as it is typed in the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _wait_until_it_answers(settings: Settings, process: Child) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while _ask(settings, "/healthz") is None:
        code = process.poll()
        if code is not None:
            raise LauncherError(f"The API did not start (exit code {code}); its last words are above.")
        if time.monotonic() > give_up_at:
            raise LauncherError(f"The API did not answer within {START_SECONDS:.0f} s.")
        time.sleep(_POLL_SECONDS)


def _ask(settings: Settings, path: str) -> dict[str, Any] | None:
    """The API's answer, if it is a good one. Asked of the socket itself: no proxy is meant."""
    connection = http.client.HTTPConnection(_own_host(settings), settings.port, timeout=_REQUEST_SECONDS)
    with suppress(OSError, http.client.HTTPException, ValueError):
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == http.HTTPStatus.OK:
            return dict(json.loads(body))
    connection.close()
    return None


def _own_host(settings: Settings) -> str:
    """Where this machine reaches the API: an address that means all of them is none to connect to."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared


def _is_here(host: str) -> bool:
    """Whether `localhost` reaches the API that listens at this address."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        return address in {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")} or (
            address.is_unspecified
        )
    return False


def _describe(dataset: dict[str, Any] | None) -> str:
    """What is served, in a line; the sample is never taken for more than it is."""
    if dataset is None or dataset["loaded_at"] is None:
        return "none yet: ./run.sh load"
    movies = f"{dataset['movies']:,} movies"
    if dataset["sample"]:
        return f"SAMPLE of {movies}, not IMDb's dumps"
    return f"{movies} of {dataset['source']}, loaded {_ago(dataset['age_seconds'])}"


def _describe_schedule(settings: Settings) -> str:
    """When the data is brought up to date, in a line."""
    told = schedules.describe(settings.reload_cron)
    return "never by itself (RELOAD_CRON): ./run.sh load" if told == NEVER else f"{told} (RELOAD_CRON)"


def _ago(seconds: int) -> str:
    """How long ago that was, in the largest unit that fits."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = seconds // length
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
