"""The counters of limits in PostgreSQL: one row each, in a table that costs no write-ahead log.

Times are the database's: the clocks of several hosts differ.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from flask import g
from limits.storage import Storage
from sqlalchemy import text

from movie_api.database import read, read_one, write
from movie_api.http.problems import Problem

SCHEME: Final = "movie-api"
"""What Flask-Limiter knows the storage by."""

# One moment for the whole statement, so that a window never ends between two of its terms. Whoever waited for
# another's row counts in the window that was open when it came.
_ADD_TO_WINDOW: Final = """
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN held.expires_at <= statement_timestamp() THEN excluded.count
        ELSE greatest(least(held.count, 1000000000) + excluded.count, 0) END,
    expires_at = CASE WHEN held.expires_at <= statement_timestamp() THEN excluded.expires_at
        ELSE held.expires_at END
"""
# In order, so that two that count the same rows wait for each other, and never both.
_TAKE: Final = text(f"""
INSERT INTO rate_limits AS held (key, count, expires_at)
SELECT key, 1, statement_timestamp() + seconds * interval '1 s'
FROM unnest(CAST(:keys AS text[]), CAST(:seconds AS float8[])) AS asked (key, seconds)
ORDER BY key
{_ADD_TO_WINDOW}
RETURNING key, count, expires_at, extract(epoch FROM expires_at - statement_timestamp())::float8
""")  # noqa: S608  a part of our own
_GIVE_BACK: Final = text("""
WITH held AS (
    SELECT rate_limits.key
    FROM rate_limits
    JOIN unnest(CAST(:keys AS text[]), CAST(:ends AS timestamptz[])) AS taken (key, expires_at)
        USING (key, expires_at)
    ORDER BY rate_limits.key
    FOR UPDATE OF rate_limits
)
UPDATE rate_limits SET count = greatest(count - 1, 0) FROM held WHERE rate_limits.key = held.key
""")
# Its values are one parameter, so that its plan is made once; one round trip, for it may be every request's.
_INCREASE: Final = f"""
WITH asked AS (SELECT CAST(%s AS text[]) AS given)
INSERT INTO rate_limits AS held (key, count, expires_at)
SELECT given[1], greatest(given[3]::integer, 0), statement_timestamp() + given[2]::float8 * interval '1 s'
FROM asked
{_ADD_TO_WINDOW.replace("+ excluded.count", "+ (SELECT given[3]::integer FROM asked)")}
RETURNING count, extract(epoch FROM expires_at - statement_timestamp())::float8
"""  # noqa: S608  a part of our own
_LOOK: Final = (
    "SELECT count, extract(epoch FROM expires_at)::float8 FROM rate_limits"
    " WHERE key = %s AND expires_at > statement_timestamp()"
)


class Asked(NamedTuple):
    """A counter that one more is to be counted on.

    Attributes:
        key: Names it.
        most: More than these are too many.
        seconds: In so long.
    """

    key: str
    most: int
    seconds: float


class Counted(NamedTuple):
    """What a counter shows.

    Attributes:
        times: So many in this window, with the one that is being counted.
        seconds_left: Until the window is over.
        ends_at: When that is, by the database's clock; None where nobody asks.
    """

    times: int
    seconds_left: float
    ends_at: datetime | None = None


class TooManyError(Exception):
    """One of the counters has too many already, so that nothing was counted.

    Attributes:
        counted: What each would have shown.
    """

    def __init__(self, counted: list[Counted]) -> None:
        super().__init__("too many")
        self.counted = counted


def take(asked: Sequence[Asked]) -> list[Counted]:
    """One more on each counter, or on none.

    Raises:
        TooManyError: There were as many as allowed on one of them.
        Problem: The database is away.
    """
    keys = [_row_key(one.key) for one in asked]
    with write() as connection:
        rows = connection.execute(_TAKE, {"keys": keys, "seconds": [one.seconds for one in asked]}).all()
        by_key = {row[0]: Counted(row[1], row[3], row[2]) for row in rows}
        counted = [by_key[key] for key in keys]
        if any(shown.times > one.most for shown, one in zip(counted, asked, strict=True)):
            # Rolled back: whoever is refused takes nothing from others, nor from itself later.
            raise TooManyError(counted)
    return counted


def give_back(asked: Sequence[Asked], counted: Sequence[Counted]) -> None:
    """One less on each counter, where its window is still the same.

    Raises:
        Problem: The database is away.
    """
    with write() as connection:
        connection.execute(
            _GIVE_BACK,
            {"keys": [_row_key(one.key) for one in asked], "ends": [one.ends_at for one in counted]},
        )


def last_counted(key: str) -> Counted | None:
    """What a counter showed when this request was counted on it; None: it was not."""
    counted: dict[str, Counted] = g.get("counted_by_limits", {})
    return counted.get(key)


class PostgresStorage(Storage):
    """What `limits` counts on, in the table that `take` counts on too; within the context of the program.

    Args:
        uri: As Flask-Limiter names it; nothing is read from it, for there is one database.
        **options: Of Flask-Limiter.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 - the class above declares it so

    def __init__(self, uri: str | None = None, **options: Any) -> None:
        super().__init__(uri, **options)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the storage raises when it can't count: an answer of ours already."""
        return Problem

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """The count, with the amount; where it is negative, it is never less than none.

        Args:
            key: Names the counter.
            expiry: How many seconds a window lasts that begins now.
            amount: So many more.

        Raises:
            Problem: The database is away.
        """
        row = read_one(_INCREASE, [_row_key(key), str(expiry), str(amount)])
        if row is None:
            raise AssertionError("an upsert gives its row")
        if "counted_by_limits" not in g:
            g.counted_by_limits = {}
        g.counted_by_limits[key] = Counted(*row)
        return int(row[0])

    def get(self, key: str) -> int:
        """The count of the window that goes on; none where there is no such window."""
        row = read_one(_LOOK, _row_key(key))
        return int(row[0]) if row else 0

    def get_expiry(self, key: str) -> float:
        """When the window is over, in seconds since 1970; 0 where there is none."""
        row = read_one(_LOOK, _row_key(key))
        return float(row[1]) if row else 0.0

    def check(self) -> bool:
        """Whether the database answers."""
        try:
            read("SELECT 1")
        except Problem:
            return False
        return True

    def reset(self) -> int:
        """Everybody begins anew; gives how many counters there were."""
        with write() as connection:
            return connection.execute(text("DELETE FROM rate_limits")).rowcount

    def clear(self, key: str) -> None:
        """The counter begins anew."""
        with write() as connection:
            connection.execute(text("DELETE FROM rate_limits WHERE key = :key"), {"key": _row_key(key)})


def _row_key(key: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).rstrip(b"=").decode()
