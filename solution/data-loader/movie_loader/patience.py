"""How long and how often downloads try."""

from dataclasses import dataclass
from typing import Final

LONGEST_FIRST_ANSWER_SECONDS: Final = 8.0
"""Starting an embedded database may come first; all in all, people are told within 15 s."""


@dataclass(frozen=True)
class Patience:
    """How long and how often a download tries.

    Attributes:
        timeout_seconds: for the first answer, for any connection, and for the next bytes.
        retries: how often it is taken up again without having come further.
        first_wait_seconds: before the first retry; each further one waits twice as long.
    """

    timeout_seconds: float
    retries: int
    first_wait_seconds: float = 0.5

    @property
    def first_answer_seconds(self) -> float:
        """How long all tries together may take until the server answers for the first time."""
        return min(self.timeout_seconds, LONGEST_FIRST_ANSWER_SECONDS)
