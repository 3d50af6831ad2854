"""For schemathesis: who asks, and what few that are made up are good: cursors, ids, tokens, passwords.

Which text is a cursor or a token is what its signature says, not its pattern; which id is in a list or a
load's, the database knows; which day is in the calendar and which password is weak, no pattern says.

The role that asks is `MOVIE_ROLE`, of a session that is signed in now; without it, nobody. What ends a
session or uses up an account is asked by an account of its own each time, or all that comes after it would be
a 401.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg2
import schemathesis
from flask import Flask
from movie_api import create_app
from movie_api.accounts import tokens
from movie_database.addresses import libpq_address
from movie_database.settings import given_settings
from movie_testing.factories.accounts import PASSWORD, Account, AccountFactory
from movie_testing.factories.movies import MovieFactory
from schemathesis import GenerationMode

ROLE = os.environ.get("MOVIE_ROLE")
DATABASE_URL = os.environ["DATABASE_URL"]
OF_A_PERSON = "/people/{id}/movies"
LISTS = ("/movies", "/movies/changes", "/dataset/loads", "/people", OF_A_PERSON)
FROM_ANSWERS = {"cursor", "after_id", "since"}
END_A_SESSION = {"sign_out", "delete_user", "change_password", "end_session"}
IF_MATCH = {"$ref": "#/components/parameters/IfMatch"}
USE_UP_AN_ACCOUNT = {"make_key", "revoke_key", "unlink_identity"}

app: Flask = create_app(given_settings(database_url=DATABASE_URL, secret_key=os.environ["SECRET_KEY"]))
accounts = AccountFactory(DATABASE_URL)
by_header: dict[str, Account] = {}


def header_of(account: Account) -> str:
    """What a request of a new session of this account carries."""
    session_id, refresh_id = accounts.session(account)
    with app.app_context():
        header = f"Bearer {tokens.make(account.id, session_id, refresh_id).access}"
    by_header[header] = account
    return header


@cache
def header_of_the_role() -> str:
    return header_of(accounts.create(role=ROLE or "user"))


@cache
def somebody_else() -> Account:
    return accounts.create()


def is_stateful(case: schemathesis.Case) -> bool:
    """Whether ids and tokens are of an answer before."""
    return case.meta is not None and case.meta.phase.name.name == "STATEFUL"


class Session:
    """Who asks, in a header that schemathesis leaves out where it looks whether one is needed."""

    def get(self, case: schemathesis.Case, _context: Any) -> str:
        operation_id = case.operation.definition.raw["operationId"]
        is_used_up = operation_id in USE_UP_AN_ACCOUNT and not is_stateful(case)
        if operation_id in END_A_SESSION or is_used_up:
            return header_of(accounts.create(role=ROLE or "user"))
        return header_of_the_role()

    def set(self, case: schemathesis.Case, data: str, _context: Any) -> None:
        case.headers["Authorization"] = data


if ROLE is not None:
    schemathesis.auth(refresh_interval=None)(Session)


@schemathesis.hook
def before_call(_context, case, **_kwargs) -> None:
    """Puts what is good in the place of what was made up to be valid."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if case.path in ("/movies", "/suggest") and case.query and "q" in case.query:
        # Ten words at most, however they are divided.
        case.query["q"] = case.query["q"][:20]
    if case.path in LISTS and case.method == "GET":
        case.query = list_query(case)
    operation_id = case.operation.definition.raw["operationId"]
    if operation_id == "list_history" and case.query:
        # A movie that has a second page is not there at once.
        case.query.pop("cursor", None)
    if isinstance(case.body, dict):
        known = GOOD_FIELDS.get(operation_id, dict)()
        case.body = {name: known.get(name, strong(name, value)) for name, value in case.body.items()}
    account = by_header.get(case.headers.get("Authorization", ""))
    if operation_id in GOOD_IDS and account is not None and not is_stateful(case):
        case.path_parameters = {"id": GOOD_IDS[operation_id](account)}
    if operation_id in GOOD_PATHS and account is not None and not is_stateful(case):
        case.path_parameters = GOOD_PATHS[operation_id]()
    if IF_MATCH in case.operation.definition.raw.get("parameters", []) and account is not None:
        # Which version is there, no pattern says.
        case.headers["If-Match"] = "*"


