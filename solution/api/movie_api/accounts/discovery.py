"""What providers say of themselves: their addresses and their keys, asked for once an hour by each process.

Source: OpenID Connect Discovery 1.0, sections 3 and 4; RFC 7517, JSON Web Key.
"""

import threading
import time
from contextlib import suppress
from typing import Any, Final

from flask import current_app
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet, OctKey
from joserfc.jws import JWSRegistry

from movie_api.accounts import fetching
from movie_api.accounts.fetching import endpoint, text_of

KEPT_SECONDS: Final = 60 * 60
UNKNOWN_KEY_SECONDS: Final = 30
"""How often at most an unknown key has the keys asked for again: anybody can name one."""

_PATH: Final = "/.well-known/openid-configuration"
_EXTENSION: Final = "movie_api.providers"
# Those by which a provider signs with what it alone has: with a shared secret, a leaked one would sign in
# everybody, and with "none", everybody signs in anybody.
_ASYMMETRIC: Final = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
)
_BY_DEFAULT: Final = ("RS256",)


class Discovered:
    """A provider's description and keys, as far as they are known to this process.

    Args:
        issuer: The provider.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._lock = threading.RLock()
        self._description: dict[str, Any] = {}
        self._described_at = -float("inf")
        self._keys = KeySet([])
        self._keys_at = -float("inf")
        self._asked_for_unknown_at = -float("inf")
        self._failed_at = -float("inf")

    def description(self) -> dict[str, Any]:
        """What the provider says of itself.

        Raises:
            Problem: It is away.
        """
        with self._lock:
            if time.monotonic() - self._described_at > KEPT_SECONDS:
                found = self._ask(self._issuer.rstrip("/") + _PATH)
                if found.get("issuer") != self._issuer:
                    raise fetching.away(self._issuer, "it says to be another issuer")
                self._description, self._described_at = found, time.monotonic()
            return self._description

    def address(self, name: str) -> str:
        """An address that it names, such as `token_endpoint`.

        Raises:
            Problem: It is away, or the address is not safe.
        """
        return endpoint(self._issuer, self.description().get(name))

    def has(self, name: str) -> bool:
        """Whether it names such an address.

        Raises:
            Problem: It is away.
        """
        return text_of(self.description(), name) is not None

    def words(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of names in its description, or the one that the standard has in its place."""
        found = self.description().get(name)
        if not isinstance(found, list):
            return default
        return tuple(word for word in found if isinstance(word, str))

    def algorithms(self) -> list[str]:
        """What it may sign tokens by."""
        names = self.words("id_token_signing_alg_values_supported", _BY_DEFAULT)
        return [name for name in names if name in _ASYMMETRIC]

    def key(self, key_id: str | None, algorithm: str) -> Key | None:
        """Its key of this id, asked for again if there is none; None: there is no such key.

        Raises:
            Problem: It is away.
        """
        with self._lock:
            if time.monotonic() - self._keys_at > KEPT_SECONDS:
                self._ask_for_keys()
            found = self._find(key_id, algorithm)
            if found is None and time.monotonic() - self._asked_for_unknown_at > UNKNOWN_KEY_SECONDS:
                self._asked_for_unknown_at = time.monotonic()
                self._ask_for_keys()
                found = self._find(key_id, algorithm)
            return found

    def _find(self, key_id: str | None, algorithm: str) -> Key | None:
        try:
            found = self._keys.get_by_kid(key_id, {"alg": algorithm, "use": "sig"})
            # Where there is one key alone, it is found whatever it is for.
            JWSRegistry(algorithms=[algorithm]).get_alg(algorithm).check_key(found)
        except JoseError:
            return None
        return found

    def _ask_for_keys(self) -> None:
        told = self._ask(self.address("jwks_uri")).get("keys")
        keys: list[Key] = []
        for one in told if isinstance(told, list) else ():
            # One of a kind that we don't know is no reason to refuse those that we do.
            with suppress(JoseError, ValueError, TypeError, KeyError):
                key = JWKRegistry.import_key(one)
                if not isinstance(key, OctKey):
                    keys.append(key)
        self._keys, self._keys_at = KeySet(keys), time.monotonic()

    def _ask(self, url: str) -> dict[str, Any]:
        """What it answers; one that did not answer a moment ago is not waited for again.

        Else a provider that is away would hold every worker of ours for as long as somebody likes.
        """
        if time.monotonic() - self._failed_at < fetching.RETRY_AFTER_SECONDS:
            raise fetching.away(self._issuer, "it was a moment ago")
        self._failed_at = time.monotonic()
        found = fetching.get_json(self._issuer, url)
        self._failed_at = -float("inf")
        return found


def of(issuer: str) -> Discovered:
    """What this process knows of the provider."""
    known: dict[str, Discovered] = current_app.extensions.setdefault(_EXTENSION, {})
    return known.setdefault(issuer, Discovered(issuer))
