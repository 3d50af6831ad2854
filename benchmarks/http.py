"""How many requests a second the API answers, beside a constant answer of the same server."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import click
import httpx
import numpy as np
import psycopg2
from movie_database.addresses import libpq_address

from benchmarks.clients import Timed, keep_busy
from benchmarks.databases import catalogue, server, server_version
from benchmarks.dumps import FOLDER
from benchmarks.report import Value, print_and_save

_ROOT: Final = Path(__file__).parents[1]
_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 30
_MOVIES: Final = 1_000
_WARM_UP_SECONDS: Final = 1.0
HEADLINE: Final = "/movies?genre=Action&rating_gt=8.5&sort=rating&desc=1"


@click.command()
@click.option("--dumps", type=click.Path(path_type=Path, exists=True), default=FOLDER, show_default=True)
@click.option("--connections", type=click.IntRange(1), default=16, show_default=True)
@click.option("--seconds", type=float, default=5.0, show_default=True, help="A round of each request.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there.")
def http(*, dumps: Path, connections: int, seconds: float, rounds: int, json_path: Path | None) -> None:
    """Counts answers a second, of the API as it is shipped: its own Gunicorn settings, logs and all."""
    with server() as server_url:
        url = catalogue(server_url, dumps)
        paths = {
            "constant answer (the floor)": ["/healthz"],
            f"headline: {HEADLINE}": [HEADLINE],
            "plain list: /movies": ["/movies"],
            "one movie: /movies/{id}": [f"/movies/{one}" for one in _some_ids(url)],
        }
        runs: dict[str, list[Timed]] = {name: [] for name in paths}
        with _api(url) as address:
            for round_number in range(rounds + 1):  # the first one warms up
                for name, some in paths.items():
                    length = seconds if round_number else _WARM_UP_SECONDS
                    timed = keep_busy(address, some, connections=connections, seconds=length)
                    if round_number:
                        runs[name].append(timed)
        version = server_version(server_url)
    rates = {
        name: sum(len(run.latencies) for run in done) / sum(run.seconds for run in done)
        for name, done in runs.items()
    }
    floor = next(iter(rates.values()))
    rows: list[dict[str, Value]] = []
    for name, done in runs.items():
        milliseconds = np.concatenate([run.latencies for run in done]) * 1e3
        rows.append(
            {
                "request": name,
                "per_second": rates[name],
                "share_of_floor": rates[name] / floor,
                "p50_ms": float(np.percentile(milliseconds, 50)),
                "p99_ms": float(np.percentile(milliseconds, 99)),
                "max_ms": float(milliseconds.max()),
                "answers": len(milliseconds),
                "failed": sum(run.failed for run in done),
            }
        )
    print_and_save(
        f"http, {connections} connections",
        rows,
        {
            "request": "request",
            "per_second": "per second",
            "share_of_floor": "share of the floor",
            "p50_ms": "p50 ms",
            "p99_ms": "p99 ms",
            "failed": "failed",
        },
        json_path,
        postgresql_version=version,
    )


def _some_ids(url: str) -> list[str]:
    with closing(psycopg2.connect(libpq_address(url))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id::text FROM movies WHERE NOT is_adult ORDER BY id LIMIT %s", (_MOVIES,))
        return [one for (one,) in cursor.fetchall()]


@contextmanager
def _api(url: str) -> Iterator[tuple[str, int]]:
    """The API's own Gunicorn on a free port, until the block ends."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": url, "HOST": _HOST, "PORT": str(port)}
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
