"""Procrastinate's way to the database, with patience: by itself, a query that is lost ends the worker."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import psycopg
from movie_database import addresses
from movie_database.connections import CONNECT_TIMEOUT_SECONDS
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException

Result = TypeVar("Result")

# Connection exceptions, and a server that is shut down or was just started.
AWAY_CODES: Final = ("08", "57P")
_POOL_SECONDS: Final = 2.0
# The pool's own attempts grow ever rarer; after this time it begins anew.
_RECONNECT_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.25


class PatientConnector(PsycopgConnector):
    """Tries a query again while the database is away, for a limited time.

    Each of Procrastinate's queries can be sent twice: a heartbeat is the same, a tick is put there once,
    and a job that was fetched in an answer that was lost is found by `queue.take_up_stalled`.

    Attributes:
        patience_seconds: How long the database may be away.
    """

    def __init__(self, url: str, size: int, patience_seconds: float) -> None:
        super().__init__(
            conninfo=addresses.libpq_address(url),
            kwargs={"application_name": "movie_jobs", "connect_timeout": CONNECT_TIMEOUT_SECONDS},
            min_size=1,
            max_size=size,
            timeout=min(patience_seconds, _POOL_SECONDS),
            reconnect_timeout=_RECONNECT_SECONDS,
        )
        self.patience_seconds = patience_seconds

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Runs a query that answers nothing."""
        return await self._patiently(super().execute_query_async, query, arguments)

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """The one row that the query answers."""
        return await self._patiently(super().execute_query_one_async, query, arguments)

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """All rows that the query answers."""
        return await self._patiently(super().execute_query_all_async, query, arguments)

    async def _patiently(
        self, execute: Callable[..., Awaitable[Result]], query: Any, arguments: dict[str, Any]
    ) -> Result:
        began_at = time.monotonic()
        while True:
            try:
                return await execute(query, **arguments)
            except ConnectorException as error:
                if not _is_away(error.__cause__):
                    raise
                if time.monotonic() - began_at > self.patience_seconds:
                    self.patience_seconds = 0  # what is still to be said on the way out need not wait
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)


def _is_away(cause: BaseException | None) -> bool:
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    # No code: the connection broke, or could not be made.
    return cause.sqlstate is None or cause.sqlstate.startswith(AWAY_CODES)
