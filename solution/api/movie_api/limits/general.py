"""The limits on all requests, of who has an account and of who has none; off unless they are set.

Flask-Limiter counts them on our storage, with one statement a request. It comes after the guard, so it is
known who asks; who shows a token that is not good is refused there, and not counted.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Final

from flask import Flask, current_app, request
from movie_database.setting_types import Rate
from movie_database.settings import Settings

from movie_api.http import access
from movie_api.limits import storage, told
from movie_api.limits.told import Left
from movie_api.limits.who import account_key, address_key

# What asks them does so all day, and is to hear nothing but how we are.
_NEVER_COUNTED: Final = frozenset({"/healthz", "/readyz"})


def register(app: Flask, settings: Settings) -> None:
    """From now on, the limits on all requests hold; none of it is loaded, and nothing costs, without any."""
    rates: dict[str, Rate] = {
        policy: rate
        for policy, rate in (("anonymous", settings.anonymous_limit), ("signed-in", settings.signed_in_limit))
        if rate is not None
    }
    if rates:
        _register(app, rates)


def _register(app: Flask, rates: dict[str, Rate]) -> None:
    from flask_limiter import ApplicationLimit, Limiter, RequestLimit  # noqa: PLC0415 - 20 MB that few need

    def left() -> Iterator[Left]:
        for one in limiter.current_limits:
            policy = one.request_args[1]
            counted = storage.last_counted(one.key)
            if counted is not None:
                yield Left(policy, rates[policy], rates[policy].times - counted.times, counted.seconds_left)

    def refuse(_limit: RequestLimit) -> None:
        raise told.refusal(list(left()))

    def tell() -> None:
        told.tell(left())

    # It tells of each refusal, which the line of the request does as well.
    logging.getLogger("flask-limiter").setLevel(logging.WARNING)
    limiter = Limiter(
        address_key,
        application_limits=[
            ApplicationLimit(
                f"{rate.times} per {rate.period.total_seconds():.0f} second",
                key_function=_KEYS[policy],
                scope=policy,
                exempt_when=_is_signed_in if policy == "anonymous" else _is_anonymous,
            )
            for policy, rate in rates.items()
        ],
        on_breach=refuse,
        storage_uri=f"{storage.SCHEME}://",
        strategy="fixed-window",
    )
    limiter.request_filter(_is_never_counted)
    limiter.init_app(app)
    app.before_request(tell)


def _is_never_counted() -> bool:
    """Whether it is a page or a part of one, asks how we are, or is what a browser asks before it asks."""
    if request.method == "OPTIONS" or request.path in _NEVER_COUNTED:
        return True
    rule = access.rule_of(current_app.view_functions[request.endpoint or ""])
    return rule is not None and rule.is_page


def _is_anonymous() -> bool:
    return access.caller() is None


def _is_signed_in() -> bool:
    return access.caller() is not None


def _account_key() -> str:
    return account_key(access.signed_in().user_id)


_KEYS: Final[dict[str, Callable[[], str]]] = {"anonymous": address_key, "signed-in": _account_key}
