"""OpenID Connect, our side of it: tokens are checked, codes exchanged, refresh tokens given back.

Source: OpenID Connect Core 1.0, sections 3.1.2 to 3.1.3; RFC 7636 (PKCE); RFC 7009 (revocation).
"""

import hashlib
from typing import Any, Final, NamedTuple

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, ClaimError, JoseError, MissingClaimError

from movie_api.accounts import discovery, fetching
from movie_api.accounts.fetching import text_of
from movie_api.accounts.providers import Provider
from movie_api.http.problems import CHALLENGE, PROVIDER_REFUSED, Problem

LEEWAY_SECONDS: Final = 60
_HINT: Final = "refresh_token"
_LONGEST_SUBJECT: Final = 255
# What a token endpoint calls a code that it does not take. Source: RFC 6749, section 5.2.
_OF_THE_CODE: Final = ("invalid_grant", "invalid_request")
_WRONG: Final = {
    "iss": "The token is of another issuer.",
    "aud": "The token is for another audience.",
    "azp": "The token was made for another client.",
    "exp": "The token is out of date.",
    "iat": "The token says to be made in the future.",
    "nbf": "The token is not good yet.",
    "sub": "The token does not say whose it is.",
    "nonce": "The token has another nonce.",
}
_MISSING: Final = {
    "iss": "The token does not say who issued it.",
    "aud": "The token does not say whom it is for.",
    "exp": "The token does not say until when it is good.",
    "iat": "The token does not say when it was made.",
    "sub": "The token does not say whose it is.",
    "nonce": "The token has no nonce.",
}

Claims = dict[str, Any]


class Exchanged(NamedTuple):
    """What a provider gave for a code.

    Attributes:
        id_token: Who signed in, unread.
        access_token: With which it tells more of the person, if there is one.
        refresh_token: One to be given back in the end, if there is one.
    """

    id_token: str
    access_token: str | None
    refresh_token: str | None


def refused(detail: str) -> Problem:
    """The refusal of what came from a provider."""
    return Problem(PROVIDER_REFUSED, detail, headers=CHALLENGE)


def check_token(provider: Provider, token: str, *, nonce: str | None, client_id: str | None = None) -> Claims:
    """What the token says, if every word of it is the provider's, for us, and now.

    Args:
        provider: Whose it must be.
        token: The id_token.
        nonce: What it was asked for with; None: it need not have one.
        client_id: Which client of ours it must be for; None: any.

    Raises:
        Problem: It is not good, with the reason; or the provider is away.
    """
    claims = _verified(provider, token)
    audiences = (client_id,) if client_id else provider.client_ids
    registry = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "values": list(provider.token_issuers)},
        sub={"essential": True},
        aud={"essential": True, "values": list(audiences)},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        registry.validate(claims)
    except MissingClaimError as error:
        raise refused(_MISSING[error.claim.split(",")[0]]) from None
    except ClaimError as error:
        raise refused(_WRONG.get(error.claim, "The token is not good.")) from None
    _check_parties(provider, claims)
    if len(claims["sub"]) > _LONGEST_SUBJECT or "\0" in claims["sub"]:
        raise refused(_WRONG["sub"])
    if nonce is not None:
        told = claims.get("nonce")
        if not told:
            raise refused(_MISSING["nonce"])
        # Apple's own examples have apps send the hash to Apple, and the nonce itself to their server.
        if told not in (nonce, hashlib.sha256(nonce.encode()).hexdigest()):
            raise refused(_WRONG["nonce"])
    return claims


def exchange_code(
    provider: Provider, client_id: str, code: str, *, verifier: str | None, redirect_uri: str | None
) -> Exchanged:
    """What the provider gives for the code.

    Args:
        provider: Whose code it is.
        client_id: For which client of ours.
        code: The code.
        verifier: What its challenge was made of; None: it was asked for without.
        redirect_uri: Where it was sent to; None: to no address.

    Raises:
        Problem: It is refused, or the provider is away.
    """
    found = discovery.of(provider.issuer)
    url = found.address("token_endpoint")
    values = {"code": code, "code_verifier": verifier, "redirect_uri": redirect_uri}
    try:
        with _session(provider, client_id) as session:
            given: dict[str, Any] = session.fetch_token(
                url,
                grant_type="authorization_code",
                allow_redirects=False,
                **{name: value for name, value in values.items() if value},
            )
    except OAuthError as error:
        if error.error not in _OF_THE_CODE:
            # Nothing that the caller can do anything about: it does not take us for its client, say.
            raise fetching.away(provider.issuer, f"it answered {str(error.error)[:50]!r} to a code") from None
        raise refused("The provider does not take the code, or not with this verifier and address.") from None
    except (requests.RequestException, ValueError, TypeError) as error:
        raise fetching.away(provider.issuer, error) from None
    token = text_of(given, "id_token")
    if token is None:
        raise fetching.away(provider.issuer, "it gave no id_token for a code")
    return Exchanged(token, text_of(given, "access_token"), text_of(given, "refresh_token"))


