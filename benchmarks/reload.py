"""What a daily reload costs the users of the API, beside a first load and an idle hour."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import psycopg2
from movie_database.addresses import libpq_address

from benchmarks.api import api
from benchmarks.databases import fresh_database, server, server_version
from benchmarks.dumps import FOLDER
from benchmarks.http import HEADLINE
from benchmarks.load import Run, load_command, run_timed, stages_of
from benchmarks.next_day import Changes, PeopleChanges, ensure_next_day, ensure_next_people
from benchmarks.report import Value, print_and_save
from benchmarks.visitors import SteadyLoad, Visit, Walk, Walker

_MB: Final = 1e6
_MOVIES: Final = 200
_SECONDS_BETWEEN_PAGES: Final = 0.2
_LISTS: Final = (
    HEADLINE,
    "/movies",
    "/movies?sort=votes&desc=1",
    "/movies?sort=year&desc=1&page_size=20",
    "/movies?genre=Comedy&sort=rating&desc=1",
)
_SEARCHES: Final = (
    "/movies?genre=Drama&year_gte=1990&year_lte=1999&votes_gte=1000&sort=rating&desc=1",
    "/movies?genre=Horror,Comedy&rating_gt=6.5&sort=year",
    "/movies?year_gte=2000&rating_gt=7.5&votes_gte=500&sort=votes&desc=1",
)


@dataclass(frozen=True)
class WalkedList:
    """A list that is walked through: where it begins, which movies it has, and by which value they stand."""

    name: str
    path: str
    condition: str
    value: str


_WALKED: Final = (
    WalkedList("title", "/movies?sort=title&include_adult=1&page_size=100", "true", "title_key"),
    WalkedList(
        "votes", "/movies?sort=votes&desc=1&page_size=100&votes_gte=1", "votes >= 1 AND NOT is_adult", "votes"
    ),
    WalkedList(
        "rating of dramas",
        "/movies?genre=Drama&sort=rating&desc=1&page_size=100",
        "NOT is_adult AND genre_ids @> ARRAY(SELECT id FROM genres WHERE name = 'Drama')",
        "rating_tenths",
    ),
)


@click.command()
@click.option("--dumps", type=click.Path(path_type=Path, exists=True), default=FOLDER, show_default=True)
@click.option("--votes", type=click.IntRange(0), default=100_000, show_default=True, help="Changed movies.")
@click.option("--new", type=click.IntRange(0), default=1_000, show_default=True, help="New movies.")
@click.option("--gone", type=click.IntRange(0), default=400, show_default=True, help="Movies that are gone.")
@click.option("--rate", type=float, default=40.0, show_default=True, help="Requests a second.")
@click.option("--seconds", type=float, default=20.0, show_default=True, help="Before and after the reload.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there.")
def reload(
    *, dumps: Path, votes: int, new: int, gone: int, rate: float, seconds: float, json_path: Path | None
) -> None:
    """Reloads the next day's dumps while visitors go on, and tells what they saw of it."""
    try:
        next_day = ensure_next_day(dumps, dumps / "next", Changes(votes, new, gone))
        ensure_next_people(dumps, next_day, PeopleChanges())
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with server() as server_url, fresh_database(server_url, "bench_reload") as url:
        click.echo("the first load", err=True)
        first = run_timed(load_command(dumps), url)
        before = _stands(url)
        with api(url) as address:
            click.echo(f"visitors: {rate:g} requests a second", err=True)
            load = SteadyLoad(address, _paths(url), rate=rate)
            time.sleep(seconds)
            walkers = [Walker(address, one.path, seconds_between=_SECONDS_BETWEEN_PAGES) for one in _WALKED]
            time.sleep(1)
            click.echo("the reload", err=True)
            began = time.perf_counter()
            reloaded = run_timed(load_command(next_day), url)
            ended = time.perf_counter()
            walks = [walker.finish() for walker in walkers]
            calm = time.perf_counter()
            time.sleep(seconds)
            load.stop()
            unchanged = run_timed(load_command(next_day), url)
        after = _stands(url)
        version = server_version(server_url)
    idle_p99 = _milliseconds(load.visits, 0, began - 1, 99)
    rows: list[dict[str, Value]] = [
        _load_row("first load", first, first),
        _load_row("reload", reloaded, first),
        _load_row("unchanged dumps", unchanged, first),
        _visits_row("requests before", load.visits, 0.0, began - 1, idle_p99),
        _visits_row("requests during", load.visits, began, ended, idle_p99),
        _visits_row("requests after", load.visits, calm, float("inf"), idle_p99),
        *_walk_rows(walks, before, after),
    ]
    for row in rows:
        if "phases" in row:
            click.echo(f"{row['what']}, seconds by phase: {row['phases']}")
    print_and_save(
        f"reload: {votes:,} movies with other votes, {new:,} new, {gone:,} gone",
        rows,
        {
            "what": "what",
            "seconds": "seconds",
            "peak_mb": "peak MB",
            "p50_ms": "p50 ms",
            "p99_ms": "p99 ms",
            "times": "ratio",
            "requests": "requests",
            "failed": "failed",
            "missing": "missing",
            "doubled": "doubled",
        },
        json_path,
        postgresql_version=version,
    )


