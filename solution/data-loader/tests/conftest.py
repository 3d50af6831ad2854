from dataclasses import dataclass, replace

import psycopg2
import pytest
from movie_database.addresses import libpq_address
from movie_loader.load import Order, load
from movie_loader.patience import Patience
from movie_loader.pipes import Stopper
from movie_loader.progress import SilentMeter
from movie_testing.dataset_server import DatasetServer
from movie_testing.tsv import rating_row, title_row, write_tsv
from psycopg2.extras import RealDictCursor

PATIENCE = Patience(timeout_seconds=0.5, retries=2, first_wait_seconds=0.02)


@dataclass
class Loads:
    """Runs whole loads into a test's own database, and looks at what came of them."""

    url: str
    order: Order

    def run(self, source=None, **changes):
        order = replace(self.order, **({"source": str(source)} if source else {}), **changes)
        return load(self.url, order, SilentMeter(), Stopper())

    def query(self, sql, *arguments):
        with psycopg2.connect(libpq_address(self.url)) as connection:
            with connection.cursor(cursor_factory=RealDictCursor) as cursor:
                cursor.execute(sql, arguments)
                rows = [dict(row) for row in cursor] if cursor.description else []
            connection.commit()
        connection.close()
        return rows

    def movies(self):
        """Every movie by IMDb id, with the names of its genres."""
        rows = self.query(
            """
            SELECT movies.*, ARRAY(
                SELECT name FROM unnest(genre_ids) WITH ORDINALITY AS ids (id, position)
                JOIN genres USING (id) ORDER BY position
            ) AS genres FROM movies ORDER BY imdb_id
            """
        )
        return {row["imdb_id"]: row for row in rows}

    def credits(self, imdb_id="tt0000001"):
        """The IMDb ids of a movie's people by role; None if it has nobody."""
        rows = self.query(
            """
            SELECT director_ids, writer_ids, cast_ids FROM movie_credits JOIN movies ON movies.id = movie_id
            WHERE imdb_id = %s
            """,
            imdb_id,
        )
        known = {row["number"]: row["imdb_id"] for row in self.query("SELECT * FROM people")}
        if not rows:
            return None
        return {role.removesuffix("_ids"): [known[one] for one in ids] for role, ids in rows[0].items()}

    def titles(self, imdb_id="tt0000001"):
        """A movie's other titles: position, title, key, region and language of each."""
        rows = self.query(
            """
            SELECT position, movie_titles.title, movie_titles.title_key, region, language
            FROM movie_titles JOIN movies ON movies.id = movie_id WHERE imdb_id = %s ORDER BY position
            """,
            imdb_id,
        )
        return [tuple(row.values()) for row in rows]

    def loads(self):
        """The row of every load, the first one first."""
        return self.query("SELECT * FROM dataset_loads ORDER BY id")

    def snapshot(self):
        """Everything that a load may change, but for what it leaves on record when it changes nothing."""
        return [
            self.query("SELECT * FROM movies ORDER BY id"),
            self.query("SELECT * FROM genres ORDER BY id"),
            self.query("SELECT * FROM dataset_loads WHERE state = 'done' ORDER BY id"),
            self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"),
            self.query("SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"),
            self.query("SELECT * FROM catalogue_changes ORDER BY id"),
            self.query("SELECT * FROM people ORDER BY id"),
            self.query("SELECT * FROM movie_credits ORDER BY movie_id"),
            self.query("SELECT * FROM movie_titles ORDER BY movie_id, position"),
        ]


@pytest.fixture
def dumps(tmp_path):
    """A folder of good dumps: one movie, rated."""
    return write_tsv(tmp_path / "dumps", basics=[title_row()], ratings=[rating_row()])


@pytest.fixture
def loads(database_url, dumps, tmp_path):
    order = Order(
        source=str(dumps),
        is_sample=False,
        title_types=("movie",),
        downloads=tmp_path / "downloads",
        patience=PATIENCE,
        # Dumps of a few rows shrink by more than 5 % with each row.
        accepts_shrink=True,
    )
    return Loads(database_url, order)


@pytest.fixture
def server(dumps):
    """A web server of the same dumps."""
    with DatasetServer() as running:
        for path in dumps.iterdir():
            running.put(path.name, path.read_bytes())
        yield running
