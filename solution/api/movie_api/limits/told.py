"""What an answer tells of the limits that its request was counted for.

Source: draft-ietf-httpapi-ratelimit-headers-10; RFC 9651, Structured Field Values for HTTP.
"""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from flask import Flask, Response, g
from movie_database.setting_types import Rate

from movie_api.http.problems import TOO_MANY_REQUESTS, Problem

_POLICIES: Final = "RateLimit-Policy"
_LEFT: Final = "RateLimit"


class Left(NamedTuple):
    """What is left of a limit.

    Attributes:
        policy: What the limit is called.
        rate: The limit.
        times: So many more; less than none: it was one too many.
        seconds: Until all of them are there again.
    """

    policy: str
    rate: Rate
    times: int
    seconds: float


def register(app: Flask) -> None:
    """From now on, what was told is in the answer."""
    app.after_request(_write)


def tell(left: Iterable[Left]) -> None:
    """The answer to this request tells these, in the place of what it told of the same limits."""
    if "told_of_limits" not in g:
        g.told_of_limits = {}
    g.told_of_limits.update({one.policy: one for one in left})


def refusal(left: list[Left]) -> Problem:
    """The refusal of what was one too many for one of these; the answer tells all of them."""
    # The one that was not too many was not counted either.
    tell(one if one.times < 0 else one._replace(times=one.times + 1) for one in left)
    seconds = max(_whole(one.seconds) for one in left if one.times < 0)
    return Problem(
        TOO_MANY_REQUESTS,
        f"That was too often; it is possible again in {seconds} {'second' if seconds == 1 else 'seconds'}.",
        headers={"Retry-After": str(seconds)},
    )


def _write(answer: Response) -> Response:
    told: dict[str, Left] | None = g.get("told_of_limits")
    if told:
        answer.headers[_POLICIES] = ", ".join(
            f'"{one.policy}";q={one.rate.times};w={one.rate.period.total_seconds():.0f}'
            for one in told.values()
        )
        answer.headers[_LEFT] = ", ".join(
            f'"{one.policy}";r={max(one.times, 0)};t={_whole(one.seconds)}' for one in told.values()
        )
    return answer


def _whole(seconds: float) -> int:
    return max(math.ceil(seconds), 1)
