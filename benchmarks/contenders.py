"""Ways to load the dumps that the product's own is measured beside, each a process of its own.

`python -m benchmarks.contenders floor|naive …`
"""

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import click
import pandas as pd
import psycopg2
from isal import igzip
from movie_database.addresses import libpq_address
from movie_testing.dumps import RATINGS_FILE, TITLES_FILE
from movie_testing.people_dumps import CREW_FILE, NAMES_FILE
from sqlalchemy import create_engine

TABLES: Final = ("genres", "movies", "movie_genres", "people", "movie_credits")
_BLOCK_BYTES: Final = 1 << 20


class Phases:
    """Seconds by name, printed as JSON when all is done."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Times the block."""
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)

    def print(self) -> None:
        """Prints what was timed."""
        print(json.dumps(self.seconds))


@click.group()
def main() -> None:
    """Other ways to load the dumps."""


@main.command()
@click.argument("url")
@click.argument("dumps", type=click.Path(path_type=Path))
@click.argument("ready", type=click.Path(path_type=Path))
def floor(url: str, dumps: Path, ready: Path) -> None:
    """No load can be faster: unpack, COPY rows that are ready, build the same indexes.

    URL is a migrated, empty database; READY holds a file of each of `TABLES`.
    """
    phases = Phases()
    with phases.phase("gunzip"):
        for name in (TITLES_FILE, RATINGS_FILE, CREW_FILE, NAMES_FILE):
            unpacked: Any = igzip.IGzipFile(dumps / name)  # type: ignore[no-untyped-call]
            with unpacked as file:
                while file.read(_BLOCK_BYTES):
                    pass
    with closing(psycopg2.connect(libpq_address(url))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT catalogue_drop_listing_indexes()")
        cursor.execute("SELECT catalogue_drop_credit_indexes(), catalogue_drop_title_indexes()")
        # With the keys that refer to it, of tables that stay empty here.
        cursor.execute("ALTER TABLE movies DROP CONSTRAINT movies_pkey CASCADE")
        cursor.execute("DROP INDEX movies_imdb_id_key")
        cursor.execute("ALTER TABLE movies DISABLE TRIGGER USER")
        connection.commit()
        with phases.phase("copy"):
            for table in TABLES:
                with (ready / f"{table}.copy").open("rb") as file:
                    cursor.copy_expert(f"COPY {table} FROM STDIN", file)
        with phases.phase("indexes"):
            cursor.execute("ALTER TABLE movies ADD CONSTRAINT movies_pkey PRIMARY KEY (id)")
            cursor.execute("CREATE UNIQUE INDEX movies_imdb_id_key ON movies (imdb_id)")
            for kind in ("listing", "credit", "title"):
                cursor.execute(f"SELECT catalogue_create_{kind}_indexes()")
            connection.commit()
    phases.print()


@main.command()
@click.argument("url")
@click.argument("dumps", type=click.Path(path_type=Path))
def naive(url: str, dumps: Path) -> None:
    """How most projects do it: the whole file into pandas, and `to_sql`. URL is an empty database."""
    phases = Phases()
    with phases.phase("read_csv"):
        titles = pd.read_csv(dumps / TITLES_FILE, sep="\t", na_values="\\N", low_memory=False)
        ratings = pd.read_csv(dumps / RATINGS_FILE, sep="\t", na_values="\\N")
    with phases.phase("transform"):
        movies = titles[titles["titleType"] == "movie"].merge(ratings, on="tconst", how="left")
        genres = movies[["tconst", "genres"]].dropna()
        genres = genres.assign(genres=genres["genres"].str.split(",")).explode("genres")
    engine = create_engine(url)
    for name, frame in (("movies", movies), ("genres", genres)):
        with phases.phase(f"to_sql {name}"):
            frame.to_sql(name, engine, index=False, method="multi", chunksize=1000)
    engine.dispose()
    phases.print()


if __name__ == "__main__":
    main()