def authorization_url(provider: Provider, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
    """Where the browser is sent to sign in.

    Raises:
        Problem: The provider is away.
    """
    url = discovery.of(provider.issuer).address("authorization_endpoint")
    more = {"response_mode": "form_post"} if provider.posts_callback else {}
    with _session(provider, provider.client_ids[0]) as session:
        made: tuple[str, str] = session.create_authorization_url(
            url, state=state, nonce=nonce, code_verifier=verifier, redirect_uri=redirect_uri, **more
        )
    return made[0]


def check_answering_issuer(provider: Provider, issuer: str | None) -> None:
    """Nothing, if it was this provider that sent the browser back, as far as that is told.

    Source: RFC 9207, section 2.4: against mixing up providers.

    Raises:
        Problem: It was another.
    """
    description = discovery.of(provider.issuer).description()
    if issuer is None and description.get("authorization_response_iss_parameter_supported") is not True:
        return
    if issuer != provider.issuer:
        raise refused("The answer is of another issuer.")


def revoke(provider: Provider, client_id: str, refresh_token: str) -> int:
    """The status of the provider's answer to being told that the token is needed no more.

    A provider that takes nothing back is told nothing, and 200 is the status.

    Raises:
        Problem: It is away.
    """
    if not takes_back(provider):
        return 200
    url = discovery.of(provider.issuer).address("revocation_endpoint")
    try:
        with _session(provider, client_id) as session:
            answer: requests.Response = session.revoke_token(
                url, token=refresh_token, token_type_hint=_HINT, allow_redirects=False
            )
            return answer.status_code
    except (requests.RequestException, ValueError) as error:
        raise fetching.away(provider.issuer, error) from None


def takes_back(provider: Provider) -> bool:
    """Whether the provider can be told that a token is needed no more."""
    return discovery.of(provider.issuer).has("revocation_endpoint")


def _verified(provider: Provider, token: str) -> Claims:
    """What the token says, signed by the provider.

    Raises:
        Problem: It is not signed, or not by the provider; or that is away.
    """
    found = discovery.of(provider.issuer)
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError):
        raise refused("The token can't be read.") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    # Looked at before any key: a token never chooses what it is checked by.
    if not isinstance(algorithm, str) or algorithm not in found.algorithms():
        raise refused("The token is not signed by an algorithm that the provider signs by.")
    key = found.key(key_id if isinstance(key_id, str) else None, algorithm)
    if key is None:
        raise refused("The token is signed by a key that is none of the provider's.")
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        return jwt.decode(token, key, registry=registry).claims
    except BadSignatureError:
        raise refused("The token's signature is not the provider's.") from None
    except (JoseError, ValueError, TypeError):
        raise refused("The token can't be read.") from None


def _check_parties(provider: Provider, claims: Claims) -> None:
    """Nothing, if all whom the token is for, and the one that it was made for, are clients of ours.

    Source: OpenID Connect Core 1.0, section 3.1.3.7, points 3 to 5.

    Raises:
        Problem: One is not.
    """
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if not set(audiences) <= set(provider.client_ids):
        raise refused(_WRONG["aud"])
    party = claims.get("azp")
    if party is None and len(audiences) > 1:
        raise refused(_WRONG["azp"])
    if party is not None and party not in provider.client_ids:
        raise refused(_WRONG["azp"])


def _session(provider: Provider, client_id: str) -> Any:
    """A session in which we are this client."""
    secret = provider.secret(client_id)
    method = "none" if secret is None else _auth_method(provider)
    session = OAuth2Session(
        client_id,
        secret,
        scope=provider.scope,
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )
    return fetching.secured(session)


def _auth_method(provider: Provider) -> str:
    """How we say who we are: in the body where that is taken.

    In a header, the standard wants a secret escaped first, and not every provider wants what it does.
    """
    default = ("client_secret_basic",)
    methods = discovery.of(provider.issuer).words("token_endpoint_auth_methods_supported", default)
    return "client_secret_post" if "client_secret_post" in methods else "client_secret_basic"
