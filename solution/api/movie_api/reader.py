"""A connection for reads alone, which remembers how it read.

Planning a page's query takes PostgreSQL longer than running it (210 of 290 µs for the headline query), and
most callers ask for what others asked for a moment ago. So a query that comes a second time, values and all,
is prepared: planned once for just these values. A plan for any values would not do: it can't know that few
movies are rated above 9.9, and would read a whole index for them. Only where one row is found by its key,
any value has the same plan, and is read by it from the start.

PostgreSQL makes a plan anew by itself when the table's statistics or definition change.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

import psycopg2
import psycopg2.extensions

Row = tuple[Any, ...]

# A plan is some 50 kB in the server's process.
_PLANS_KEPT: Final = 100
_QUERIES_REMEMBERED: Final = 1_000
# A statement whose table changed its columns; one that is not there, or is another's: a pooler between us and
# the server gives us another of its connections.
_RESULT_CHANGED: Final = "0A000"
_STATEMENT_LOST: Final = frozenset({"26000", "42P05"})

# SQLAlchemy has UUIDs read as objects: five microseconds for each row, and callers get text anyway.
_UUID_AS_TEXT: Final = psycopg2.extensions.new_type((2950,), "UUID", lambda value, _cursor: value)


class Reader:
    """One connection, in autocommit mode: without BEGIN and ROLLBACK a read is one round trip, not three.

    Args:
        connection: The driver's; nobody else uses it.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        connection.autocommit = True
        psycopg2.extensions.register_type(_UUID_AS_TEXT, connection)
        self._cursor = connection.cursor()
        self._is_remembering = True
        self._statements = 0
        self._plans: OrderedDict[bytes, str] = OrderedDict()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._lookups: dict[str, str] = {}

    @property
    def is_gone(self) -> bool:
        """Whether the connection was lost."""
        return bool(self._connection.closed)

    def close(self) -> None:
        """The connection is closed."""
        self._connection.close()

    def rows(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        """The rows of a query.

        Raises:
            psycopg2.Error: If the server refuses it, or is gone.
        """
        query: bytes = self._cursor.mogrify(sql, parameters)
        if not self._is_remembering:
            return self._run(query)
        execute = self._plans.get(query)
        if execute is None:
            if query not in self._seen:
                self._remember(query)
                return self._run(query)
            execute = self._plan(query)
            if execute is None:
                return self._run(query)
        else:
            self._plans.move_to_end(query)
        return self._run_prepared(execute, query)

    def row_by_key(self, sql: str, key: Any) -> Row | None:
        """The row of a query by a unique key, whose one `%s` is the key; None if there is none.

        Raises:
            psycopg2.Error: If the server refuses it, or is gone.
        """
        query: bytes = self._cursor.mogrify(sql, (key,))
        if not self._is_remembering:
            rows = self._run(query)
        else:
            name = self._lookups.get(sql)
            if name is None:
                name = self._prepare(sql.replace("%s", "$1").encode())
                if name is None:
                    rows = self._run(query)
                    return rows[0] if rows else None
                self._lookups[sql] = name
            execute = self._cursor.mogrify(f"EXECUTE {name} (%s)", (key,))
            rows = self._run_prepared(execute, query)
        return rows[0] if rows else None

    def _run(self, query: bytes | str) -> list[Row]:
        self._cursor.execute(query)
        return self._cursor.fetchall()  # type: ignore[no-any-return]

    def _run_prepared(self, execute: bytes | str, query: bytes) -> list[Row]:
        try:
            return self._run(execute)
        except psycopg2.Error as error:
            if error.pgcode == _RESULT_CHANGED:
                self._forget()
            elif error.pgcode in _STATEMENT_LOST:
                self._is_remembering = False
            else:
                raise
        return self._run(query)

    def _remember(self, query: bytes) -> None:
        self._seen[query] = None
        if len(self._seen) > _QUERIES_REMEMBERED:
            self._seen.popitem(last=False)

    def _plan(self, query: bytes) -> str | None:
        """Prepares a query, in the place of the one that was not asked for longest; gives what runs it."""
        if len(self._plans) >= _PLANS_KEPT:
            _, oldest = self._plans.popitem(last=False)
            self._cursor.execute(oldest.replace("EXECUTE", "DEALLOCATE"))
        name = self._prepare(query)
        if name is None:
            return None
        del self._seen[query]
        self._plans[query] = f"EXECUTE {name}"
        return self._plans[query]

    def _prepare(self, query: bytes) -> str | None:
        """The name of a statement with this text; None if the server, or what stands before it, has none."""
        self._statements += 1
        name = f"movie_api_{self._statements}"
        try:
            self._cursor.execute(b"PREPARE " + name.encode() + b" AS " + query)
        except psycopg2.Error as error:
            if error.pgcode not in _STATEMENT_LOST:
                raise
            self._is_remembering = False
            return None
        return name

    def _forget(self) -> None:
        self._cursor.execute("DEALLOCATE ALL")
        self._plans.clear()
        self._lookups.clear()
