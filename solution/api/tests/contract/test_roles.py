"""Who may do what: every operation of the contract, asked by everybody, answers as its `x-access` says.

What is expected is made of the contract alone: an operation that is new is asked here without a line of ours,
unless it needs something to be there.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import flask_jwt_extended as jwt_extended
import movie_api
import psycopg2
import pytest
import yaml
from flask import Flask
from movie_api import create_app
from movie_api.accounts import tokens
from movie_api.extensions import db
from movie_api.http.access import ROLES, SCOPES
from movie_api.http.problems import KINDS
from movie_database import addresses
from movie_database.addresses import libpq_address
from movie_database.settings import given_settings
from movie_testing import databases
from movie_testing.factories.accounts import Account, AccountFactory
from movie_testing.factories.loads import LoadFactory
from movie_testing.factories.movies import MovieFactory
from movie_testing.factories.people import PersonFactory

CONTRACT = yaml.safe_load((Path(movie_api.__file__).parent / "openapi.yaml").read_text("utf-8"))
METHODS = {"get", "post", "put", "patch", "delete"}
READS = {"get"}
RANKS = {role: rank for rank, role in enumerate((None, *ROLES))}
STALE_MINUTES = 16
NO_LIMITS = dict.fromkeys(
    (
        "sign_in_limit",
        "sign_in_address_limit",
        "registration_limit",
        "reset_limit",
        "reset_address_limit",
    )
)


class Operation(NamedTuple):
    """One of the contract's."""

    path: str
    method: str
    told: dict[str, Any]

    @property
    def id(self) -> str:
        return self.told["operationId"]

    @property
    def role(self) -> str | None:
        return self.told["x-access"]["role"]

    @property
    def scope(self) -> str | None:
        return self.told["x-access"]["scope"]

    @property
    def is_fresh(self) -> bool:
        return self.told["x-access"]["fresh"]

    @property
    def is_page(self) -> bool:
        """Whether what a browser sends along is not looked at."""
        return self.told["security"] == []

    @property
    def success(self) -> int:
        """What it answers here to whom it lets in: no provider is set up."""
        if "NoSuchProvider" in str(self.told["responses"].get("404")):
            return 404
        return min(int(status) for status in self.told["responses"])


OPERATIONS = {
    operation["operationId"]: Operation(path, method, operation)
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
    if method in METHODS
}


class Caller(NamedTuple):
    """Somebody who asks: the role of the account, and what is sent of it."""

    role: str | None
    sends: Callable[["World", Account, Operation], dict[str, str]]
    is_bad: bool = False
    is_stale: bool = False
    scopes: Callable[[Operation], set[str]] | None = None
    has_cookies: bool = False
    proves_a_write: bool = True


class World:
    """The program, and what there is in its database."""

    def __init__(self, app: Flask, accounts: AccountFactory, cursor: Any) -> None:
        self.app = app
        self.accounts = accounts
        self._cursor = cursor

    def run(self, statement: str, *values: Any) -> Any:
        """The first row that the statement gives, if there is one."""
        self._cursor.execute(statement, values)
        return self._cursor.fetchone() if self._cursor.description else None

    def token(self, account: Account, *, minutes_ago: float = 0, **more: Any) -> str:
        """An access token of a new session of the account's."""
        session_id, _ = self.accounts.session(account, signed_in_minutes_ago=minutes_ago)
        with self.app.app_context():
            return jwt_extended.create_access_token(account.id, additional_claims={"sid": session_id}, **more)

    def mailed(self, kind: str, account: Account | None = None) -> str:
        """The token of a mail of this kind, to an account or to somebody new."""
        token = secrets.token_urlsafe(32)
        self.run(
            "INSERT INTO mails (kind, address, user_id, display_name, password_hash, token_hash, expires_at)"
            " VALUES (%s, %s, %s, 'Ann', 'x', %s, now() + interval '1 hour')",
            kind,
            account.email if account else f"{secrets.token_hex(6)}@example.com",
            account.id if account else None,
            hashlib.sha256(token.encode()).digest(),
        )
        return token


