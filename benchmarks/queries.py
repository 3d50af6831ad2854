"""How long PostgreSQL takes for lists of every kind, first pages and deep ones.

The queries are the API's own, parsed from query strings as a client writes them; what is timed is the time
between sending SQL and having its rows.
"""

import random
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import click
import numpy as np
import psycopg2
import psycopg2.extensions
from movie_api import create_app
from movie_api.extensions import db
from movie_api.http.cursors import Place, Side
from movie_api.http.pages import Page, PageAsked
from movie_api.http.parameters import read_query, table
from movie_api.movies import queries
from movie_api.movies.filters import LIST_PARAMETERS, SORTS
from movie_database.addresses import libpq_address
from movie_database.settings import read_settings
from sqlalchemy import event

from benchmarks.databases import catalogue, server, server_version
from benchmarks.dumps import FOLDER
from benchmarks.report import Value, print_and_save

_PARAMETERS: Final = table(*LIST_PARAMETERS)
_LAST_PAGE_ROUNDS: Final = 50
_PAGE_SIZES: Final = (10, 10, 10, 20, 50, 100)
_NO_FINGERPRINT: Final = b""

Cursor = psycopg2.extensions.cursor


class Stopwatch(psycopg2.extensions.cursor):
    """A cursor that keeps how long PostgreSQL took, from sending SQL to having its rows."""

    seconds: ClassVar[float] = 0.0
    statements: ClassVar[int] = 0

    def execute(self, *statement: Any) -> None:
        """Runs the statement and adds its time."""
        began = time.perf_counter()
        super().execute(*statement)
        Stopwatch.seconds += time.perf_counter() - began
        Stopwatch.statements += 1


def timed_page(query_string: str, size: int, place: Place | None) -> tuple[Page, float, int]:
    """One page of the API's, the milliseconds in the database, and how many statements it took."""
    Stopwatch.seconds, Stopwatch.statements = 0.0, 0
    page = queries.movie_page(
        read_query(query_string, _PARAMETERS), PageAsked(size, place, None, _NO_FINGERPRINT)
    )
    return page, Stopwatch.seconds * 1e3, Stopwatch.statements