def _load_row(what: str, run: Run, first: Run) -> dict[str, Value]:
    phases = ", ".join(f"{name} {seconds:.2f}" for name, seconds in stages_of(run.report).items())
    return {
        "what": what,
        "seconds": run.seconds,
        # As the load itself tells: what the system says of a child begins with what its parent held.
        "peak_mb": round(run.report["peak_memory_bytes"] / _MB),
        "times": run.seconds / first.seconds,
        "phases": phases or run.report["state"],
    }


def _visits_row(
    what: str, visits: list[Visit], start: float, end: float, idle_p99: float
) -> dict[str, Value]:
    within = _within(visits, start, end)
    p99 = _milliseconds(visits, start, end, 99)
    return {
        "what": what,
        "p50_ms": _milliseconds(visits, start, end, 50),
        "p99_ms": p99,
        "times": p99 / idle_p99,
        "requests": len(within),
        "failed": sum(visit.latency is None for visit in within),
    }


def _paths(url: str) -> list[str]:
    """Lists, searches and single movies, in turn."""
    with closing(psycopg2.connect(libpq_address(url))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id::text FROM movies WHERE votes > 100 ORDER BY id LIMIT %s", (_MOVIES,))
        movies = [f"/movies/{one}" for (one,) in cursor.fetchall()]
    others = [*_LISTS, *_SEARCHES]
    return [path for at, one in enumerate(movies) for path in (one, others[at % len(others)])]


def _within(visits: list[Visit], start: float, end: float) -> list[Visit]:
    return [visit for visit in visits if start <= visit.due_at < end]


def _milliseconds(visits: list[Visit], start: float, end: float, percentile: float) -> float:
    latencies = [visit.latency for visit in _within(visits, start, end) if visit.latency is not None]
    return float(np.percentile(latencies, percentile)) * 1e3


def _stands(url: str) -> list[dict[str, Any]]:
    """For each walked list, the value that each of its movies stands by."""
    with closing(psycopg2.connect(libpq_address(url))) as connection, connection.cursor() as cursor:
        stands = []
        for one in _WALKED:
            cursor.execute(
                f"SELECT id::text, {one.value} FROM movies WHERE retired_at IS NULL AND {one.condition}"
            )
            stands.append(dict(cursor.fetchall()))
    return stands


def _walk_rows(
    walks: list[Walk], before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> Iterator[dict[str, Value]]:
    """What the walks missed or met twice of the movies that stood where they were throughout."""
    for one, walk, old, new in zip(_WALKED, walks, before, after, strict=True):
        stayed = [movie for movie, value in old.items() if movie in new and new[movie] == value]
        yield {
            "what": f"walk by {one.name}, {sum(walk.ids.values()):,} movies",
            "requests": walk.pages + walk.failed,
            "failed": walk.failed + (not walk.is_whole),
            "missing": sum(walk.ids[movie] == 0 for movie in stayed),
            "doubled": sum(walk.ids[movie] > 1 for movie in stayed),
            "stayed": len(stayed),
        }
