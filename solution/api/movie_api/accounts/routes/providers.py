"""Signing in by what a client of its own got from a provider, and the identities of an account."""

from typing import Any

from flask import Blueprint, Response, current_app

from movie_api import limits
from movie_api.accounts import guard, oidc, providers, schemas, signing_in, through_providers, tokens
from movie_api.accounts.providers import Provider
from movie_api.accounts.queries import attempts, identities
from movie_api.accounts.tokens import Tokens
from movie_api.http.access import Caller, caller, needs, public, signed_in
from movie_api.http.addresses import whole
from movie_api.http.answers import json_answer
from movie_api.http.bodies import read_body
from movie_api.http.conditional import never_kept
from movie_api.http.parameters import Query, table, takes
from movie_api.http.paths import uuid_of
from movie_api.http.problems import NOT_ALLOWED, Problem

routes = Blueprint("providers", __name__)


@routes.get("/auth/providers")
@takes(table())
@public
@never_kept
def list_providers(_query: Query) -> Response:
    """Those that a browser can sign in through, and where it begins."""
    return json_answer(
        [
            {"name": one.name, "title": one.title, "start": whole(f"{one.path}/start")}
            for one in providers.all_of(through_providers.settings())
            if one.exchanges_codes
        ]
    )


@routes.post("/auth/nonce")
@takes(table())
@public
def make_nonce(_query: Query) -> Response:
    """A nonce to ask a provider for a token with; it is good once."""
    limits.spend("nonce")
    nonce = through_providers.new_secret()
    attempts.keep_nonce(nonce)
    return json_answer({"nonce": nonce, "expires_in": attempts.NONCE_SECONDS}, 201)


@routes.post("/auth/google")
@takes(table())
@public
def sign_in_with_google(_query: Query) -> Response:
    """The caller is who Google says, and has tokens of a new session."""
    return _sign_in(providers.GOOGLE)


@routes.post("/auth/apple")
@takes(table())
@public
def sign_in_with_apple(_query: Query) -> Response:
    """The caller is who Apple says, and has tokens of a new session."""
    return _sign_in(providers.APPLE)


@routes.post("/auth/oidc/<name>")
@takes(table())
@public
def sign_in_with_oidc(_query: Query, name: str) -> Response:
    """The caller is who this provider says, and has tokens of a new session."""
    return _sign_in(providers.OIDC_PREFIX + name)


@routes.get("/auth/identities")
@takes(table())
@needs("user", scope="account:read")
@never_kept
def list_identities(_query: Query) -> Response:
    """The accounts at providers that sign the caller in."""
    return json_answer([schemas.identity(one) for one in identities.all_of(signed_in().user_id)])


@routes.delete("/auth/identities/<identity_id>")
@takes(table())
@needs("user", fresh=True)
def unlink_identity(_query: Query, identity_id: str) -> Response:
    """One of them signs the caller in no more."""
    names = [one.name for one in providers.all_of(through_providers.settings())]
    identities.unlink(signed_in(), uuid_of(identity_id), names)
    return Response(status=204)


def linking_caller() -> Caller:
    """Who asks to have an identity linked.

    Raises:
        Problem: Nobody who may: it opens an account, so it takes a sign-in of the last minutes.
    """
    known = caller()
    if known is None:
        raise tokens.sign_in_needed()
    if known.key_id is not None:
        raise Problem(NOT_ALLOWED, "No API key may do this, whatever its scopes: sign in.")
    guard.require_fresh(known)
    return known


def begin_session(user: Any, provider: Provider) -> Tokens:
    """The tokens of a new session of this user, who signed in through the provider.

    Raises:
        Problem: The account was disabled, or deleted, just now.
    """
    made = signing_in.begin_session(user, provider.name)
    if made is None:
        raise oidc.refused("The account is disabled, or gone.")
    return made


def _sign_in(name: str) -> Response:
    provider = providers.find(current_app.extensions["settings"], name)
    given = read_body(schemas.ProviderSignIn)
    link_user_id = linking_caller().user_id if given.link else None
    spent = limits.spend("sign_in")
    person = through_providers.person_of_client(provider, given)
    user = through_providers.find_user(person, link_user_id)
    made = begin_session(user, provider)
    spent.give_back()
    return signing_in.answer(user, made, in_cookies=given.cookies)
