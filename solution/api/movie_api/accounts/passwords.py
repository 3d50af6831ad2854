"""Passwords: which are taken, and how they are kept.

Source: RFC 9106, Argon2; NIST SP 800-63B, section 3.1.1.2: length counts, composition rules don't.
"""

import base64
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from movie_api.accounts.common_passwords import is_common
from movie_api.http.problems import WEAK_PASSWORD, Fault, Problem

# RFC 9106's second recommended option: 64 MiB, three passes, four lanes.
_HASHER: Final = PasswordHasher()


def _of_nobody() -> str:
    """A hash that no password has, as dear to compare with as any of today's.

    It is put together, not computed: computing it at a worker's first unknown address would tell of that by
    the time that it takes.
    """
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (_HASHER.salt_len, _HASHER.hash_len)
    )
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


_OF_NOBODY: Final = _of_nobody()
_TOLD_CHARACTERS: Final = 4
_FEWEST_DIFFERENT: Final = 4


def hash_of(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the hash is the password's; where there is none, it takes as long to say so."""
    try:
        _HASHER.verify(password_hash or _OF_NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with less effort than is made today."""
    return _HASHER.check_needs_rehash(password_hash)


def refuse_weak(password: str, field: str, *told: str | None) -> None:
    """Nothing, unless the password is one that is tried first.

    Args:
        password: It.
        field: What the body calls it.
        told: What others know of its owner: the address, the name.

    Raises:
        Problem: It is easily guessed.
    """
    lower = password.lower()
    if is_common(lower):
        raise _weak(field, "is one of the commonest passwords")
    if len(set(lower)) < _FEWEST_DIFFERENT:
        raise _weak(field, f"must have at least {_FEWEST_DIFFERENT} different characters")
    for one in told:
        parts = {(one or "").lower(), (one or "").lower().partition("@")[0]}
        for part in parts:
            # Nothing, or hardly anything, is left of it without the address or the name.
            if len(part) >= _TOLD_CHARACTERS and len(lower.replace(part, "")) < _TOLD_CHARACTERS:
                raise _weak(field, "is made of the address or the name")


def _weak(field: str, message: str) -> Problem:
    return Problem(WEAK_PASSWORD, f"The password {message}.", [Fault("body", field, message)])
