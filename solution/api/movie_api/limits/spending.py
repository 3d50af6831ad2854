"""What is counted before it is done, and given back if it was done well."""

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import structlog
from flask import current_app, request
from movie_database.setting_types import Rate

from movie_api.http.addresses import Addresses
from movie_api.limits import storage, told
from movie_api.limits.told import Left
from movie_api.limits.who import address_key

Kind = Literal["sign_in", "registration", "reset", "nonce"]

# What makes a row for somebody without an account: nobody needs as many, and no table grows by more.
_NONCES: Final = Rate(60, timedelta(minutes=1))

_log = structlog.get_logger("movie_api.limits")


class _Limit(NamedTuple):
    """A limit that a kind is held to, and what it counts."""

    policy: str
    rate: Rate
    who: str


class Spent:
    """What was counted, and can be given back.

    Args:
        limits: What it was counted for.
        counted: What the counters showed.
    """

    def __init__(self, limits: list[_Limit], counted: list[storage.Counted]) -> None:
        self._limits = limits
        self._counted = counted

    def give_back(self) -> None:
        """It is as if it had not been counted.

        Raises:
            Problem: The database is away.
        """
        if not self._limits:
            return
        storage.give_back([_asked(limit) for limit in self._limits], self._counted)
        counted = [one._replace(times=one.times - 1) for one in self._counted]
        told.tell(_left(self._limits, counted))


def spend(kind: Kind, account: str | None = None) -> Spent:
    """One more is counted, before it is done: whoever tries many at once is not faster than the count.

    Args:
        kind: What is done.
        account: The account that it is tried on, as it is compared, whether or not there is one.

    Raises:
        Problem: There were too many already; or the database is away.
    """
    limits = list(_limits(kind, account))
    if not limits:
        return Spent([], [])
    try:
        counted = storage.take([_asked(limit) for limit in limits])
    except storage.TooManyError as error:
        _warn_of_proxy()
        raise told.refusal(_left(limits, error.counted)) from None
    told.tell(_left(limits, counted))
    return Spent(limits, counted)


def _limits(kind: Kind, account: str | None) -> Iterator[_Limit]:
    """The limits that are not switched off: of the address and the account together, and of the address."""
    settings = current_app.extensions["settings"]
    address = address_key()
    of_account: dict[Kind, Rate | None] = {"sign_in": settings.sign_in_limit, "reset": settings.reset_limit}
    of_address: dict[Kind, tuple[str, Rate | None]] = {
        "sign_in": ("sign-in-address", settings.sign_in_address_limit),
        "registration": ("registration", settings.registration_limit),
        "reset": ("reset-address", settings.reset_address_limit),
        "nonce": ("nonce", _NONCES),
    }
    rate = of_account.get(kind)
    if rate is not None and account is not None:
        yield _Limit(kind.replace("_", "-"), rate, f"{address} {account}")
    policy, rate = of_address[kind]
    if rate is not None:
        yield _Limit(policy, rate, address)


def _warn_of_proxy() -> None:
    """Whoever runs the server is told if all callers may be counted as one: each locks out all others."""
    addresses: Addresses = current_app.extensions["addresses"]
    if addresses.hides_callers(request.environ):
        _warn_once(request.environ.get("REMOTE_ADDR", ""))


@lru_cache(maxsize=16)
def _warn_once(proxy: str) -> None:
    _log.warning(
        "A limit is reached by a proxy: if it is yours, name it in TRUSTED_PROXIES, or all count as one",
        proxy=proxy,
    )


def _asked(limit: _Limit) -> storage.Asked:
    seconds = limit.rate.period.total_seconds()
    key = f"{limit.policy}/{limit.rate.times}/{seconds:.0f}/{limit.who}"
    return storage.Asked(key, limit.rate.times, seconds)


def _left(limits: list[_Limit], counted: list[storage.Counted]) -> list[Left]:
    return [
        Left(limit.policy, limit.rate, limit.rate.times - one.times, one.seconds_left)
        for limit, one in zip(limits, counted, strict=True)
    ]
