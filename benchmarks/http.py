"""How many requests a second the API answers, beside a constant answer of the same server."""

from contextlib import closing
from pathlib import Path
from typing import Final

import click
import numpy as np
import psycopg2
from movie_database.addresses import libpq_address

from benchmarks.api import api
from benchmarks.clients import Timed, keep_busy
from benchmarks.databases import catalogue, server, server_version
from benchmarks.dumps import FOLDER
from benchmarks.report import Value, print_and_save

_MOVIES: Final = 1_000
_LISTS: Final = 100_000
_GENRES: Final = ("Action", "Comedy", "Crime", "Drama", "Horror")
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
            f"{_LISTS:,} different lists": _different_lists(),
            "one movie: /movies/{id}": [f"/movies/{one}" for one in some_ids(url)],
        }
        runs: dict[str, list[Timed]] = {name: [] for name in paths}
        with api(url) as address:
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


def _different_lists() -> list[str]:
    """So many that none is asked for twice while a worker still keeps it."""
    return [
        f"/movies?genre={_GENRES[at % len(_GENRES)]}&rating_gt={at % 80 / 10}&year_gte={1900 + at % 101}"
        f"&votes_gte={at}&sort=rating&desc=1"
        for at in range(_LISTS)
    ]


def some_ids(url: str) -> list[str]:
    """The ids of movies that are listed."""
    with closing(psycopg2.connect(libpq_address(url))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id::text FROM movies WHERE NOT is_adult ORDER BY id LIMIT %s", (_MOVIES,))
        return [one for (one,) in cursor.fetchall()]
