"""How fast a text finds movies, and whether it finds the ones that are meant.

The dumps' movies are made up, so well-known ones are put among them, the bundled sample's with their votes,
and beside each of them obscure namesakes: of just its title, of its title and more, and of its title with a
letter wrong. What people would write for 200 of them stands in `search_labels.tsv`.

Times are those in the database: of all statements of a page, from sending SQL to having its rows.
"""

import csv
import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import click
import numpy as np
import psycopg2
from movie_api import create_app
from movie_api.extensions import db
from movie_api.http.pages import PageAsked
from movie_api.http.parameters import Query, read_query, table
from movie_api.movies import search
from movie_api.movies.filters import LIST_PARAMETERS, SUGGEST_PARAMETERS
from movie_api.movies.words import MAXIMUM_WORDS
from movie_database.addresses import libpq_address
from movie_database.settings import checkout_root, read_settings
from movie_database.sort_keys import sort_key
from psycopg2.extras import execute_values
from sqlalchemy import event

from benchmarks.databases import catalogue, copied_database, server, server_version
from benchmarks.dumps import FOLDER
from benchmarks.queries import Stopwatch
from benchmarks.report import Value, print_and_save

LABELS: Final = Path(__file__).with_name("search_labels.tsv")
SAMPLE: Final = Path("solution/data-loader/movie_loader/sample")

_PARAMETERS: Final = table(*LIST_PARAMETERS)
_SUGGESTED: Final = table(*SUGGEST_PARAMETERS)
_WITHIN: Final = 5
_NO_FINGERPRINT: Final = b""
_MORE: Final = ("Nights", "Story", "2", "Again", "The Movie")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"

_PLANT: Final = """
INSERT INTO movies (imdb_id, source, title_type, title, original_title, title_key, year, votes, rating_tenths)
VALUES %s
"""


class Label(NamedTuple):
    """A text, the IMDb id of the movie that is meant by it, and what is hard about it."""

    text: str
    imdb_id: str
    kind: str


class Timed(NamedTuple):
    """What a text was asked for, the IMDb ids of what was found, and the milliseconds in the database."""

    text: str
    found: list[str]
    milliseconds: float


@click.command(name="search")
@click.option("--dumps", type=click.Path(path_type=Path, exists=True), default=FOLDER, show_default=True)
@click.option("--queries", "count", type=click.IntRange(1), default=2_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--misses", is_flag=True, help="Show the texts that did not find their movie first.")
@click.option("--slowest", type=click.IntRange(0), default=0, help="Show this many of the slowest.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there.")
def bench_search(
    *, dumps: Path, count: int, seed: int, misses: bool, slowest: int, json_path: Path | None
) -> None:
    """Times texts of every kind, and counts how often the movie that is meant comes first."""
    chance = random.Random(seed)
    with server() as server_url:
        source = catalogue(server_url, dumps)
        with copied_database(server_url, source, "bench_search") as url:
            with closing(psycopg2.connect(libpq_address(url))) as connection:
                _plant(connection, chance)
                texts = _texts(connection, chance, count)
            with _asking(url):
                rows = [*_scores(show_misses=misses), *_times(texts, slowest)]
        version = server_version(server_url)
    print_and_save(
        "search",
        rows,
        {
            "queries": "queries",
            "count": "number",
            "first": "right first",
            "within": f"within {_WITHIN}",
            "p50_ms": "p50 ms",
            "p99_ms": "p99 ms",
            "max_ms": "max ms",
        },
        json_path,
        postgresql_version=version,
    )


def _plant(connection: Any, chance: random.Random) -> None:
    """The sample's movies are in the database, each among obscure namesakes."""
    folder = checkout_root() / SAMPLE
    votes = {row["tconst"]: row for row in _tsv(folder / "title.ratings.tsv")}
    films = [row for row in _tsv(folder / "title.basics.tsv") if row["tconst"] in votes]
    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM movies WHERE imdb_id = ANY(%s)", ([one["tconst"] for one in films],))
        rows: list[tuple[Any, ...]] = []
        for film in films:
            rated = votes[film["tconst"]]
            title, original = film["primaryTitle"], film["originalTitle"]
            tenths = round(float(rated["averageRating"]) * 10)
            year = None if film["startYear"] == r"\N" else int(film["startYear"])
            rows.append(_row(film["tconst"], title, original, year, int(rated["numVotes"]), tenths))
            others = (title, f"{title} {chance.choice(_MORE)}", _misspelt(title, chance))
            rows += (
                _row(None, other, None, year, chance.choice([None, chance.randrange(5, 500)]), None)
                for other in others
            )
        execute_values(cursor, _PLANT, rows, page_size=len(rows))
        execute_values(
            cursor,
            "INSERT INTO movie_titles (movie_id, position, title, title_key)"
            " SELECT movies.id, given.position::smallint, given.title, given.title_key"
            " FROM (VALUES %s) AS given (imdb_id, position, title, title_key) JOIN movies USING (imdb_id)"
            " ON CONFLICT (movie_id, position) DO NOTHING",
            [
                (row["titleId"], int(row["ordering"]), row["title"], sort_key(row["title"]))
                for row in _tsv(folder / "title.akas.tsv")
            ],
        )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) movies, movie_search, search_words")


