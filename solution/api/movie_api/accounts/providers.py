"""Providers: through whom people may sign in, as the settings have it, and who we are to each of them."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from movie_database.settings import Settings, SettingsError
from pydantic import SecretStr

from movie_api.http.problems import NO_SUCH_PROVIDER, Problem

GOOGLE: Final = "google"
APPLE: Final = "apple"
OIDC_PREFIX: Final = "oidc/"

# Google's tokens name it by either. Source: https://developers.google.com/identity/openid-connect
_GOOGLE_ITSELF: Final = "https://accounts.google.com"
_GOOGLE_SHORT: Final = "accounts.google.com"
# Apple takes one of up to six months; ours is made for the one request that it goes with.
_APPLE_SECRET_SECONDS: Final = 5 * 60

Secret = Callable[[str], str | None]


class Provider(NamedTuple):
    """One that people may sign in through.

    Attributes:
        name: `google`, `apple` or `oidc/NAME`, as in its addresses and in `identities.provider`.
        title: What people call it.
        issuer: Who it is; its own description is found from there.
        token_issuers: What its tokens may call it.
        client_ids: Who we are to it: the web's client first, which browsers are sent there for.
        secret: What proves that we are the client of this id; None: nothing does.
        scope: What is asked of it.
        posts_callback: Whether it has the browser post what it tells us, across sites.
        exchanges_codes: Whether we can turn a code of its into tokens; else, tokens alone are taken.
        vouches_alone: Whether its apps get codes without a verifier, beside a token that has our nonce.
    """

    name: str
    title: str
    issuer: str
    token_issuers: tuple[str, ...]
    client_ids: tuple[str, ...]
    secret: Secret
    scope: str = "openid email profile"
    posts_callback: bool = False
    exchanges_codes: bool = True
    vouches_alone: bool = False

    @property
    def path(self) -> str:
        """Where it is in our addresses."""
        return f"/auth/{self.name}"


def all_of(settings: Settings) -> list[Provider]:
    """Those that are set up."""
    found = [_google(settings), _apple(settings), *_others(settings)]
    return [provider for provider in found if provider.client_ids]


def find(settings: Settings, name: str) -> Provider:
    """The provider of this name.

    Raises:
        Problem: It is not set up.
    """
    for provider in all_of(settings):
        if provider.name == name:
            return provider
    raise Problem(NO_SUCH_PROVIDER, "This server does not sign in through this provider.")


def require_codes(provider: Provider) -> None:
    """Nothing, if it is set up for more than its tokens.

    Raises:
        Problem: It is not.
    """
    if not provider.exchanges_codes:
        raise Problem(NO_SUCH_PROVIDER, f"This server takes {provider.title}'s tokens, and no codes.")


def check(settings: Settings) -> None:
    """Nothing, if what proves who we are can be used.

    Raises:
        SettingsError: It can't.
    """
    key = settings.apple_private_key
    if key is None:
        return
    try:
        curve = ECKey.import_key(key.get_secret_value()).curve_name
    except (JoseError, ValueError, TypeError):
        curve = ""
    if curve != "P-256":
        # Without "from": what was there is secret.
        raise SettingsError(["APPLE_PRIVATE_KEY is no key for ES256; allowed: the .p8 file that Apple gave"])


def absent_paths(settings: Settings) -> tuple[str, ...]:
    """Paths of the contract below which there is nothing, as nobody set it up."""
    known = {provider.name: provider for provider in all_of(settings)}
    absent = [f"/auth/{name}" for name in (GOOGLE, APPLE) if name not in known]
    if APPLE in known and not known[APPLE].exchanges_codes:
        absent += [f"/auth/{APPLE}/start", f"/auth/{APPLE}/callback"]
    if not any(name.startswith(OIDC_PREFIX) for name in known):
        absent.append("/auth/oidc/{name}")
    return tuple(absent)


def _google(settings: Settings) -> Provider:
    ids = settings.google_client_ids
    issuer = settings.google_issuer
    secret = settings.google_client_secret
    return Provider(
        GOOGLE,
        "Google",
        issuer,
        (issuer, _GOOGLE_SHORT) if issuer == _GOOGLE_ITSELF else (issuer,),
        ids,
        # Apps have none: they can't keep it.
        lambda client_id: _text(secret) if client_id == ids[0] else None,
    )


def _apple(settings: Settings) -> Provider:
    team, key_id, key = settings.apple_team_id, settings.apple_key_id, settings.apple_private_key

    def secret(client_id: str) -> str | None:
        if team is None or key_id is None or key is None:
            return None
        return _apple_secret(settings.apple_issuer, client_id, team, key_id, key)

    return Provider(
        APPLE,
        "Apple",
        settings.apple_issuer,
        (settings.apple_issuer,),
        settings.apple_client_ids,
        secret,
        # With these, Apple posts the callback and nothing else.
        scope="openid name email",
        posts_callback=True,
        exchanges_codes=None not in (team, key_id, key),
        vouches_alone=True,
    )


def _apple_secret(issuer: str, client_id: str, team: str, key_id: str, key: SecretStr) -> str:
    """A token that says who we are, signed by the key that Apple knows.

    Source: https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret
    """
    now = int(time.time())
    return jwt.encode(
        {"alg": "ES256", "kid": key_id},
        {"iss": team, "iat": now, "exp": now + _APPLE_SECRET_SECONDS, "aud": issuer, "sub": client_id},
        ECKey.import_key(key.get_secret_value()),
        ["ES256"],
    )


def _others(settings: Settings) -> list[Provider]:
    return [
        Provider(
            OIDC_PREFIX + client.name,
            client.name.capitalize(),
            client.issuer,
            (client.issuer,),
            (client.client_id,),
            _always(client.client_secret),
        )
        for client in settings.oidc
    ]


def _always(secret: SecretStr | None) -> Secret:
    return lambda _client_id: _text(secret)


def _text(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
