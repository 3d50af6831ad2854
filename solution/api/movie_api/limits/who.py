"""Whom a limit counts: an address or an account, in a form that tells nobody which."""

import hashlib
import hmac

from flask import current_app, request
from movie_database.settings import secret_key

from movie_api.http.addresses import Addresses, subscriber_of


def address_key() -> str:
    """What stands for the caller's address, or for the /64 of IPv6 that it is in."""
    addresses: Addresses = current_app.extensions["addresses"]
    return _hidden(f"address {subscriber_of(addresses.client(request.environ))}")


def account_key(user_id: str) -> str:
    """What stands for an account."""
    return _hidden(f"account {user_id}")


def _hidden(who: str) -> str:
    """There are so few IPv4 addresses that a hash of one, without a secret, is as good as the address."""
    extensions = current_app.extensions
    key: bytes | None = extensions.get("limits_key")
    if key is None:
        # Asked for when the first is counted: making the program must not write files.
        secret = secret_key(extensions["settings"]).encode()
        key = extensions["limits_key"] = hmac.digest(secret, b"movie-api limits 1", hashlib.sha256)
    return hmac.digest(key, who.encode(), hashlib.sha256).hex()
