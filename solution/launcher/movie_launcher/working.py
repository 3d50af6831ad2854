"""The worker beside the API: started, and started again with a growing pause if it ends by itself."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from movie_launcher import processes, programs
from movie_launcher.environment import say
from movie_launcher.processes import Child

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
_STEADY_SECONDS: Final = 60.0
"""Who ran so long begins with the first pause again."""


class Worker:
    """The worker's process, or the wait for its next start. Made by `worker`.

    Attributes:
        process: It; None while it waits to be started again.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        self._variables = variables
        self._stack = ExitStack()
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._due_at = 0.0
        self._started_at = 0.0
        self.process: Child | None = None

    def look(self) -> None:
        """It runs, or is about to: what ended by itself is told, and started when its pause is over."""
        now = time.monotonic()
        if self.process is None:
            if now >= self._due_at:
                self._start()
            return
        code = self.process.poll()
        if code is None:
            return
        if now - self._started_at > _STEADY_SECONDS:
            self._pause_seconds = FIRST_PAUSE_SECONDS
        say(
            f"The worker ended by itself ({processes.how_it_ended(code)}); its last words are above."
            f" It is started again in {self._pause_seconds:g} s; the API goes on."
        )
        self.end()
        self._due_at = now + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    def ask_to_end(self) -> None:
        """It is told to end, and not waited for."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """It is over, and all that it started."""
        self._stack.close()
        self.process = None

    def _start(self) -> None:
        command = programs.installed(programs.WORKER_COMMAND)
        self.process = self._stack.enter_context(processes.child(command, environment=self._variables))
        self._started_at = time.monotonic()


@contextmanager
def worker(variables: dict[str, str]) -> Iterator[Worker]:
    """A worker that is over when the block is left. The first look at it starts it."""
    made = Worker(variables)
    try:
        yield made
    finally:
        made.end()
