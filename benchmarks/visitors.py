"""Visitors of an API who go on while something happens to it: a steady load, and walks through lists."""

import http.client
import itertools
import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

_TIMEOUT_SECONDS: Final = 30.0
_NEXT: Final = re.compile(r'<https?://[^/]+([^>]*)>; rel="next"')


@dataclass(frozen=True)
class Visit:
    """One request: when it was due, and seconds from then to its last byte; None: it failed."""

    due_at: float
    latency: float | None


def get(address: tuple[str, int], path: str) -> tuple[int, str, bytes]:
    """Status, Link header and body of an answer."""
    connection = http.client.HTTPConnection(*address, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Link", ""), answer.read()
    finally:
        connection.close()


class SteadyLoad:
    """So many requests a second, whether or not the ones before are answered, until told to stop.

    A latency counts from when its request was due: a server that stands still makes all of them late,
    and not only the one that it keeps waiting.
    """

    def __init__(self, address: tuple[str, int], paths: list[str], *, rate: float, threads: int = 8) -> None:
        self.visits: list[Visit] = []
        self._address = address
        self._paths = itertools.cycle(paths)
        self._rate = rate
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._began = time.perf_counter()
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._go, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """The last requests are answered, and no more are sent."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _go(self) -> None:
        while not self._is_over.is_set():
            with self._lock:
                due_at = self._began + next(self._numbers) / self._rate
                path = next(self._paths)
            if self._is_over.wait(max(0.0, due_at - time.perf_counter())):
                return
            latency = None
            try:
                status, _, _ = get(self._address, path)
                if status == http.client.OK:
                    latency = time.perf_counter() - due_at
            except (OSError, http.client.HTTPException):
                pass
            self.visits.append(Visit(due_at, latency))


@dataclass
class Walk:
    """A walk along `rel="next"` from a list's first page to its last.

    Attributes:
        path: of the first page.
        ids: of the movies met, with how often.
        pages: that were read.
        failed: answers other than 200, and broken connections; the page is then asked for again.
        is_whole: whether it came to the end.
    """

    path: str
    ids: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    failed: int = 0
    is_whole: bool = False


class Walker:
    """Walks through a list, a page every so many seconds, and as fast as it can once it is told to hurry."""

    def __init__(self, address: tuple[str, int], path: str, *, seconds_between: float) -> None:
        self.walk = Walk(path)
        self._address = address
        self._seconds_between = seconds_between
        self._hurries = threading.Event()
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    def finish(self) -> Walk:
        """The walk, at its end."""
        self._hurries.set()
        self._thread.join()
        return self.walk

    def _go(self) -> None:
        path = self.walk.path
        while True:
            try:
                status, link, body = get(self._address, path)
            except (OSError, http.client.HTTPException):
                status, link, body = 0, "", b""
            if status != http.client.OK:
                self.walk.failed += 1
                self._hurries.wait(self._seconds_between)
                continue
            self.walk.ids.update(movie["id"] for movie in json.loads(body))
            self.walk.pages += 1
            next_page = _NEXT.search(link)
            if next_page is None:
                self.walk.is_whole = True
                return
            path = next_page[1]
            self._hurries.wait(self._seconds_between)