def by_token(**more: Any) -> Callable[..., dict[str, str]]:
    return lambda world, account, _: {"Authorization": f"Bearer {world.token(account, **more)}"}


def in_a_session_that(
    column: str, carry: Callable[..., dict[str, str]] | None = None
) -> Callable[..., dict[str, str]]:
    def send(world: World, account: Account, _: Operation) -> dict[str, str]:
        headers = (carry or by_token())(world, account, _)
        world.run(f"UPDATE sessions SET {column} = now() - interval '1 s' WHERE user_id = %s", account.id)
        return headers

    return send


def of_a_disabled_account(world: World, account: Account, _: Operation) -> dict[str, str]:
    headers = by_token()(world, account, _)
    world.accounts.disable(account)
    return headers


def by_key(
    scopes: Callable[[Operation], set[str]], spoil: str | None = None
) -> Callable[..., dict[str, str]]:
    def send(world: World, account: Account, operation: Operation) -> dict[str, str]:
        key = world.accounts.key(account, sorted(scopes(operation)))
        if spoil:
            world.run(f"UPDATE api_keys SET {spoil} = now() - interval '1 s' WHERE user_id = %s", account.id)
        return {"Authorization": f"Bearer {key}"}

    return send


def in_cookies(*, with_proof: bool = True) -> Callable[..., dict[str, str]]:
    def send(world: World, account: Account, _: Operation) -> dict[str, str]:
        token = world.token(account)
        headers = {"Cookie": f"{tokens.ACCESS_COOKIE}={token}"}
        with world.app.app_context():
            proof = jwt_extended.get_csrf_token(token)
        return headers | ({tokens.CSRF_HEADER: proof} if with_proof else {})

    return send


def every_scope(_: Operation) -> set[str]:
    return set(SCOPES)


def the_scope(operation: Operation) -> set[str]:
    return {operation.scope} - {None}


def other_scopes(operation: Operation) -> set[str]:
    return set(SCOPES) - {operation.scope}


# Where the role is not what it is about, it is the one that may do everything.
CALLERS = {
    "nobody": Caller(None, lambda *_: {}),
    **{role: Caller(role, by_token()) for role in ROLES},
    "disabled": Caller("admin", of_a_disabled_account, is_bad=True),
    "token expired": Caller("admin", by_token(expires_delta=timedelta(seconds=-1)), is_bad=True),
    "session revoked": Caller("admin", in_a_session_that("ended_at"), is_bad=True),
    "session expired": Caller("admin", in_a_session_that("expires_at"), is_bad=True),
    "signed in long ago": Caller("admin", by_token(minutes_ago=STALE_MINUTES), is_stale=True),
    "cookie": Caller("admin", in_cookies(), has_cookies=True),
    "cookie without proof": Caller(
        "admin", in_cookies(with_proof=False), has_cookies=True, proves_a_write=False
    ),
    "cookie of a revoked session": Caller(
        "admin", in_a_session_that("ended_at", in_cookies()), has_cookies=True, is_bad=True
    ),
    "key with the scope": Caller("admin", by_key(the_scope), scopes=the_scope),
    "key with other scopes": Caller("admin", by_key(other_scopes), scopes=other_scopes),
    "key of a user": Caller("user", by_key(every_scope), scopes=every_scope),
    "key revoked": Caller("admin", by_key(every_scope, "revoked_at"), is_bad=True),
    "key expired": Caller("admin", by_key(every_scope, "expires_at"), is_bad=True),
}


def expected(operation: Operation, caller: Caller) -> tuple[int, str | None]:
    """The status, and the kind of problem where the guard refuses."""
    kind = refusal(operation, caller)
    return (operation.success, None) if kind is None else (int(KINDS[kind].status), kind)


