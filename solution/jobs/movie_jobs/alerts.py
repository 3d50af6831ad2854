"""Alerts: one a cause, and one when it is well again. Their state is the table `alerts`.

A cause's row is inserted in a transaction that ends when people were told. So of several processes one
tells and the others find the row; and if it could not tell, or died in the middle, the row was never
there, and the cause's next occurrence tries again.
"""

import contextlib
import logging
from collections.abc import Iterator
from typing import Final

import psycopg2
import structlog
from movie_database.connections import connected
from movie_database.errors import DatabaseError
from movie_database.settings import Settings
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from movie_jobs.delivery import PATIENCE_SECONDS, Delivery, Kind, send

# Whoever waits for a row waits for somebody who tells, and is done in this time.
_LOCK_SECONDS: Final = PATIENCE_SECONDS + 5

_log = structlog.get_logger(__name__)


def raise_alert(url: str, settings: Settings, cause: str, message: str) -> None:
    """The cause was told, now or earlier, and is on record until it is cleared. Never fails.

    Args:
        url: SQLAlchemy's address of the database.
        settings: Say who is told.
        cause: The same words for the same cause, such as `load:source_unreachable`.
        message: What is wrong and what can be done, for people.
    """
    try:
        with _transaction(url) as cursor:
            cursor.execute(
                "INSERT INTO alerts (cause, message) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING true",
                (cause, message),
            )
            if cursor.fetchone() is not None and not _tell(settings, cause, message, "failure"):
                cursor.connection.rollback()
    except (DatabaseError, psycopg2.Error) as error:
        # Told twice is better than not at all.
        _log.warning("The state of alerts is out of reach", error=" ".join(str(error).split()))
        _tell(settings, cause, message, "failure")


def clear_alerts(url: str, settings: Settings, prefix: str, message: str) -> None:
    """No alert is open whose cause is the prefix or begins with it and a colon. Never fails.

    Args:
        url: SQLAlchemy's address of the database.
        settings: Say who is told, once, if there was such an alert.
        prefix: Of the causes: `load` ends `load` and `load:killed`, not `loads`.
        message: That it is well again, for people.
    """
    try:
        with _transaction(url) as cursor:
            cursor.execute(
                "DELETE FROM alerts WHERE cause = %s OR starts_with(cause, %s) RETURNING cause",
                (prefix, f"{prefix}:"),
            )
            causes = sorted(cause for (cause,) in cursor)
            if causes and not _tell(settings, ", ".join(causes), message, "success"):
                cursor.connection.rollback()
    except (DatabaseError, psycopg2.Error) as error:
        _log.warning("The state of alerts is out of reach", error=" ".join(str(error).split()))


def is_alerted(url: str, cause: str) -> bool:
    """Whether people were told of this very cause, and nobody that it is over."""
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM alerts WHERE cause = %s)", (cause,))
        return cursor.fetchone() == (True,)


def send_test(settings: Settings) -> list[Delivery]:
    """What became of a test message at each address."""
    return send(settings.alert_urls, "Movie API: test", "Alerts of the movie API arrive here.", "info")


@contextlib.contextmanager
def _transaction(url: str) -> Iterator[Cursor]:
    """A transaction that is taken back if the block fails, or if it says so."""
    with connected(url) as connection:
        connection.autocommit = False
        with connection, connection.cursor() as cursor:
            # It stays open while people are told, which an operator's limit must not cut short.
            cursor.execute(
                f"SET LOCAL lock_timeout = '{_LOCK_SECONDS:g}s';"
                " SET LOCAL idle_in_transaction_session_timeout = 0"
            )
            yield cursor


def _tell(settings: Settings, cause: str, message: str, kind: Kind) -> bool:
    """Whether anybody was told; the log is, always."""
    is_well = kind == "success"
    _log.log(
        logging.INFO if is_well else logging.ERROR,
        "Well again" if is_well else "Alert",
        cause=cause,
        reason=message,
    )
    title = f"Movie API: {'well again, ' if is_well else ''}{cause}"
    deliveries = send(settings.alert_urls, title, message, kind)
    for delivery in deliveries:
        if delivery.reason is not None:
            _log.warning("An alert did not arrive", cause=cause, to=delivery.place, error=delivery.reason)
    return not deliveries or any(delivery.reason is None for delivery in deliveries)
