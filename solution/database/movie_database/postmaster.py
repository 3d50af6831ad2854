"""The server's process: found, started, waited for, stopped.

PostgreSQL's own `postmaster.pid` is believed only as far as a live process bears it out: after a
kill -9 its number may be a zombie's that nobody reaps, or another program's.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
import structlog

from movie_database.accounts import Account
from movie_database.errors import DatabaseUnavailable

FAST_STOP_SECONDS: Final = 60.0
"""How long a stop may take that writes all to the disk; then one follows that recovers at the next start."""
HURRIED_STOP_SECONDS: Final = 3.0
"""Likewise after a Ctrl-C, when all must be over in ten seconds, and the programs before us took theirs."""
IMMEDIATE_STOP_SECONDS: Final = 1.0
START_PATIENCE_SECONDS: Final = 600.0
"""A start after a crash reads all of the WAL since the last checkpoint."""
_TOLD_AFTER_SECONDS: Final = 3.0
_LEFTOVERS_PATIENCE_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.02
_LISTEN_LINE: Final = 5
_PORT_LINE: Final = 3
_STATUS_LINE: Final = 7
_LOG_LIMIT_BYTES: Final = 10 << 20
_START_MARK: Final = "-- start\n"

_log = structlog.get_logger(__name__)


def find(data: Path) -> psutil.Process | None:
    """The live server of a data folder, if there is one."""
    lines = _pid_file(data)
    if not lines or not lines[0].isdigit():
        return None
    try:
        process = psutil.Process(int(lines[0]))
    except psutil.NoSuchProcess:
        return None
    return process if _serves(process, data) else None


def spawn(command: list[str], account: Account, log: Path) -> int:
    """A new server process.

    It is nobody's child: the shell that starts it ends. So no process of ours has to reap it, and it
    outlives the one that started it, in a session of its own that no Ctrl-C reaches.

    Returns:
        Its process id.

    Raises:
        DatabaseUnavailable: There is no shell, or the account can't run it.
    """
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.old"))
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as output:
        output.write(_START_MARK)
        output.flush()
        try:
            shell = account.run(
                "/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command, stdout=subprocess.PIPE, stderr=output
            )
            return int(shell.stdout)
        except (OSError, ValueError) as error:
            raise DatabaseUnavailable(f"PostgreSQL can't be started: {error}") from error


def bound(data: Path, pid: int) -> psutil.Process | None:
    """The new process, when it has taken its port, which its pid file tells; None if it ended before."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        while is_alive(process):
            lines = _pid_file(data)
            if len(lines) > _LISTEN_LINE and lines[0] == str(pid) and lines[_LISTEN_LINE]:
                return process
            time.sleep(_POLL_SECONDS)
    return None


def wait_until_ready(data: Path, process: psutil.Process, log: Path) -> int:
    """The server takes connections.

    Returns:
        Its port.

    Raises:
        DatabaseUnavailable: It ended, or did not get ready.
    """
    started = time.monotonic()
    told = False
    while is_alive(process):
        lines = _pid_file(data)
        if len(lines) > _STATUS_LINE and lines[0] == str(process.pid) and lines[_STATUS_LINE] == "ready":
            return int(lines[_PORT_LINE])
        waited_seconds = time.monotonic() - started
        if waited_seconds > START_PATIENCE_SECONDS:
            raise DatabaseUnavailable(f"PostgreSQL is not ready after {waited_seconds:.0f} s; {log} says why")
        if waited_seconds > _TOLD_AFTER_SECONDS and not told:
            _log.info("Waiting for the database, which recovers from a crash")
            told = True
        time.sleep(_POLL_SECONDS)
    raise failure(log)


def was_port_taken(log: Path) -> bool:
    """Whether the last start ended because another program has the port."""
    return "could not create any TCP/IP sockets" in _last_words(log)


def failure(log: Path) -> DatabaseUnavailable:
    """The error that says what the server said last."""
    fatal = re.findall(r"(?:FATAL|PANIC|error): +(.*)", _last_words(log))
    return DatabaseUnavailable(
        f"PostgreSQL does not start: {fatal[-1] if fatal else 'it gave no reason'}; see {log}"
    )


def clear_leftovers(data: Path) -> None:
    """No process of a dead server is left in the data folder, nor its pid file.

    To be called when `find` found no server. Backends of a killed server end by themselves when they
    next look; a new server refuses to start beside them.
    """
    give_up_at = time.monotonic() + _LEFTOVERS_PATIENCE_SECONDS
    while (left := _processes_in(data)) and time.monotonic() < give_up_at:
        time.sleep(_POLL_SECONDS)
    _kill(left)
    (data / "postmaster.pid").unlink(missing_ok=True)


def stop(data: Path, process: psutil.Process, in_hurry: Callable[[], bool] = lambda: False) -> None:
    """The server has ended: fast, with all written to the disk, or else as after a crash.

    Args:
        data: Its folder.
        process: Its process.
        in_hurry: Tells whether somebody waits for the end; asked again and again.
    """
    _send(process, signal.SIGINT)
    started = time.monotonic()
    while is_alive(process):
        patience_seconds = HURRIED_STOP_SECONDS if in_hurry() else FAST_STOP_SECONDS
        if time.monotonic() - started > patience_seconds:
            break
        time.sleep(_POLL_SECONDS)
    else:
        return
    _log.warning("The database does not stop in time; it recovers at the next start")
    _send(process, signal.SIGQUIT)
    if not _have_ended([process], IMMEDIATE_STOP_SECONDS):
        _kill([process, *_processes_in(data)])


def is_alive(process: psutil.Process) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _kill(processes: list[psutil.Process]) -> None:
    for one in processes:
        _send(one, signal.SIGKILL)
    _have_ended(processes, IMMEDIATE_STOP_SECONDS)


def _have_ended(processes: list[psutil.Process], patience_seconds: float) -> bool:
    """Whether all have ended within that time; reaped or not, which is not up to us."""
    give_up_at = time.monotonic() + patience_seconds
    while any(map(is_alive, processes)):
        if time.monotonic() > give_up_at:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _pid_file(data: Path) -> list[str]:
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text("utf-8", "replace").splitlines()]
    except OSError:
        return []


def _processes_in(data: Path) -> list[psutil.Process]:
    """The server's processes that work in the folder, also those that outlived their postmaster."""
    return [
        one for one in psutil.process_iter(["name"]) if one.info["name"] == "postgres" and _serves(one, data)
    ]


def _serves(process: psutil.Process, data: Path) -> bool:
    """Whether a process is PostgreSQL's, alive, and works in the folder, as all of its server's do."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE or process.name() != "postgres":
            return False
        return os.path.realpath(process.cwd()) == os.path.realpath(data)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        # Another user's; it may well be the server of a folder that this user can't start anyway.
        return str(data) in " ".join(process.cmdline())


def _last_words(log: Path) -> str:
    """What the log says since the last start, its end."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            return file.read().decode("utf-8", "replace").rpartition(_START_MARK)[2]
    except OSError:
        return ""
