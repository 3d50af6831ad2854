"""Limits: how often somebody may do something, counted for all workers together."""

from typing import Literal, NamedTuple

Kind = Literal["sign_in", "registration", "reset"]


class Spent(NamedTuple):
    """What was counted, and can be given back."""

    def give_back(self) -> None:
        """It is as if it had not been counted."""


def spend(kind: Kind, account: str | None = None) -> Spent:
    """One more is counted, before it is done.

    Raises:
        Problem: There were too many already.
    """
    return Spent()
