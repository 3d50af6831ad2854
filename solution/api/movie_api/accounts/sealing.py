"""Tokens of providers, as the database keeps them: encrypted by a key that it does not have.

Source: RFC 7516, JSON Web Encryption.
"""

import hashlib
import hmac
from typing import Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from movie_database.settings import Settings, secret_key

_HEADER: Final = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS: Final = ["dir", "A256GCM"]


class SealError(Exception):
    """It was sealed by another key, or was changed since."""


def seal(settings: Settings, text: str) -> str:
    """The text, so that only who has our SECRET_KEY can read it."""
    return jwe.encrypt_compact(dict(_HEADER), text, _key(settings), _ALGORITHMS)


def unseal(settings: Settings, sealed: str) -> str:
    """The text that was sealed.

    Raises:
        SealError: It can't be read: SECRET_KEY is another one.
    """
    try:
        text = jwe.decrypt_compact(sealed, _key(settings), _ALGORITHMS).plaintext
    except (JoseError, ValueError) as error:
        raise SealError from error
    if text is None:
        raise SealError
    return text.decode()


def _key(settings: Settings) -> OctKey:
    # A key of its own: what is signed elsewhere says nothing about it.
    secret = hmac.digest(secret_key(settings).encode(), b"movie-api provider tokens 1", hashlib.sha256)
    return OctKey.import_key(secret)
