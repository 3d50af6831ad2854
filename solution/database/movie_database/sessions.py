"""Who uses a DATA_DIR: each process holds a lock on a file of its own, which ends with it, however it ends.

A file that nobody holds is a dead process's, and does not count. What starts and stops the server is
done under one more lock, so that two first starts, or a start and a last stop, come one after the other.
"""

import fcntl
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

import structlog

from movie_database import exits
from movie_database.errors import DatabaseUnavailable

TERMINATE_PATIENCE_SECONDS: Final = 15.0
"""How long a process may take to end when asked, before it is killed."""
_LOCK_PATIENCE_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05
_CLOCK_STEP_SECONDS: Final = 1.0
_ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Session:
    """A process that uses the DATA_DIR.

    Attributes:
        path: The file that it holds locked.
        pid: Its process id.
        registered_at: When it registered, in seconds of the epoch.
    """

    path: Path
    pid: int
    registered_at: float


class Sessions:
    """The processes that use one DATA_DIR."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "sessions"
        self._lock = self._folder / ".lock"

    def prepare(self) -> None:
        """The folder is there.

        Raises:
            DatabaseUnavailable: It can't be made, or not written to.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _open_for_locking(self._lock, os.O_CREAT).close()
        except OSError as error:
            raise DatabaseUnavailable(
                f"DATA_DIR can't be used: {error.filename}: {error.strerror}; DATA_DIR= names another folder"
            ) from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else starts or stops the server of this DATA_DIR meanwhile."""
        with _open_for_locking(self._lock, os.O_CREAT) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def alone_if_soon(self) -> Iterator[bool]:
        """Like `alone`; false if somebody else still does after ten seconds."""
        give_up_at = time.monotonic() + _LOCK_PATIENCE_SECONDS
        with _open_for_locking(self._lock, os.O_CREAT) as file:
            while not (locked := _try_lock(file)) and time.monotonic() < give_up_at:
                time.sleep(_POLL_SECONDS)
            yield locked

    def register(self) -> "Registration":
        """This process counts from now on. To be called while `alone`."""
        path = self._folder / f"{os.getpid()}.{secrets.token_hex(4)}"
        file = _open_for_locking(path, os.O_CREAT | os.O_EXCL)
        fcntl.flock(file, fcntl.LOCK_EX)
        return Registration(path, file)

    def alive(self) -> list[Session]:
        """The processes that count; the files of dead ones are removed. To be called while `alone`."""
        found = self._examine()
        for session, is_alive in found:
            if not is_alive:
                session.path.unlink(missing_ok=True)
        return [session for session, is_alive in found if is_alive]

    def _examine(self) -> list[tuple[Session, bool]]:
        """Each registration, and whether its process is alive."""
        found = []
        for path in self._folder.glob("[0-9]*.*"):
            with suppress(FileNotFoundError), _open_for_locking(path) as file:
                found.append((Session(path, int(path.stem), path.stat().st_mtime), not _try_lock(file)))
        return found

    def are_alive(self) -> bool:
        """Whether any process counts."""
        if not self._folder.is_dir():
            return False
        with self.alone():
            return bool(self.alive())

    def are_elsewhere(self) -> bool:
        """Whether one counts that is no process of this machine: a container's, which shares the folder."""
        return any(not _exists(one.pid) for one in self.alive())

    def end_others(self) -> int:
        """Every other registered process has ended: when asked to, or else killed.

        Returns:
            How many there were.
        """
        # Whoever is amid a start holds the lock, and is to end as well: it is waited for, but not long.
        with self.alone_if_soon():
            others = [one for one, is_alive in self._examine() if is_alive and one.pid != os.getpid()]
        running = {one.pid: process for one in others if (process := _process_of(one)) is not None}
        for process in running.values():
            _ask_to_end(process)
        give_up_at = time.monotonic() + TERMINATE_PATIENCE_SECONDS
        while time.monotonic() < give_up_at and any(map(_is_alive, running.values())):
            time.sleep(_POLL_SECONDS)
        for process in running.values():
            _kill_with_children(process)
        return len(running)


class Registration:
    """That this process counts, until `end`."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._file = file
        self._owner = os.getpid()

    @property
    def is_ours(self) -> bool:
        """Whether this is the process that registered, and not a fork of it."""
        return self._owner == os.getpid()

    def end(self) -> None:
        """The process does not count any more."""
        self._path.unlink(missing_ok=True)
        self._file.close()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end this process as Ctrl-C does, by an exception, so that it cleans up.

    Only where nobody else handles them, and in the main thread, the only one that can.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_DFL]
    for one in ours:
        signal.signal(one, _end_process)
    try:
        yield
    finally:
        for one in ours:
            signal.signal(one, signal.SIG_DFL)


@contextmanager
def undisturbed() -> Iterator[list[int]]:
    """What would end this process waits until the block is done: a second Ctrl-C leaves no server behind.

    Yields:
        The signals that came meanwhile.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {one: signal.signal(one, lambda number, _: came.append(number)) for one in _ENDING_SIGNALS}
    try:
        yield came
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for number in came[:1]:
            signal.raise_signal(number)


def _end_process(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise SystemExit(exits.INTERRUPTED)


def _open_for_locking(path: Path, flags: int = 0) -> Any:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600), "r+")


def _try_lock(file: Any) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _process_of(session: Session) -> Any:
    """The process that registered; None if its number was given to another one since."""
    import psutil  # noqa: PLC0415 - not in the images, which have no embedded server to stop

    with suppress(psutil.Error):
        process = psutil.Process(session.pid)
        if process.create_time() <= session.registered_at + _CLOCK_STEP_SECONDS:
            return process
    return None


def _is_alive(process: Any) -> bool:
    import psutil  # noqa: PLC0415

    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _ask_to_end(process: Any) -> None:
    import psutil  # noqa: PLC0415

    try:
        process.terminate()
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise DatabaseUnavailable(
            f"Process {process.pid} uses this DATA_DIR and belongs to another user, who must stop it"
        ) from error


def _kill_with_children(process: Any) -> None:
    """Kills a process that did not end when asked, and what it started."""
    import psutil  # noqa: PLC0415

    with suppress(psutil.NoSuchProcess):
        if not _is_alive(process):
            return
        _log.warning("Killing a process that did not end when asked", pid=process.pid)
        for one in [*process.children(recursive=True), process]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait(_LOCK_PATIENCE_SECONDS)
