"""Programs that a job runs: each in a group of its own, ended with the job and with the worker."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from movie_jobs import tied

PATIENCE_SECONDS: Final = 2.5
"""How long a program may take to end by itself when it is asked to: the launcher gives the worker 6 s."""
_TAIL_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 1 << 16


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
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", tied.__file__, str(os.getpid())),
        *command,
        env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    reading = asyncio.ensure_future(_last_line(process.stdout))
    is_out_of_time = False
    try:
        await asyncio.wait_for(process.wait(), time_limit_seconds)
    except TimeoutError:
        is_out_of_time = True
    except asyncio.CancelledError:
        reading.cancel()
        raise
    finally:
        await _end(process, patience_seconds)
    last_line = ""
    with contextlib.suppress(TimeoutError):
        # What left the group could hold the pipe open for ever.
        last_line = await asyncio.wait_for(reading, patience_seconds)
    return Ended(process.returncode or 0, last_line, is_out_of_time)


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


async def _last_line(stream: asyncio.StreamReader) -> str:
    """The last line that is not empty, read to the end so that the program never waits for us."""
    tail = b""
    while chunk := await stream.read(_CHUNK_BYTES):
        tail = (tail + chunk)[-_TAIL_BYTES:]
    lines = tail.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
