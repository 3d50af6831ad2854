"""The contract of accounts and the program say the same, each way."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import movie_api
import pytest
import yaml
from movie_api.accounts import schemas, tokens
from movie_api.accounts.queries.keys import MAXIMUM_KEYS
from movie_api.accounts.queries.sessions import MAXIMUM_SESSIONS
from movie_api.accounts.routes.provider_pages import LONGEST_NEXT, NEXT_PATTERN
from movie_api.http.access import ROLES, SCOPES, Rule, rule_of
from movie_api.http.paths import uuid_of
from movie_api.http.problems import Problem
from movie_database.settings import SettingsError, given_settings

CONTRACT = yaml.safe_load((Path(movie_api.__file__).parent / "openapi.yaml").read_text("utf-8"))
SCHEMAS = CONTRACT["components"]["schemas"]
OPERATIONS = {
    operation["operationId"]: operation
    for methods in CONTRACT["paths"].values()
    for operation in methods.values()
}
BODIES = {
    body["schema"]["$ref"].rpartition("/")[2]
    for path, methods in CONTRACT["paths"].items()
    if path.startswith("/auth")
    for operation in methods.values()
    for kind, body in operation.get("requestBody", {}).get("content", {}).items()
    if kind == "application/json"
}
NOW = datetime(2026, 11, 24, 9, 12, 3, tzinfo=UTC)
USER = SimpleNamespace(
    id=1, email=None, email_verified_at=None, display_name="", role="", has_password=True, created_at=NOW
)
SESSION = SimpleNamespace(
    id=1, method="", signed_in_at=NOW, refreshed_at=NOW, expires_at=NOW, address=None, user_agent=None
)
KEY = SimpleNamespace(id=1, name="", hint="", scopes=[], created_at=NOW, expires_at=NOW, revoked_at=None)
IDENTITY = SimpleNamespace(id=1, provider="", email=None, linked_at=NOW, used_at=NOW)


def test_every_operation_says_whom_it_is_for():
    silent = {name for name, one in OPERATIONS.items() if not {"x-access", "security"} <= one.keys()}
    assert silent == set()


def test_every_view_says_whom_it_is_for(app):
    assert [name for name, view in app.view_functions.items() if rule_of(view) is None] == []


def test_the_contract_and_the_views_say_the_same_of_whom_they_are_for(app):
    views = {name.rpartition(".")[2]: rule_of(view) for name, view in app.view_functions.items()}
    told = {
        name: Rule(
            access["role"],
            access["scope"],
            access["fresh"],
            is_page=security == [],
            is_open_for_demonstrations=name == "create_movie",
        )
        for name, access, security in (
            (name, one["x-access"], one["security"]) for name, one in OPERATIONS.items()
        )
    }
    assert told == {name: views[name] for name in told}


def test_what_needs_an_account_is_never_open_without_credentials():
    known = [{"bearerAuth": []}, {"cookieAuth": []}]
    odd = [
        name
        for name, one in OPERATIONS.items()
        if one["security"] not in ([known] if one["x-access"]["role"] else [[{}, *known], []])
    ]
    assert odd == []


def bounds(name: str) -> tuple[int, int]:
    return SCHEMAS[name]["minLength"], SCHEMAS[name]["maxLength"]


def resolved(schema: dict) -> dict:
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


@pytest.mark.parametrize("name", sorted(BODIES))
def test_the_fields_of_a_body_are_the_same_in_contract_and_schema(name):
    fields = getattr(schemas, name).model_fields
    assert list(SCHEMAS[name]["properties"]) == list(fields)
    assert SCHEMAS[name].get("required", []) == [key for key, one in fields.items() if one.is_required()]
    assert SCHEMAS[name]["additionalProperties"] is False


@pytest.mark.parametrize("name", sorted(BODIES))
def test_the_defaults_of_a_body_are_the_same_in_contract_and_schema(name):
    told = {field: resolved(given).get("default") for field, given in SCHEMAS[name]["properties"].items()}
    known = {
        field: None if one.is_required() else one.default
        for field, one in getattr(schemas, name).model_fields.items()
    }
    assert told == known


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("User", schemas.user(USER)),
        ("Session", schemas.session(SESSION, None)),
        ("Key", schemas.api_key(KEY)),
        ("NewlyMadeKey", schemas.api_key(KEY, "movies_x")),
        ("Identity", schemas.identity(IDENTITY)),
    ],
)
def test_the_fields_of_an_answer_are_the_same_in_contract_and_program(name, answer):
    assert SCHEMAS[name]["required"] == list(answer) == list(SCHEMAS[name]["properties"])


def test_lengths_are_the_same_in_contract_and_schemas():
    assert SCHEMAS["Email"]["maxLength"] == schemas.MAXIMUM_EMAIL_CHARACTERS
    assert bounds("KnownEmail") == (1, schemas.MAXIMUM_EMAIL_CHARACTERS)
    assert bounds("Password") == (schemas.MINIMUM_PASSWORD_CHARACTERS, schemas.MAXIMUM_PASSWORD_CHARACTERS)
    assert bounds("KnownPassword") == (1, schemas.MAXIMUM_PASSWORD_CHARACTERS)
    assert bounds("Name") == (1, schemas.MAXIMUM_NAME_CHARACTERS)
    assert bounds("Token") == bounds("TokenOrNull") == (1, schemas.MAXIMUM_TOKEN_CHARACTERS)
    assert SCHEMAS["OwnPath"]["maxLength"] == LONGEST_NEXT


def test_patterns_are_the_same_in_contract_and_program():
    assert SCHEMAS["Name"]["pattern"] == schemas.NAME_PATTERN
    assert SCHEMAS["OwnPath"]["pattern"] == NEXT_PATTERN


def test_the_bounds_of_a_key_are_the_same_in_contract_and_schema():
    days = SCHEMAS["NewKey"]["properties"]["days"]
    assert (days["minimum"], days["maximum"]) == (1, schemas.MAXIMUM_KEY_DAYS)
    assert days["default"] == schemas.DEFAULT_KEY_DAYS


def test_roles_and_scopes_are_the_same_in_contract_and_program():
    assert (SCHEMAS["Role"]["enum"], SCHEMAS["Scope"]["enum"]) == (list(ROLES), list(SCOPES))


def test_lists_are_as_long_as_the_contract_says():
    def most(path: str) -> int:
        content = CONTRACT["paths"][path]["get"]["responses"]["200"]["content"]
        return content["application/json"]["schema"]["maxItems"]

    assert (most("/auth/sessions"), most("/auth/keys")) == (MAXIMUM_SESSIONS, 2 * MAXIMUM_KEYS)


@pytest.mark.parametrize(
    "text", ["4f9b7d0e-2c53-4f0a-9a55-0d8f1f5f7c21", "4F9B7D0E2C534F0A9A550D8F1F5F7C21", "7"]
)
def test_what_is_an_id_is_the_same_in_contract_and_program(text):
    matches = re.search(SCHEMAS["EntryId"]["pattern"], text) is not None
    try:
        is_read = uuid_of(text) == text.lower()
    except Problem:
        is_read = False
    assert is_read == matches


@pytest.mark.parametrize("name", ["example", "a1", "a" * 30, "a" * 31, "a-b", ""])
def test_what_is_a_providers_name_is_the_same_in_contract_and_settings(name):
    matches = re.search(SCHEMAS["ProviderName"]["pattern"], name) is not None
    try:
        is_taken = bool(given_settings(oidc={name: {"issuer": "https://x.example", "client_id": "x"}}).oidc)
    except SettingsError:
        is_taken = False
    assert is_taken == matches


def test_the_cookie_and_the_header_are_those_of_the_program():
    assert CONTRACT["components"]["securitySchemes"]["cookieAuth"]["name"] == tokens.ACCESS_COOKIE
    assert CONTRACT["components"]["parameters"]["CsrfToken"]["name"] == tokens.CSRF_HEADER
