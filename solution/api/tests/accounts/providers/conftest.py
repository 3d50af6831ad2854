"""A provider that runs beside the program, as Google, as Apple and as a further one."""

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from movie_testing.our_clients import APP_ADDRESS, GOOGLE_WEB, add_our_clients, settings_of
from movie_testing.running_provider import RunningProvider, running_provider


class Way(NamedTuple):
    """How a client of its own gets a code: what it keeps to itself, and what it sends."""

    verifier: str
    url: str


@pytest.fixture(scope="session")
def _provider_of_all_tests() -> Iterator[RunningProvider]:
    with running_provider() as provider:
        add_our_clients(provider)
        yield provider


@pytest.fixture
def provider(_provider_of_all_tests) -> RunningProvider:
    _provider_of_all_tests.set_person(
        sub=secrets.token_hex(8), email=new_address(), email_verified=True, name="Ann"
    )
    return _provider_of_all_tests


@pytest.fixture
def own_provider() -> Iterator[RunningProvider]:
    """One that no other test has, to do it harm."""
    with running_provider() as provider:
        add_our_clients(provider)
        yield provider


@pytest.fixture
def app(make_app, provider) -> Flask:
    return make_app(**settings_of(provider))


@pytest.fixture
def browser(app) -> Callable[[], FlaskClient]:
    """Makes a browser: it keeps cookies, and goes where it is sent when it is told to."""
    return app.test_client


@pytest.fixture
def nonce(api) -> Callable[[], str]:
    return lambda: api.post("/auth/nonce").json["nonce"]


@pytest.fixture
def token_body(provider, nonce) -> Callable[..., dict]:
    """Makes the body of a sign-in by an id_token, all of it as it should be but for what is given.

    A length of time is so long from now.
    """

    def make(client_id: str = GOOGLE_WEB, *, forgery: str | None = None, **claims) -> dict:
        given = nonce()
        now = datetime.now(UTC)
        told = {"sub": secrets.token_hex(8), "nonce": given} | {
            name: int((now + one).timestamp()) if isinstance(one, timedelta) else one
            for name, one in claims.items()
        }
        return {"id_token": provider.mint(client_id, forgery=forgery, **told), "nonce": given}

    return make


@pytest.fixture
def way() -> Callable[..., Way]:
    """Makes the address at which a client of its own gets a code."""

    def make(provider: RunningProvider, client_id: str, **more: str) -> Way:
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": APP_ADDRESS,
            "scope": "openid email profile",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **more,
        }
        return Way(verifier, f"{provider.issuer}/authorize?{httpx.QueryParams(query)}")

    return make


@pytest.fixture
def code_body(provider, way) -> Callable[..., dict]:
    """Makes the body of a sign-in by a code, all of it as it should be but for what is given."""

    def make(asks: str = GOOGLE_WEB, **more) -> dict:
        made = way(provider, asks)
        return {
            "code": provider.agree(made.url)["code"],
            "code_verifier": made.verifier,
            "redirect_uri": APP_ADDRESS,
            "client_id": asks,
        } | more

    return make


def new_address() -> str:
    return f"{secrets.token_hex(6)}@example.com"
