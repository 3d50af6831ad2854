"""Makes rows of loads straight in the database."""

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import psycopg2
from movie_database.addresses import libpq_address
from psycopg2.extras import Json


class LoadFactory:
    """Makes loads in one database; a context manager that closes its connection."""

    def __init__(self, database_url: str) -> None:
        self._connection = psycopg2.connect(libpq_address(database_url))
        self._connection.autocommit = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def create(self, *, publishes: bool = False, **columns: Any) -> int:
        """One load, done just now unless something else is said; gives its id.

        Args:
            publishes: Whether it began a generation.
            **columns: Of `dataset_loads`; `files`, `rejected` and `phases` as JSON has them.
        """
        state = columns.get("state", "done")
        now = datetime.now(UTC)
        finished_at = columns.get("finished_at", None if state == "running" else now)
        values = {
            "started_at": (finished_at or now) - timedelta(seconds=40),
            "finished_at": finished_at,
            "source": "https://datasets.imdbws.com/",
            "is_sample": False,
            "title_types": ["movie"],
            "error": "It went wrong." if state in ("refused", "failed") else None,
        }
        if state == "done":
            values |= {"movie_rows": 3, "genre_rows": 2, "rating_rows": 1, "report": {}}
        values |= columns
        stored = [Json(value) if name in _JSON else value for name, value in values.items()]
        names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO dataset_loads ({names}) VALUES ({marks}) RETURNING id", stored)
            (load_id,) = cursor.fetchone() or ()
            if publishes:
                cursor.execute("SELECT catalogue_publish(nextval('catalogue_change_ids'), %s)", (load_id,))
        return int(load_id)


_JSON = frozenset({"files", "rejected", "phases", "report"})
