"""What the check of a token or of an API key adds to a request.

The same requests are sent with no credentials, with a session's token and with an API key, side by side: one
of each in turn, over one connection, so that what else the machine does meanwhile is in all three.
"""

import random
import re
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

import click
import numpy as np
import psycopg2
import psycopg2.extensions
from flask import Flask
from movie_api import create_app
from movie_api.accounts import tokens
from movie_api.extensions import db
from movie_database.addresses import libpq_address
from movie_database.settings import given_settings
from sqlalchemy import event

from benchmarks.api import api
from benchmarks.clients import get_request, one_by_one
from benchmarks.databases import catalogue, server, server_version
from benchmarks.dumps import FOLDER
from benchmarks.http import HEADLINE, some_ids
from benchmarks.report import Value, print_and_save

_CALLERS: Final = ("nobody", "session", "API key")
_WARM_UP_REQUESTS: Final = 50
# So many different ones are shown; more would measure the making of requests.
_SHOWN: Final = 1_000
_EMAILS: Final = "%@bench.example"
_PREPARED: Final = re.compile(r"PREPARE (\w+) AS (.*)", re.DOTALL)
_EXECUTED: Final = re.compile(r"EXECUTE (\w+) \((.*)\)", re.DOTALL)

_MAKE_ACCOUNTS: Final = """
WITH made AS (
    INSERT INTO users (email, email_key, email_verified_at, display_name)
    SELECT email, email, now(), 'Bench'
    FROM (SELECT number || '@bench.example' AS email FROM generate_series(1, %(count)s) AS number) AS wanted
    RETURNING id
), signed_in AS (
    INSERT INTO sessions (user_id, method, expires_at)
    SELECT id, 'password', now() + interval '1 day' FROM made
), keyed AS (
    INSERT INTO api_keys (user_id, key_hash, name, hint, scopes, expires_at)
    SELECT id, sha256(convert_to(%(salt)s || id, 'UTF8')), 'bench', 'movies_', ARRAY['account:read'],
        now() + interval '1 day'
    FROM made
)
SELECT count(*) FROM made
"""
_SOME_ACCOUNTS: Final = """
SELECT users.id::text, sessions.id::text
FROM users JOIN sessions ON sessions.user_id = users.id
WHERE users.email_key LIKE %s ORDER BY random() LIMIT %s
"""


class Listener(psycopg2.extensions.cursor):
    """A cursor that keeps what was sent; what prepares a statement is made once for many, and kept apart."""

    sent: ClassVar[list[str]] = []
    prepared: ClassVar[dict[str, str]] = {}

    def execute(self, query: Any, parameters: Any = None) -> None:
        """Runs the statement and remembers it."""
        text = query.decode() if isinstance(query, bytes) else str(query)
        preparing = _PREPARED.fullmatch(text)
        if preparing:
            Listener.prepared[preparing[1]] = preparing[2]
        else:
            Listener.sent.append(text)
        super().execute(query, parameters)


class Check(NamedTuple):
    """What a check sends to the database: how many statements, and how these find their rows."""

    statements: int
    plan: list[str]

    @property
    def scans(self) -> str:
        """The scans of the plan: by which index, or of which table as a whole."""
        found = re.findall(r"Index (?:Only )?Scan using (\w+)|Seq Scan on (\w+)", "\n".join(self.plan))
        return ", ".join(index or f"all of {whole}" for index, whole in found)


@click.command()
@click.option("--dumps", type=click.Path(path_type=Path, exists=True), default=FOLDER, show_default=True)
@click.option("--accounts", "count", type=click.IntRange(1), default=100_000, show_default=True)
@click.option("--requests", type=click.IntRange(10), default=3_000, show_default=True, help="Of each kind.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there.")
def auth(*, dumps: Path, count: int, requests: int, seed: int, json_path: Path | None) -> None:
    """Times a movie and the headline list with and without a token or a key, and counts the statements."""
    secret = secrets.token_urlsafe(32)
    with server() as server_url:
        url = catalogue(server_url, dumps)
        app = create_app(given_settings(database_url=url, secret_key=secret))
        with _accounts(url, count) as salt:
            headers = _headers(app, url, salt)
            movies = [f"/movies/{one}" for one in some_ids(url)]
            checks = _checks(app, url, headers, movies[0])
            rows: list[dict[str, Value]] = []
            plans = {who: "\n".join(check.plan) for who, check in checks.items()}
            with api(url, SECRET_KEY=secret) as address:
                for name, paths in (("one movie", movies), ("headline list", [HEADLINE])):
                    taken = _milliseconds(address, paths, headers, requests, random.Random(seed))
                    rows += _rows(name, taken, checks)
        version = server_version(server_url)
    for row in rows:
        row["plan"] = plans.get(str(row["caller"]))
    print_and_save(
        f"auth, {count:,} accounts",
        rows,
        {
            "request": "request",
            "caller": "caller",
            "p50_ms": "p50 ms",
            "p99_ms": "p99 ms",
            "added_ms": "added, median ms",
            "added_p99_ms": "added, p99 ms",
            "statements": "statements added",
            "scans": "found by",
        },
        json_path,
        postgresql_version=version,
    )
    for who, plan in plans.items():
        click.echo(f"\nThe look-up of a caller by {who}:\n{plan}")