def list_query(case: schemathesis.Case) -> dict[str, Any]:
    """The query, with a real cursor or id for one that was made up."""
    query = dict(case.query or {})
    if case.path == "/movies" and query.get("sort", "relevance") == "relevance":
        # An order that has one way, and is for lists with a text.
        query.pop("desc", None)
        if "q" not in query:
            query["sort"] = "title"
    if not FROM_ANSWERS & query.keys():
        return query
    if "since" in query:
        query["since"] = "2026-11-24T02:00:00Z" if "-" in query["since"] else "1"
    cursor, after_id = query.pop("cursor", None), query.pop("after_id", None)
    if case.path == OF_A_PERSON:
        # One of whom there are movies; of others, there are no places.
        case.path_parameters = {"id": "nm0634240"}
    base_url = case.operation.schema.get_base_url().removesuffix("..").rstrip("/")
    path = case.path.format(**(case.path_parameters or {}))
    answer = httpx.get(f"{base_url}{path}", params={**query, "page_size": 1})
    answer.raise_for_status()
    following = answer.links.get("next")
    if cursor is not None and following is not None:
        query["cursor"] = parse_qs(urlsplit(following["url"]).query)["cursor"][0]
    elif after_id is not None and answer.json():
        query["after_id"] = answer.json()[0]["id"]
    return query


def strong(name: str, value: Any) -> Any:
    """A password as long as the one that was made up, and not as weak; all else as it is."""
    if name in ("password", "new_password") and isinstance(value, str):
        return secrets.token_urlsafe(len(value))[: len(value)]
    return value


def refresh_token() -> str:
    account = somebody_else()
    session_id, refresh_id = accounts.session(account)
    with app.app_context():
        return tokens.make(account.id, session_id, refresh_id).refresh


def mailed(kind: str, account: Account | None = None) -> str:
    """The token of a mail of this kind, to an account or to somebody new."""
    token = secrets.token_urlsafe(32)
    connection = psycopg2.connect(libpq_address(DATABASE_URL))
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO mails (kind, address, user_id, display_name, password_hash, token_hash, expires_at)"
            " VALUES (%s, %s, %s, 'Ann', 'x', %s, now() + interval '1 hour')",
            (
                kind,
                account.email if account else new_email(),
                account.id if account else None,
                hashlib.sha256(token.encode()).digest(),
            ),
        )
    connection.close()
    return token


def new_email() -> str:
    return f"{secrets.token_hex(6)}@example.com"


def key_id(account: Account) -> str:
    connection = psycopg2.connect(libpq_address(DATABASE_URL))
    accounts.key(account)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT id::text FROM api_keys WHERE user_id = %s", (account.id,))
        (one,) = cursor.fetchone()
    connection.close()
    return one


def new_movie(source: str = "api", overrides: str | None = None) -> str:
    """The id of a movie that nothing else is asked for."""
    with MovieFactory(DATABASE_URL) as movies:
        made = movies.create(imdb_id=None, source=source)
    connection = psycopg2.connect(libpq_address(DATABASE_URL))
    with connection, connection.cursor() as cursor:
        if overrides is not None:
            cursor.execute(
                "INSERT INTO movie_overrides (movie_id, field, dumped) VALUES (%s, %s, '\"x\"')",
                (made.id, overrides),
            )
            cursor.execute(
                "UPDATE movies SET overrides = ARRAY[%s], retired_at = CASE %s WHEN 'deleted' THEN now() END"
                " WHERE id = %s",
                (overrides, overrides, made.id),
            )
    connection.close()
    return made.id


def new_genre() -> int:
    connection = psycopg2.connect(libpq_address(DATABASE_URL))
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO genres (name) VALUES (%s) RETURNING id", (secrets.token_hex(8),))
        (one,) = cursor.fetchone()
    connection.close()
    return one


GOOD_FIELDS: dict[str, Callable[[], dict[str, Any]]] = {
    "merge_genres": lambda: {"into": new_genre()},
    "register": lambda: {"email": new_email()},
    "change_email": lambda: {"email": new_email()},
    "sign_in": lambda: {"email": somebody_else().email, "password": PASSWORD},
    "change_password": lambda: {"current_password": PASSWORD},
    "refresh": lambda: {"refresh_token": refresh_token()},
    "verify_token": lambda: {"token": header_of(somebody_else()).removeprefix("Bearer ")},
    "confirm_reset": lambda: {"token": mailed("reset", accounts.create())},
    "verify_email": lambda: {"token": mailed("registration")},
}
GOOD_IDS: dict[str, Callable[[Account], str]] = {
    "end_session": lambda account: accounts.session(account)[0],
    "revoke_key": key_id,
    "unlink_identity": accounts.identity,
}
GOOD_PATHS: dict[str, Callable[[], dict[str, Any]]] = {
    "delete_movie": lambda: {"id": new_movie()},
    "restore_movie": lambda: {"id": new_movie(overrides="deleted")},
    "drop_override": lambda: {"id": new_movie("imdb", overrides="title"), "field": "title"},
    "rename_genre": lambda: {"id": new_genre()},
    "delete_genre": lambda: {"id": new_genre()},
    "merge_genres": lambda: {"id": new_genre()},
}
