"""How long a load takes, beside the floor that no load can beat and the way most projects do it."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import psycopg2
from movie_database.addresses import libpq_address
from movie_database.migrate import migrate

from benchmarks.contenders import TABLES
from benchmarks.databases import fresh_database, server, server_version
from benchmarks.dumps import FOLDER
from benchmarks.report import Value, print_and_save

_MB = 1e6


@dataclass(frozen=True)
class Run:
    """A command that ran: wall seconds, peak memory, and the JSON of its last line."""

    seconds: float
    peak_bytes: int
    report: Mapping[str, Any]


def run_timed(command: list[str], url: str) -> Run:
    """Runs a command on a database, as a process of its own.

    Raises:
        click.ClickException: It failed.
    """
    environment = {**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "WARNING"}
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    elapsed = time.perf_counter() - began
    if process.returncode != 0:
        raise click.ClickException(f"{' '.join(command[:4])} … ended with {process.returncode}")
    peak_bytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Run(elapsed, peak_bytes, json.loads(output.splitlines()[-1]))


@dataclass
class Timed:
    """The runs of one contender: wall seconds, peak memory (its largest process), seconds by phase."""

    seconds: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    phases: list[dict[str, float]] = field(default_factory=list)

    def add(self, command: list[str], url: str, phases_of: Callable[[Any], dict[str, float]]) -> None:
        """Runs the command as a process of its own and keeps what it took."""
        run = run_timed(command, url)
        self.seconds.append(run.seconds)
        self.peak_bytes.append(run.peak_bytes)
        self.phases.append(phases_of(run.report))

    def row(self, contender: str, floor_seconds: float, naive_seconds: float | None) -> dict[str, Value]:
        """The contender's line in the table: medians over its runs."""
        seconds = statistics.median(self.seconds)
        names = list(self.phases[0])
        phases = {name: statistics.median(run[name] for run in self.phases) for name in names}
        return {
            "contender": contender,
            "runs": len(self.seconds),
            "seconds": seconds,
            "seconds_min": min(self.seconds),
            "seconds_max": max(self.seconds),
            "peak_mb": round(max(self.peak_bytes) / _MB),
            "times_floor": seconds / floor_seconds,
            "times_faster_than_naive": naive_seconds / seconds if naive_seconds else None,
            "phases": ", ".join(f"{name} {phases[name]:.2f}" for name in names),
        }


@click.command()
@click.option("--dumps", type=click.Path(path_type=Path, exists=True), default=FOLDER, show_default=True)
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="Of ours and the floor")
@click.option(
    "--naive/--no-naive", default=True, help="The naive way takes minutes and gigabytes; it runs once."
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there.")
def load(*, dumps: Path, runs: int, naive: bool, json_path: Path | None) -> None:
    """Times our load, the floor and the naive way, side by side on the same dumps."""
    timed = {"our load": Timed(), "floor": Timed(), "naive": Timed()}
    with server() as server_url:
        ready = dumps / "ready"
        for run in range(runs):
            click.echo(f"run {run + 1} of {runs}: our load, then the floor", err=True)
            with fresh_database(server_url, "bench_load_ours") as url:
                timed["our load"].add(load_command(dumps), url, stages_of)
                _write_ready_rows(url, ready)
            with fresh_database(server_url, "bench_load_floor") as url:
                migrate(url)
                timed["floor"].add(_contender("floor", url, dumps, ready), url, dict)
        if naive:
            click.echo("the naive way", err=True)
            with fresh_database(server_url, "bench_load_naive") as url:
                timed["naive"].add(_contender("naive", url, dumps), url, dict)
        version = server_version(server_url)
    floor_seconds = statistics.median(timed["floor"].seconds)
    naive_seconds = timed["naive"].seconds[0] if naive else None
    print_and_save(
        "load",
        [one.row(name, floor_seconds, naive_seconds) for name, one in timed.items() if one.seconds],
        {
            "contender": "contender",
            "seconds": "seconds",
            "peak_mb": "peak MB",
            "times_floor": "x the floor",
            "times_faster_than_naive": "x faster than naive",
            "phases": "seconds by phase",
        },
        json_path,
        postgresql_version=version,
    )


def load_command(dumps: Path) -> list[str]:
    """What loads dumps and prints its report."""
    program = Path(sys.executable).with_name("movie-loader")
    return [str(program), "load", "--source", str(dumps.absolute()), "--json"]


def _contender(name: str, url: str, *folders: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.contenders", name, url, *map(str, folders)]


def stages_of(report: Mapping[str, Any]) -> dict[str, float]:
    """Seconds by stage, as a load reports them."""
    return {stage["name"]: stage["seconds"] for stage in report["stages"]}


def _write_ready_rows(url: str, folder: Path) -> None:
    """What the floor copies: the very rows that our load made."""
    folder.mkdir(exist_ok=True)
    with closing(psycopg2.connect(libpq_address(url))) as connection, connection.cursor() as cursor:
        for table in TABLES:
            with (folder / f"{table}.copy").open("wb") as file:
                cursor.copy_expert(f"COPY {table} TO STDOUT", file)
