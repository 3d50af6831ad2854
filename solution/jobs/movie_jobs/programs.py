"""Programs that a job runs: each in a group of its own, ended with the job and with the worker."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from movie_jobs import tied

PATIENCE_SECONDS: Final = 2.5
"""How long a program may take to end by itself when it is asked to: the launcher gives the worker 6 s."""
_TAIL_BYTES: Final = 1 << 20


class Ended(NamedTuple):
    """How a program ended.

    Attributes:
        code: Its exit code; negative: the signal that killed it.
        last_line: The last line that it printed.
        is_out_of_time: Whether it was ended because its time was over.
    """

    code: int
    last_line: str
    is_out_of_time: bool


async def run_program(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    time_limit_seconds: float | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Ended:
    """Runs a program to its end. What it writes to standard error goes where ours goes.

    If the job is cancelled, and when the time is over, the program gets SIGTERM, and SIGKILL with all
    that it started if that does not end it. If this process dies, it gets SIGTERM.

    Args:
        command: The program's path and its words.
        environment: Variables to set beside ours.
        time_limit_seconds: How long it may take; None: as long as it likes.
        patience_seconds: How long it may take to end after SIGTERM.

    Raises:
        OSError: It can't be started.
    """
    program = Path(command[0])
    if not os.access(program, os.X_OK):
        raise FileNotFoundError(2, "No such program", str(program))
    # A file and no pipe: asyncio waits for a pipe's end, and what the program left behind can hold it.
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", tied.__file__, str(os.getpid())),
            *command,
            env={**os.environ, **(environment or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            start_new_session=True,
        )
        is_out_of_time = False
        try:
            await asyncio.wait_for(process.wait(), time_limit_seconds)
        except TimeoutError:
            is_out_of_time = True
        finally:
            await _end(process, patience_seconds)
        return Ended(process.returncode or 0, _last_line(output), is_out_of_time)


async def _end(process: asyncio.subprocess.Process, patience_seconds: float) -> None:
    """The program is over, and all of its group with it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience_seconds)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _last_line(output: BinaryIO) -> str:
    """The last line that is not empty."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _TAIL_BYTES))
    lines = output.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