def refusal(operation: Operation, caller: Caller) -> str | None:
    """Why the guard refuses; None: it does not."""
    is_write = operation.method not in READS
    needs_account = operation.role is not None
    if operation.is_page or (caller.has_cookies and is_write and not needs_account):
        # Cookies are sent along whether or not they are meant: who signs in is not kept out by them.
        return None
    has_scope = caller.scopes is None or operation.scope in caller.scopes(operation)
    reasons = (
        ("bad-token", caller.is_bad),
        ("csrf-token-missing", is_write and not caller.proves_a_write),
        ("sign-in-needed", needs_account and caller.role is None),
        ("not-allowed", needs_account and not has_scope),
        ("not-allowed", RANKS[caller.role] < RANKS[operation.role]),
        ("sign-in-again", operation.is_fresh and caller.is_stale),
    )
    return next((kind for kind, is_so in reasons if is_so), None)


# What must be there, beside what an operation's example says: fields of the body, or the id in the path.
NEEDED: dict[str, Callable[[World, Account], dict[str, Any]]] = {
    "sign_in": lambda _, account: {"email": account.email, "password": account.password},
    "change_password": lambda _, account: {"current_password": account.password},
    "verify_token": lambda world, account: {"token": world.token(account)},
    "refresh": lambda world, account: {"refresh_token": refresh_token(world, account)},
    "confirm_reset": lambda world, account: {"token": world.mailed("reset", account)},
    "verify_email": lambda world, _: {"token": world.mailed("registration")},
    "end_session": lambda world, account: {"id": world.accounts.session(account)[0]},
    "revoke_key": lambda world, account: {"id": key_id(world, account)},
    "get_genre": lambda world, _: {"id": genre(world)},
    "create_genre": lambda *_: {"name": secrets.token_hex(6)},
    "rename_genre": lambda world, _: {"id": genre(world), "name": secrets.token_hex(6)},
    "delete_genre": lambda world, _: {"id": genre(world)},
    "merge_genres": lambda world, _: {"id": genre(world), "into": genre(world)},
    "delete_movie": lambda world, _: {"id": movie(world)},
    "restore_movie": lambda world, _: {"id": deleted_movie(world)},
    "drop_override": lambda world, _: {"id": overridden_movie(world)},
    "unlink_identity": lambda world, account: {"id": world.accounts.identity(account)},
}


def refresh_token(world: World, account: Account) -> str:
    session_id, refresh_id = world.accounts.session(account)
    with world.app.app_context():
        return tokens.make(account.id, session_id, refresh_id).refresh


def deleted_movie(world: World) -> str:
    """A movie that an editor deleted."""
    (one,) = world.run(
        "INSERT INTO movies (source, title_type, title, title_key, retired_at, overrides)"
        " VALUES ('api', 'movie', 'x', 'x', now(), '{deleted}') RETURNING id::text"
    )
    world.run("INSERT INTO movie_overrides (movie_id, field, dumped) VALUES (%s, 'deleted', 'null')", one)
    return one


def overridden_movie(world: World) -> str:
    """A movie from the dumps that has another title here."""
    (one,) = world.run(
        "INSERT INTO movies (source, title_type, title, title_key, overrides)"
        " VALUES ('imdb', 'movie', 'x', 'x', '{title}') RETURNING id::text"
    )
    world.run("INSERT INTO movie_overrides (movie_id, field, dumped) VALUES (%s, 'title', '\"y\"')", one)
    return one


def movie(world: World) -> str:
    """A movie that nothing else is asked for."""
    (one,) = world.run(
        "INSERT INTO movies (source, title_type, title, title_key)"
        " VALUES ('api', 'movie', 'x', 'x') RETURNING id::text"
    )
    return one


def genre(world: World) -> int:
    """A genre that no movie has."""
    (one,) = world.run("INSERT INTO genres (name) VALUES (%s) RETURNING id", secrets.token_hex(6))
    return one


