"""Tokens of a provider, good ones and such as thieves make."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

Claims = dict[str, Any]


def forge(key: RSAKey, claims: Claims, forgery: str | None = None) -> str:
    """A token with these claims.

    Args:
        key: The provider's.
        claims: What it says.
        forgery: What is wrong with its signature, one of `_FORGERIES`; None: nothing.
    """
    return _signed(key, claims, key) if forgery is None else _FORGERIES[forgery](key, claims)


def _signed(named: RSAKey, claims: Claims, signing: RSAKey) -> str:
    return jwt.encode({"alg": "RS256", "kid": named.kid}, claims, signing, ["RS256"])


def _unsigned(_key: RSAKey, claims: Claims) -> str:
    return _raw({"alg": "none"}, claims)


def _with_public_key_as_secret(key: RSAKey, claims: Claims) -> str:
    token = _raw({"alg": "HS256", "kid": key.kid}, claims)
    digest = hmac.digest(key.as_pem(private=False), token.rstrip(".").encode(), hashlib.sha256)
    return token + _encoded(digest)


def _by_unknown_key(_key: RSAKey, claims: Claims) -> str:
    other = RSAKey.generate_key(2048, auto_kid=True)
    return _signed(other, claims, other)


def _under_its_name(key: RSAKey, claims: Claims) -> str:
    return _signed(key, claims, RSAKey.generate_key(2048))


def _with_key_of_its_own(_key: RSAKey, claims: Claims) -> str:
    other = ECKey.generate_key("P-256", auto_kid=True)
    header: dict[str, Any] = {"alg": "ES256", "jwk": other.as_dict(private=False)}
    return jwt.encode(header, claims, other, ["ES256"])


def _changed(key: RSAKey, claims: Claims) -> str:
    header, _, signature = _signed(key, claims, key).split(".")
    content = json.dumps(claims | {"sub": "another"}).encode()
    return f"{header}.{_encoded(content)}.{signature}"


_FORGERIES: Final[dict[str, Callable[[RSAKey, Claims], str]]] = {
    "unsigned": _unsigned,
    "public key as secret": _with_public_key_as_secret,
    "unknown key": _by_unknown_key,
    "another's key under its name": _under_its_name,
    "key of its own": _with_key_of_its_own,
    "changed": _changed,
}


def _raw(header: dict[str, Any], claims: Claims) -> str:
    return f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}."


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
