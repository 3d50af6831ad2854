"""What was wrong with single rows: counted by kind, the first few of each logged."""

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum
from itertools import islice
from typing import Final

import structlog

LOGGED_PER_KIND: Final = 3


class Effect(StrEnum):
    """What became of a row that has a fault."""

    REJECTED = "rejected"
    NULLED = "nulled"
    MENDED = "mended"
    DUPLICATE = "duplicate"


class Tally:
    """Counts the faults of one file's rows.

    Attributes:
        file_name: of the dump.
        usable_rows: how many of the wanted rows could be used.
    """

    def __init__(self, file_name: str) -> None:
        self.file_name = file_name
        self.usable_rows = 0
        self._counts: dict[tuple[Effect, str], int] = defaultdict(int)
        self._log = structlog.get_logger("movie_loader").bind(file=file_name)

    def add(self, effect: Effect, kind: str, line_numbers: Iterable[int], count: int) -> None:
        """Count rows with a fault, given the lines they stand on."""
        if not count:
            return
        known = self._counts[effect, kind]
        self._counts[effect, kind] = known + count
        for line_number in islice(line_numbers, max(0, LOGGED_PER_KIND - known)):
            self._log.warning(f"row {effect.value}", line=int(line_number), reason=kind)

    def count(self, effect: Effect, kind: str | None = None) -> int:
        """How many rows had this effect, of one kind or of all."""
        return sum(
            count
            for (its_effect, its_kind), count in self._counts.items()
            if its_effect == effect and kind in {None, its_kind}
        )

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Counts by effect and kind; every effect is there."""
        return {
            effect.value: {
                kind: count for (its_effect, kind), count in self._counts.items() if its_effect == effect
            }
            for effect in Effect
        }
