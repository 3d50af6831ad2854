"""The API as it is shipped, started for a benchmark."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import httpx

_ROOT: Final = Path(__file__).parents[1]
_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 30
# Of the benchmarks alone: the first start of a server puts an admin's link there.
_DATA_DIR: Final = Path(".data/bench/api")


@contextmanager
def api(url: str, **variables: str) -> Iterator[tuple[str, int]]:
    """The API's own Gunicorn on a free port, until the block ends.

    Args:
        url: Of the database that it serves.
        **variables: Further settings, by the names of their variables.
    """
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DATA_DIR": str(_DATA_DIR.absolute()),
        "HOST": _HOST,
        "PORT": str(port),
        **variables,
    }
    command = [sys.executable, "-m", "gunicorn", "--config", str(_ROOT / "solution/api/gunicorn.conf.py")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(f"http://{_HOST}:{port}/readyz", process)
            yield _HOST, port
        finally:
            process.terminate()


def _wait_until_ready(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(address).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise click.ClickException("the API did not start")