@click.command(name="queries")
@click.option("--dumps", type=click.Path(path_type=Path, exists=True), default=FOLDER, show_default=True)
@click.option("--queries", "count", type=click.IntRange(1), default=5_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--slowest", type=click.IntRange(0), default=0, help="Show this many of the slowest.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there.")
def bench_queries(*, dumps: Path, count: int, seed: int, slowest: int, json_path: Path | None) -> None:
    """Times random lists over sort, direction, genres, rating, years and depth, in the database."""
    with server() as server_url:
        url = catalogue(server_url, dumps)
        app = create_app(read_settings(database_url=url))
        with app.test_request_context("/movies"), closing(psycopg2.connect(libpq_address(url))) as connection:
            event.listen(db.engine, "connect", _time_statements)
            with connection.cursor() as cursor:
                rows = _measure(cursor, count, random.Random(seed), slowest)
        version = server_version(server_url)
    print_and_save(
        "queries",
        rows,
        {
            "queries": "queries",
            "count": "number",
            "p50_ms": "p50 ms",
            "p99_ms": "p99 ms",
            "max_ms": "max ms",
            "statements": "statements a page",
            "ratio": "last / first page",
        },
        json_path,
        postgresql_version=version,
    )


def _time_statements(connection: Any, _record: Any) -> None:
    connection.cursor_factory = Stopwatch


def _measure(cursor: Cursor, count: int, chance: random.Random, slowest: int) -> list[dict[str, Value]]:
    cursor.execute("SELECT name FROM genres ORDER BY id")
    genres = [name for (name,) in cursor.fetchall()]
    asked = [_random_list(chance, genres) for _ in range(count)]
    places = [_random_place(cursor, chance, query) for query in asked]
    for query in asked[:100]:
        timed_page(query, 10, None)  # the server's caches and the connection are warm
    timed = []
    for query, place in zip(asked, places, strict=True):
        size = chance.choice(_PAGE_SIZES)
        _, milliseconds, statements = timed_page(query, size, place)
        timed.append((milliseconds, statements, query, size, place))
    walks = [_ends_of_walk(cursor, sort, direction) for sort in SORTS for direction in (0, 1)]
    for milliseconds, statements, query, size, place in sorted(timed, key=lambda one: -one[0])[:slowest]:
        click.echo(
            f"{milliseconds:6.1f} ms, {statements} statements, {size} rows, {place}: {query}", err=True
        )
    whole = np.array([one[0] for one in timed])
    rows: list[dict[str, Value]] = [
        {
            "queries": "all, random",
            "count": count,
            "p50_ms": float(np.percentile(whole, 50)),
            "p99_ms": float(np.percentile(whole, 99)),
            "max_ms": float(whole.max()),
            "statements": float(np.mean([one[1] for one in timed])),
        }
    ]
    return rows + walks


def _happens(chance: random.Random, probability: float) -> bool:
    return chance.random() < probability


def _random_list(chance: random.Random, genres: list[str]) -> str:
    """A query string: a sort and a direction, and none to all of genres, rating_gt and years."""
    asked: list[tuple[str, str | int | float]] = [("sort", chance.choice(list(SORTS)))]
    if _happens(chance, 0.5):
        asked.append(("desc", 1))
    how_many = min(chance.choices((0, 1, 2, 3), (35, 45, 17, 3))[0], len(genres))
    asked += [("genre", genre) for genre in chance.sample(genres, how_many)]
    if _happens(chance, 0.5):
        asked.append(("rating_gt", chance.randrange(20, 99) / 10))
    if _happens(chance, 0.4):
        year = chance.randrange(1900, 2026)
        asked.append(("year_gte", year))
        if _happens(chance, 0.7):
            asked.append(("year_lte", year + chance.randrange(30)))
    return urlencode(asked)


def _random_place(cursor: Cursor, chance: random.Random, query_string: str) -> Place | None:
    """The first page in two of five cases; else a place anywhere in the list, all equally likely."""
    if _happens(chance, 0.4):
        return None
    query = read_query(query_string, _PARAMETERS)
    conditions = queries.conditions_of(query)
    if conditions is None:
        return None
    table_name, where, values = conditions
    column = SORTS[query["sort"]].column
    cursor.execute(f"SELECT count(*) FROM {table_name} WHERE {where}", values)
    ((matches,),) = cursor.fetchall()
    if not matches:
        return None
    order = f"{column} {'DESC' if query.get('desc') else 'ASC'} NULLS LAST, id"
    cursor.execute(
        f"SELECT {column}, id FROM {table_name} WHERE {where} ORDER BY {order} LIMIT 1 OFFSET %s",
        (*values, chance.randrange(matches)),
    )
    ((value, movie_id),) = cursor.fetchall()
    return Place(Side.AFTER, value, movie_id)


def _ends_of_walk(cursor: Cursor, sort: str, direction: int) -> dict[str, Value]:
    """How the last page of a walk through all movies compares with the first, in turn."""
    query = urlencode({"sort": sort, "desc": direction})
    column = SORTS[sort].column
    # The eleventh from the end: the last page holds ten.
    backward = f"{column} {'ASC' if direction else 'DESC'} NULLS FIRST, id DESC"
    cursor.execute(
        f"SELECT {column}, id FROM movies WHERE NOT is_adult ORDER BY {backward} LIMIT 1 OFFSET 10"
    )
    ((value, movie_id),) = cursor.fetchall()
    last = Place(Side.AFTER, value, movie_id)
    firsts, lasts = [], []
    for _ in range(_LAST_PAGE_ROUNDS):
        firsts.append(timed_page(query, 10, None)[1])
        page, milliseconds, statements = timed_page(query, 10, last)
        lasts.append(milliseconds)
    assert page.after is None
    return {
        "queries": f"walk by {sort}{' desc' if direction else ''}: first and last page",
        "count": 2 * _LAST_PAGE_ROUNDS,
        "p50_ms": median(lasts),
        "max_ms": max(lasts),
        "first_p50_ms": median(firsts),
        "statements": float(statements),
        "ratio": median(lasts) / median(firsts),
    }
