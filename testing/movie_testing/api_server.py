"""The API as it runs in earnest: Gunicorn, with the settings file that is shipped, in a process of its own."""

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
    port = settings.setdefault("port", free_port())
    values = {
        "database_url": database_url,
        "data_dir": folder / "data",
        "host": "127.0.0.1",
        "web_concurrency": 1,
        **settings,
    }
    log = folder / "api.log"
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    command = [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONF)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**kept, **{name.upper(): str(value) for name, value in values.items()}},
            stdout=output,
            stderr=output,
        )
    try:
        api = RunningApi(f"http://127.0.0.1:{port}", process, log)
        _wait(api)
        yield api
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        finally:
            process.kill()


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
