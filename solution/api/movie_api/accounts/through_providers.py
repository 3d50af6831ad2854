"""Signing in through a provider: from what a client or a browser brings, to who that is.

What a provider says is believed once its token is checked; who that is here, `queries.identities` tells.
"""

import secrets
from typing import Any, Final

import orjson
from flask import current_app
from movie_database.settings import Settings
from pydantic import TypeAdapter, ValidationError

from movie_api.accounts import oidc, providers, sealing, userinfo
from movie_api.accounts.fetching import text_of
from movie_api.accounts.oidc import Claims, Exchanged
from movie_api.accounts.providers import Provider
from movie_api.accounts.queries import attempts, identities
from movie_api.accounts.queries.attempts import Attempt
from movie_api.accounts.queries.identities import Person
from movie_api.accounts.schemas import MAXIMUM_NAME_CHARACTERS, Email, Name, ProviderSignIn
from movie_api.http.problems import INVALID_BODY, Fault, Problem

SECRET_BYTES: Final = 32
_NO_NAME: Final = "User"
_EMAIL: Final[TypeAdapter[str]] = TypeAdapter(Email)
_NAME: Final[TypeAdapter[str]] = TypeAdapter(Name)


def settings() -> Settings:
    """Those of the program."""
    known: Settings = current_app.extensions["settings"]
    return known


def person_of_client(provider: Provider, given: ProviderSignIn) -> Person:
    """Who signed in at the provider, by what a client of its own got there.

    Raises:
        Problem: What it got is not good, or not whole; or the provider is away.
    """
    _check_given(provider, given)
    claims = None
    if given.id_token is not None:
        claims = oidc.check_token(provider, given.id_token, nonce=given.nonce, client_id=given.client_id)
    if given.nonce is not None and not attempts.use_nonce(given.nonce):
        raise oidc.refused("The nonce is none that was given out here, was used, or is out of date.")
    exchanged = None
    client_id = given.client_id or (_client_of(provider, claims) if claims else provider.client_ids[0])
    # Where tokens alone are taken, a code beside one is no more than what the provider's apps send anyway.
    if given.code is not None and (provider.exchanges_codes or claims is None):
        providers.require_codes(provider)
        exchanged = oidc.exchange_code(
            provider,
            client_id,
            given.code,
            verifier=given.code_verifier,
            redirect_uri=given.redirect_uri or None,
        )
        nonce = given.nonce if claims is None else None
        given_back = oidc.check_token(provider, exchanged.id_token, nonce=nonce, client_id=client_id)
        if claims is not None and claims["sub"] != given_back["sub"]:
            raise oidc.refused("The token and the code are of two persons.")
        # What comes straight from the provider is the newer.
        given_back = userinfo.with_more(provider, given_back, exchanged.access_token)
        claims = userinfo.merged(given_back, claims or {})
    if claims is None:
        raise AssertionError("a body with neither token nor code is refused")
    return _person(provider, claims, client_id, exchanged, given.display_name)


def person_of_browser(
    provider: Provider, attempt: Attempt, answer: dict[str, str], redirect_uri: str
) -> Person:
    """Who signed in at the provider, by what it sent the browser back with.

    Args:
        provider: Which.
        attempt: What the browser was sent there with.
        answer: What it brings back.
        redirect_uri: Where it was to come back to.

    Raises:
        Problem: The provider signed nobody in, or what it says is not good; or it is away.
    """
    oidc.check_answering_issuer(provider, answer.get("iss"))
    if "error" in answer or "code" not in answer:
        raise oidc.refused(f"{provider.title} signed nobody in.")
    client_id = provider.client_ids[0]
    exchanged = oidc.exchange_code(
        provider, client_id, answer["code"], verifier=attempt.code_verifier, redirect_uri=redirect_uri
    )
    claims = oidc.check_token(provider, exchanged.id_token, nonce=attempt.nonce, client_id=client_id)
    claims = userinfo.with_more(provider, claims, exchanged.access_token)
    return _person(provider, claims, client_id, exchanged, _posted_name(answer))


def find_user(person: Person, link_user_id: str | None) -> Any:
    """The row of the user that the person is, or is linked to now.

    Raises:
        Problem: It can't be.
    """
    if link_user_id is not None:
        return identities.link(person, link_user_id)
    return identities.sign_in(person, may_register=settings().registration)


def new_secret() -> str:
    """256 bits that nobody guesses; as a verifier, just what RFC 7636 asks for."""
    return secrets.token_urlsafe(SECRET_BYTES)


def _check_given(provider: Provider, given: ProviderSignIn) -> None:
    """Nothing, if the body has what this kind of sign-in needs.

    Raises:
        Problem: With every fault.
    """
    faults = []
    if given.id_token is None and given.code is None:
        faults.append(Fault("body", "id_token", "is required where there is no code"))
    if given.id_token is not None and given.nonce is None:
        faults.append(Fault("body", "nonce", "is required with an id_token"))
    is_vouched_for = provider.vouches_alone and given.id_token is not None
    if given.code is not None and given.code_verifier is None and not is_vouched_for:
        faults.append(Fault("body", "code_verifier", "is required with a code"))
    if given.redirect_uri and given.redirect_uri not in settings().oauth_redirect_uris:
        faults.append(Fault("body", "redirect_uri", "is none that this server allows"))
    if given.client_id is not None and given.client_id not in provider.client_ids:
        faults.append(Fault("body", "client_id", "is none that this server knows"))
    if faults:
        named = ", ".join(fault.field for fault in faults)
        raise Problem(INVALID_BODY, f"The body can't be used as it is: {named}.", faults)


def _client_of(provider: Provider, claims: Claims) -> str:
    """The client of ours that a token was made for, and so the code beside it."""
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    return next(known for known in provider.client_ids if known in audiences)


def _person(
    provider: Provider, claims: Claims, client_id: str, exchanged: Exchanged | None, told_name: str | None
) -> Person:
    email = _valid(_EMAIL, text_of(claims, "email"))
    sealed = None
    if exchanged is not None and exchanged.refresh_token is not None and oidc.takes_back(provider):
        sealed = sealing.seal(settings(), exchanged.refresh_token)
    return Person(
        provider.name,
        claims["sub"],
        email,
        email is not None and _is_true(claims.get("email_verified")),
        _name(text_of(claims, "name"))
        or _name(told_name)
        or _name(email.partition("@")[0] if email else None)
        or _NO_NAME,
        client_id,
        sealed,
    )


def _is_true(claim: object) -> bool:
    """Whether a claim says yes; Apple writes it as a text."""
    return claim is True or claim == "true"


def _posted_name(answer: dict[str, str]) -> str | None:
    """The name that Apple has posted, the first time alone: `{"name": {"firstName": …, "lastName": …}}`."""
    try:
        user = orjson.loads(answer.get("user", "null"))
    except orjson.JSONDecodeError:
        return None
    names = user.get("name") if isinstance(user, dict) else None
    if not isinstance(names, dict):
        return None
    return " ".join(filter(None, (text_of(names, "firstName"), text_of(names, "lastName")))) or None


def _name(text: str | None) -> str | None:
    """The text as a name, without what a name must not have."""
    if text is None:
        return None
    printable = "".join(one if one.isprintable() else " " for one in text)
    return _valid(_NAME, " ".join(printable.split())[:MAXIMUM_NAME_CHARACTERS].strip())


def _valid(kind: TypeAdapter[str], text: str | None) -> str | None:
    """The text, if it is of this kind."""
    if text is None:
        return None
    try:
        return kind.validate_python(text)
    except ValidationError:
        return None
