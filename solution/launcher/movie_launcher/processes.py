"""Children: each in a group of its own, ended with everything it started, never left behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from movie_database import exits

from movie_launcher.signals import HANDLED, interrupts_left_to_child, signals_held

PATIENCE_SECONDS: Final = 6.0
"""How long a child may take to end by itself; all must be over 10 s after a Ctrl-C, the server too."""
_PR_SET_PDEATHSIG: Final = 1

Child = subprocess.Popen[bytes]


@contextlib.contextmanager
def child(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    ending: signal.Signals = signal.SIGTERM,
) -> Iterator[Child]:
    """A process that is over when the block is left, whatever leaves it.

    It has a session of its own, so that a Ctrl-C in the terminal reaches it through us alone, and
    it ends when we are killed in a way that leaves us no time for it.

    Args:
        command: The program and its arguments.
        environment: Variables to set beside ours.
        folder: Where it runs; ours by default.
        ending: The signal that asks it to end.
    """
    with signals_held() as release:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            command,
            cwd=folder,
            env=environment_with(environment or {}),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_tie_to_parent(),  # noqa: PLW1509 - we have no other thread
        )
        try:
            release()
            yield process
        finally:
            end(process, ending)


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    ending: signal.Signals = signal.SIGTERM,
) -> int:
    """Runs a program to its end; its exit code, as ours are."""
    with child(command, environment=environment, folder=folder, ending=ending) as process:
        return exit_code(process.wait())


def run_in_foreground(
    command: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path | None = None
) -> int:
    """Runs a program that talks with the user: it has the terminal, and Ctrl-C is its own affair."""
    with interrupts_left_to_child(), signals_held() as release:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            command,
            cwd=folder,
            env=environment_with(environment),
            preexec_fn=_tie_to_parent(),  # noqa: PLW1509 - we have no other thread
        )
        try:
            release()
            return exit_code(process.wait())
        finally:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE_SECONDS)
                process.kill()


def environment_with(variables: Mapping[str, str]) -> dict[str, str]:
    """Our environment and these variables, for a child."""
    return {**os.environ, **variables}


def end(process: Child, ending: signal.Signals = signal.SIGTERM) -> None:
    """Ends the child and all of its group: asks it first, and takes them after `PATIENCE_SECONDS`."""
    if process.poll() is None:
        process.send_signal(ending)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_SECONDS)
    # What is left of the group, even if its leader went long ago.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def how_it_ended(code: int) -> str:
    """How a child ended, in words."""
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def exit_code(code: int) -> int:
    """A child's exit code as ours: one that a signal ended was interrupted, or failed."""
    if code >= 0:
        return code
    return exits.INTERRUPTED if -code in {signal.SIGINT, signal.SIGTERM} else exits.FAILED


def _tie_to_parent() -> Callable[[], None]:
    """What the child does before exec: takes signals again, and has SIGTERM sent to it when we die."""
    parent = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: after fork is too late

    def tie() -> None:
        # The mask is inherited, and we hold our signals while we start a child.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(exits.FAILED)

    return tie
