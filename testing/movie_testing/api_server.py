"""The API as it runs in earnest: Gunicorn with the settings file that is shipped, in its own process."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

GUNICORN_CONF: Final = Path(__file__).parents[2] / "solution" / "api" / "gunicorn.conf.py"
_START_SECONDS: Final = 30
_STOP_SECONDS: Final = 10


class RunningApi(NamedTuple):
    """A running server: where it answers, its process, and the file that its log goes to."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def running_api(database_url: str, folder: Path, **settings: Any) -> Iterator[RunningApi]:
    """The API answers at `url`, until the block is left.

    Args:
        database_url: The database that it serves.
        folder: For its DATA_DIR and its log.
        **settings: Further settings by field name.
    """
    api = start_api(database_url, folder, **settings)
    try:
        _wait(api)
        yield api
    finally:
        api.process.send_signal(signal.SIGTERM)
        try:
            api.process.wait(_STOP_SECONDS)
        finally:
            api.process.kill()


def start_api(database_url: str, folder: Path, **settings: Any) -> RunningApi:
    """The API is on its way, or ends with an exit code: see `running_api`."""
    values = {
        "database_url": database_url,
        "data_dir": folder / "data",
        "host": "127.0.0.1",
        "port": free_port(),
        "web_concurrency": 1,
        **settings,
    }
    log = folder / "api.log"
    # Nothing else of the tests' environment: the settings are those that are given.
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONF)],
            env={**kept, **{name.upper(): str(value) for name, value in values.items()}},
            stdout=output,
            stderr=output,
        )
    return RunningApi(f"http://127.0.0.1:{values['port']}", process, log)


def free_port() -> int:
    """A port that nobody listens at, as far as can be known."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(api: RunningApi) -> None:
    give_up_at = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up_at:
        if api.process.poll() is not None:
            break
        try:
            if httpx.get(f"{api.url}/healthz", timeout=1).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the API did not start:\n{api.log.read_text()}")