@contextmanager
def _accounts(url: str, count: int) -> Iterator[str]:
    """So many accounts, each with a session and a key, are there for the block; gives the keys' salt."""
    salt = f"movies_{secrets.token_hex(8)}"
    with closing(psycopg2.connect(libpq_address(url))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        forget = "DELETE FROM users WHERE email_key LIKE %s"
        cursor.execute(forget, (_EMAILS,))
        cursor.execute(_MAKE_ACCOUNTS, {"count": count, "salt": salt})
        for table in ("users", "sessions", "api_keys"):
            cursor.execute(f"VACUUM ANALYZE {table}")
        try:
            yield salt
        finally:
            cursor.execute(forget, (_EMAILS,))


def _headers(app: Flask, url: str, salt: str) -> dict[str, list[dict[str, str]]]:
    """What callers of each kind send, of different accounts."""
    with closing(psycopg2.connect(libpq_address(url))) as connection, connection.cursor() as cursor:
        cursor.execute(_SOME_ACCOUNTS, (_EMAILS, _SHOWN))
        some = cursor.fetchall()
    with app.app_context():
        shown = [tokens.make(user_id, session_id, session_id).access for user_id, session_id in some]
    return {
        "nobody": [{}],
        "session": [{"Authorization": f"Bearer {token}"} for token in shown],
        "API key": [{"Authorization": f"Bearer {salt}{user_id}"} for user_id, _ in some],
    }


def _checks(app: Flask, url: str, headers: dict[str, list[dict[str, str]]], path: str) -> dict[str, Check]:
    """What the check of each kind of caller sends, beside what the request itself does."""

    def use_listener(connection: Any, _record: Any) -> None:
        connection.cursor_factory = Listener

    with app.app_context():
        event.listen(db.engine, "connect", use_listener)
    client = app.test_client()

    def sent(one: dict[str, str]) -> list[str]:
        Listener.sent.clear()
        answer = client.get(path, headers=one)
        assert answer.status_code == 200, answer.text  # noqa: PLR2004
        return list(Listener.sent)

    for some in headers.values():
        sent(some[0])
    alone = len(sent({}))
    found = {}
    with closing(psycopg2.connect(libpq_address(url))) as connection, connection.cursor() as cursor:
        for who in _CALLERS[1:]:
            statements = sent(headers[who][-1])
            added = len(statements) - alone
            plan = []
            for executed in filter(None, map(_EXECUTED.fullmatch, statements[:added])):
                query = Listener.prepared[executed[1]].replace("$1", executed[2])
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {query}")
                plan += [line for (line,) in cursor.fetchall()]
            found[who] = Check(added, plan)
    with app.app_context():
        db.engine.dispose()
    return found


def _milliseconds(
    address: tuple[str, int],
    paths: list[str],
    headers: dict[str, list[dict[str, str]]],
    count: int,
    random_: random.Random,
) -> dict[str, np.ndarray[Any, Any]]:
    """Milliseconds of each request, by caller; the order of the three is another each time."""
    order, requests = [], []
    for number in range(count + _WARM_UP_REQUESTS):
        for who in random_.sample(_CALLERS, len(_CALLERS)):
            some = headers[who]
            order.append(who)
            requests.append(get_request(address, paths[number % len(paths)], some[number % len(some)]))
    timed = one_by_one(address, requests)
    if timed.failed:
        raise click.ClickException(f"{timed.failed} of {len(requests)} requests were not answered by 200")
    taken: dict[str, list[float]] = {who: [] for who in _CALLERS}
    for who, seconds in zip(order, timed.latencies, strict=True):
        taken[who].append(seconds * 1e3)
    return {who: np.array(some[_WARM_UP_REQUESTS:]) for who, some in taken.items()}


def _rows(
    name: str, taken: dict[str, np.ndarray[Any, Any]], checks: dict[str, Check]
) -> Iterator[dict[str, Value]]:
    nobody = taken["nobody"]
    for who, milliseconds in taken.items():
        row: dict[str, Value] = {
            "request": name,
            "caller": who,
            "p50_ms": float(np.median(milliseconds)),
            "p99_ms": float(np.percentile(milliseconds, 99)),
            "requests": len(milliseconds),
        }
        if who in checks:
            row |= {
                # Of each and the one without credentials beside it.
                "added_ms": float(np.median(milliseconds - nobody)),
                "added_p99_ms": float(np.percentile(milliseconds, 99) - np.percentile(nobody, 99)),
                "statements": checks[who].statements,
                "scans": checks[who].scans,
            }
        yield row