def key_id(world: World, account: Account) -> str:
    world.accounts.key(account)
    (one,) = world.run("SELECT id::text FROM api_keys WHERE user_id = %s", account.id)
    return one


def conditions_of(operation: Operation) -> dict[str, str]:
    """The headers without which a write says not what it has seen."""
    given = [parameter.get("$ref", "") for parameter in operation.told.get("parameters", [])]
    return {"If-Match": "*"} if "#/components/parameters/IfMatch" in given else {}


def request_of(operation: Operation, needed: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The address and the body, of the contract's examples and what is needed beside them."""
    path = operation.path
    for parameter in operation.told.get("parameters", []):
        if parameter.get("in") == "path":
            value = needed.get(parameter["name"], parameter["example"])
            path = path.replace(f"{{{parameter['name']}}}", str(value))
        elif parameter.get("required"):
            path += f"?{urlencode({parameter['name']: parameter['example']})}"
    content = operation.told.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        in_path = {one.get("name") for one in operation.told.get("parameters", [])}
        fields = {name: value for name, value in needed.items() if name not in in_path}
        return path, {"json": content["application/json"]["example"] | fields}
    if content:
        return path, {"data": next(iter(content.values()))["example"]}
    return path, {}


@pytest.fixture(scope="module")
def world(server_url, _server, _template, tmp_path_factory) -> Iterator[World]:
    """One program for all that is asked here: each caller is new, and none needs what another left."""
    name = f"roles_{secrets.token_hex(4)}"
    databases.create_database(_server, name, _template)
    url = addresses.with_database(server_url, name)
    app = create_app(given_settings(database_url=url, data_dir=tmp_path_factory.mktemp("roles"), **NO_LIMITS))
    with (
        AccountFactory(url) as accounts,
        MovieFactory(url) as movies,
        PersonFactory(url) as people,
        LoadFactory(url) as loads,
        closing(psycopg2.connect(libpq_address(url))) as connection,
    ):
        connection.autocommit = True
        movies.create(imdb_id="tt0468569")
        people.create(imdb_id="nm0634240")
        loads.create()
        # Every other admin may go.
        accounts.create(role="admin")
        with connection.cursor() as cursor:
            yield World(app, accounts, cursor)
        with app.app_context():
            db.engine.dispose()
            reader = app.extensions["readers"].reader
            if reader is not None:
                reader.close()
    databases.drop_database(_server, name)


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_an_operation_lets_in_whom_the_contract_says(world, operation_id, who):
    operation, caller = OPERATIONS[operation_id], CALLERS[who]
    account = world.accounts.create(role=caller.role or "user")
    headers = caller.sends(world, account, operation) | conditions_of(operation)
    needed = NEEDED.get(operation_id, lambda *_: {})(world, account)
    address, body = request_of(operation, needed)
    answer = world.app.test_client(use_cookies=False).open(
        address, method=operation.method, headers=headers, base_url="http://127.0.0.1:5000", **body
    )
    problem = (answer.json or {}).get("type", "") if answer.status_code in (401, 403) else ""
    told = (answer.status_code, problem.rpartition("/")[2] or None)
    assert told == expected(operation, caller), answer.text


@pytest.mark.parametrize("operation_id", [one.id for one in OPERATIONS.values() if not one.is_page])
def test_a_refusal_of_the_guard_is_in_the_contract(operation_id):
    operation = OPERATIONS[operation_id]
    refusals = {expected(operation, caller) for caller in CALLERS.values()} - {(operation.success, None)}
    assert {(status, kind) for status, kind in refusals if kind not in kinds_of(operation, status)} == set()


def kinds_of(operation: Operation, status: int) -> dict[str, Any]:
    """The kinds of problem that the contract shows under a status."""
    given = operation.told["responses"].get(str(status), {})
    if "$ref" in given:
        given = CONTRACT["components"]["responses"][given["$ref"].rpartition("/")[2]]
    return given.get("content", {}).get("application/problem+json", {}).get("examples", {})
