"""The latest answers of a worker, for as long as the data stands that they were made from.

What is asked for often is asked for again and again: the first page of each list. Such an answer is a
function of the data's version and the address, so it need not be made twice.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from http import HTTPStatus
from typing import Final, NamedTuple

from flask import Response

MOST_BYTES: Final = 16 << 20
_MOST_BYTES_OF_ONE: Final = 64 << 10
_BYTES_BESIDE: Final = 1_000  # of an entry: its key, its headers, its place in the order


class _Kept(NamedTuple):
    body: bytes
    headers: list[tuple[str, str]]

    @property
    def size(self) -> int:
        return len(self.body) + _BYTES_BESIDE


class KeptAnswers:
    """Answers by what they were made from; the one that was not asked for longest goes first.

    Args:
        most_bytes: So much is kept; each worker has its own.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Response | None:
        """The answer that was made from this, if it is kept."""
        with self._lock:
            kept = self._answers.get(key)
            if kept is None:
                return None
            self._answers.move_to_end(key)
        return Response(kept.body, headers=kept.headers)

    def keep(self, key: Hashable, answer: Response) -> None:
        """The answer is kept, unless it is a large one or none that is good for others."""
        if answer.status_code != HTTPStatus.OK:
            return
        kept = _Kept(answer.get_data(), list(answer.headers))
        if kept.size > _MOST_BYTES_OF_ONE:
            return
        with self._lock:
            before = self._answers.pop(key, None)
            self._answers[key] = kept
            self._bytes += kept.size - (before.size if before else 0)
            while self._bytes > self._most_bytes:
                _, oldest = self._answers.popitem(last=False)
                self._bytes -= oldest.size
