"""What the tests' OpenID Connect provider knows: its clients, its codes, and who is there.

Their methods are those that Authlib asks them for.
"""
# ruff: noqa: D102 - what Authlib's methods are for, its documentation tells

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin, ClientMixin
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

AUTH_METHODS: Final = ["client_secret_basic", "client_secret_post", "none"]
DESCRIPTION_PATH: Final = "/.well-known/openid-configuration"

_LONGEST_SECRET_SECONDS: Final = 183 * 24 * 60 * 60


@dataclass
class Client(ClientMixin):  # type: ignore[misc]
    """A program that may have people signed in.

    Attributes:
        client_id: Who it is.
        secret: What it shows; None: nothing, or a token if there is a team.
        redirect_uris: Where its codes may go.
        team: As Apple knows it, in place of a secret: the team, the key's id, its public half in PEM format.
        gives_refresh_tokens: Whether it gets any.
    """

    client_id: str
    secret: str | None = None
    redirect_uris: list[str] = field(default_factory=list)
    team: dict[str, str] | None = None
    gives_refresh_tokens: bool = False

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        if self.team is not None:
            return method == "client_secret_post"
        return method == "none" if self.secret is None else method != "none"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code" or self.gives_refresh_tokens

    def check_client_secret(self, client_secret: str) -> bool:
        if self.team is None:
            return client_secret == self.secret
        try:
            shown = jwt.decode(client_secret, ECKey.import_key(self.team["public_key"]), ["ES256"])
        except (JoseError, ValueError):
            return False
        claims, now = shown.claims, time.time()
        return (
            shown.header.get("kid") == self.team["key_id"]
            and (claims["iss"], claims["aud"], claims["sub"])
            == (self.team["id"], provider.issuer, self.client_id)
            and now < claims["exp"] < now + _LONGEST_SECRET_SECONDS
        )


@dataclass
class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    """A code, and what it was asked for with."""

    code: str
    client_id: str
    person: dict[str, Any]
    redirect_uri: str | None
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str | None:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> None:
        return None

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class Given:
    """A refresh token that was given."""

    token: str
    client_id: str

    def check_client(self, client: Client) -> bool:
        return client.client_id == self.client_id


class Provider:
    """All that the process knows."""

    def __init__(self) -> None:
        self.issuer = ""
        self.tells_more_apart = False
        self.persons_by_token: dict[str, dict[str, Any]] = {}
        self.clients: dict[str, Client] = {}
        self.person: dict[str, Any] = {"sub": "nobody"}
        self.codes: dict[str, Code] = {}
        self.given: dict[str, Given] = {}
        self.revoked: list[dict[str, str]] = []
        self.known_to: set[tuple[str, str]] = set()
        self.asked: Counter[str] = Counter()
        self.troubles: dict[str, str] = {}
        self.rotate()

    def rotate(self) -> None:
        """There is another key, and none of those before."""
        self.key = RSAKey.generate_key(2048, auto_kid=True)

    def description(self) -> dict[str, Any]:
        """What the provider says of itself."""
        is_another = self.troubles.get(DESCRIPTION_PATH) == "issuer"
        return {
            "issuer": "https://another.example" if is_another else self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "jwks_uri": f"{self.issuer}/jwks",
            **({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.tells_more_apart else {}),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "subject_types_supported": ["public"],
            # HS256 too: some providers have both, and it must not be taken all the same.
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": AUTH_METHODS,
            "code_challenge_methods_supported": ["S256"],
        }


provider = Provider()