def _row(  # noqa: PLR0917
    imdb_id: str | None,
    title: str,
    original: str | None,
    year: int | None,
    votes: int | None,
    tenths: int | None,
) -> tuple[Any, ...]:
    return (imdb_id, "imdb", "movie", title, original, sort_key(title), year, votes, tenths)


def _tsv(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _misspelt(text: str, chance: random.Random) -> str:
    """The text with one of four typing errors in it: a letter too few, too many, another, two swapped."""
    place = chance.randrange(max(1, len(text) - 1))
    letter = chance.choice(_LETTERS)
    return chance.choice(
        (
            text[:place] + text[place + 1 :],
            text[:place] + letter + text[place:],
            text[:place] + letter + text[place + 1 :],
            text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :],
        )
    )


def _texts(connection: Any, chance: random.Random, count: int) -> dict[str, list[str]]:
    """Texts by their kind, made of titles that are there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT title FROM movies WHERE title <> '' ORDER BY id LIMIT %s", (count,))
        titles = [" ".join(title.split()[: MAXIMUM_WORDS // 2])[:100] for (title,) in cursor.fetchall()]
        cursor.execute("SELECT word FROM search_words ORDER BY movies DESC LIMIT 200")
        frequent = [word for (word,) in cursor.fetchall()]
    chance.shuffle(titles)
    return {
        "whole titles": titles,
        "with a typing error": [_misspelt(title, chance) for title in titles],
        "beginnings": [title[: chance.randrange(1, len(title) + 1)] for title in titles],
        "one word": [chance.choice(title.split() or [title]) for title in titles],
        "frequent words": [" ".join(chance.sample(frequent, chance.choice((1, 2, 3)))) for _ in titles],
        "one letter": [chance.choice(_LETTERS) for _ in titles[:200]],
    }


@contextmanager
def _asking(url: str) -> Iterator[None]:
    """Whoever asks in the block is timed."""
    app = create_app(read_settings(database_url=url))
    with app.test_request_context("/movies"):
        event.listen(db.engine, "connect", _time_statements)
        yield
        db.engine.dispose()


def _time_statements(connection: Any, _record: Any) -> None:
    connection.cursor_factory = Stopwatch


def _asked(text: str, ask: Callable[[str], list[dict[str, Any]]]) -> Timed:
    Stopwatch.seconds = 0.0
    found = ask(text)
    return Timed(text, [one.get("imdb_link") or "" for one in found], Stopwatch.seconds * 1e3)


def _searched(text: str) -> list[dict[str, Any]]:
    query = read_query(urlencode({"q": text}), _PARAMETERS)
    return search.search_page(query, PageAsked(10, None, None, _NO_FINGERPRINT)).items


def _suggested(text: str) -> list[dict[str, Any]]:
    query: Query = read_query(urlencode({"q": text}), _SUGGESTED)
    return search.suggestions(query)


def _scores(*, show_misses: bool) -> list[dict[str, Value]]:
    """How often the movie that is meant comes first, and within the first few."""
    labels = [Label(row["query"], row["imdb_id"], row["kind"]) for row in _tsv(LABELS)]
    ranks: dict[str, list[int | None]] = {}
    times: dict[str, list[float]] = {}
    for label in labels:
        timed = _asked(label.text, _searched)
        ids = [link.rstrip("/").rpartition("/")[2] for link in timed.found]
        rank = ids.index(label.imdb_id) if label.imdb_id in ids else None
        for kind in (label.kind, "all"):
            ranks.setdefault(kind, []).append(rank)
            times.setdefault(kind, []).append(timed.milliseconds)
        if show_misses and rank != 0:
            click.echo(f"{label.text} ({label.kind}): {rank}", err=True)
    return [
        {
            "queries": f"labelled: {kind}",
            "count": len(found),
            "first": f"{sum(rank == 0 for rank in found) / len(found):.1%}",
            "within": f"{sum(rank is not None and rank < _WITHIN for rank in found) / len(found):.1%}",
            **_percentiles(times[kind]),
        }
        for kind, found in ranks.items()
    ]


def _times(texts: dict[str, list[str]], slowest: int) -> list[dict[str, Value]]:
    rows: list[dict[str, Value]] = []
    for what, ask in (("q", _searched), ("suggest", _suggested)):
        every: list[Timed] = []
        for kind, some in texts.items():
            timed = [_asked(text, ask) for text in some if text]
            every += timed
            rows.append(
                {
                    "queries": f"{what}: {kind}",
                    "count": len(timed),
                    **_percentiles([one.milliseconds for one in timed]),
                }
            )
        rows.append(
            {
                "queries": f"{what}: all",
                "count": len(every),
                **_percentiles([one.milliseconds for one in every]),
            }
        )
        for one in sorted(every, key=lambda one: -one.milliseconds)[:slowest]:
            click.echo(f"{one.milliseconds:6.1f} ms, {what}: {one.text}", err=True)
    return rows


def _percentiles(milliseconds: list[float]) -> dict[str, Value]:
    return {
        "p50_ms": float(np.percentile(milliseconds, 50)),
        "p99_ms": float(np.percentile(milliseconds, 99)),
        "max_ms": max(milliseconds),
    }
