"""Downloads that survive a bad network, and can be read while they still run.

A finished file is kept with what its server said of it, and asked for conditionally the next
time. An unfinished one is kept too, and taken up where it broke off, now or by the next load.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from movie_loader.errors import InterruptedLoadError, LoadError, SourceChangedError
from movie_loader.patience import Patience
from movie_loader.versions import NotedFile, Version
from movie_loader.web import Answer, BrokenOffError, NoRestError, ask

PROGRESS_BYTES: Final = 2**16
"""So much must have come since the last failure for the count of retries to begin anew."""

LONGEST_WAIT_SECONDS: Final = 30.0

_log = structlog.get_logger("movie_loader")


class Download:
    """One file on its way, written by a thread of its own and read by another.

    Attributes:
        address: its URL.
        was_kept: whether the server said that the kept file is still the current one.
        version: what the server said of it.
        total_bytes: its size, once it is known.
    """

    def __init__(
        self, address: str, folder: Path, patience: Patience, on_bytes: Callable[[int, int | None], None]
    ) -> None:
        self.address = address
        self.was_kept = False
        self.version = Version(address)
        self.total_bytes: int | None = None
        name = address.rsplit("/", 1)[-1]
        self._kept = NotedFile(folder / name)
        self._part = NotedFile(folder / f"{name}.part")
        self._patience = patience
        self._on_bytes = on_bytes
        self._changed = threading.Condition()
        self._written_bytes = 0
        self._edition = 0
        self._is_answered = False
        self._is_done = False
        self._is_stopped = False
        self._error: LoadError | None = None
        self._thread = threading.Thread(target=self._run, name=f"download {name}", daemon=True)

    @property
    def kept_path(self) -> Path:
        """Where a finished download is kept."""
        return self._kept.path

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Have readers raise `InterruptedLoadError` at once, and the thread end soon.

        It may still wait for its server for a while, but it changes no file from now on: another
        download of the same file may begin.
        """
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def wait_for_answer(self) -> None:
        """Wait until the server has answered.

        Connecting can take many times the timeout of one connection: looking up a name has
        timeouts of its own, and each of a name's addresses is tried. So the whole is limited.

        Raises:
            LoadError: if it did not answer in time, or not with the file.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_answered or self._error or self._is_stopped,
                # The thread itself gives up in time where it can, and knows better why.
                timeout=self._patience.first_answer_seconds + 1,
            )
            if self._is_stopped:
                raise InterruptedLoadError
            if self._error:
                raise self._error
            if not self._is_answered:
                raise self._unreachable(f"no answer within {self._patience.first_answer_seconds:g} s")

    def open(self) -> "DownloadReader":
        """Open the file for reading from its start, however much of it is there."""
        with self._changed:
            path = self._kept.path if self._is_done else self._part.path
            return DownloadReader(self, self._edition, path.open("rb"))

    def await_bytes(self, position: int, edition: int) -> int:
        """Wait for bytes after a position; return where they end: at the position, if the file does.

        Raises:
            SourceChangedError: if the file was replaced since it was opened.
            LoadError: if the download failed for good.
            InterruptedLoadError: if it was stopped.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._written_bytes > position
                    or self._is_done
                    or self._error
                    or self._is_stopped
                    or self._edition != edition
                )
            )
            if self._edition != edition:
                raise SourceChangedError(f"{self.address}: was replaced while it was read")
            if self._is_stopped:
                raise InterruptedLoadError
            if self._written_bytes > position or self._is_done:
                return max(self._written_bytes, position)
            raise self._error or InterruptedLoadError

    def discard(self) -> None:
        """Stop, and remove what is kept of it, so that the next load downloads it anew."""
        self.stop()
        self._kept.remove()
        self._part.remove()

    def _run(self) -> None:
        try:
            self._fetch_with_retries()
        except InterruptedLoadError:
            return
        except LoadError as error:
            self._fail(error)
        except OSError as error:
            self._fail(LoadError(f"{error.filename or self._part.path}: {error.strerror}", code="disk"))

    def _fail(self, error: LoadError) -> None:
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def _fetch_with_retries(self) -> None:
        began = time.monotonic()
        failures, furthest = 0, 0
        while not self._is_stopped:
            try:
                self._fetch()
            except BrokenOffError as error:
                reason = str(error)
            else:
                return
            if self._written_bytes >= furthest + PROGRESS_BYTES:
                failures = 0
            furthest = max(furthest, self._written_bytes)
            wait_seconds = min(self._patience.first_wait_seconds * 2**failures, LONGEST_WAIT_SECONDS)
            failures += 1
            is_late = time.monotonic() + wait_seconds > began + self._patience.first_answer_seconds
            if not self._is_answered and (is_late or failures > self._patience.retries):
                raise self._unreachable(reason)
            if failures > self._patience.retries:
                raise LoadError(
                    f"{self.address}: the download broke off {failures} times, last at byte "
                    f"{self._written_bytes}: {reason}",
                    code="download_broken",
                    is_transient=True,
                )
            _log.warning(
                "download broke off, trying again",
                address=self.address,
                reason=reason,
                at_bytes=self._written_bytes,
                wait_seconds=wait_seconds,
            )
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopped, timeout=wait_seconds)

    def _fetch(self) -> None:
        """Ask once, and write what comes.

        Raises:
            BrokenOffError: if trying again may help.
            LoadError: if not.
        """
        part = self._part.version(self.address)
        part_bytes = self._part.path.stat().st_size if part else 0
        kept = None if self._is_answered else self._kept.version(self.address)
        timeout = self._patience.timeout_seconds if self._is_answered else self._patience.first_answer_seconds
        try:
            with ask(
                self.address, part=part, part_bytes=part_bytes, kept=kept, timeout_seconds=timeout
            ) as answer:
                if answer.is_unchanged and kept:
                    self._use_kept(kept)
                else:
                    self._write(answer)
        except NoRestError:
            with self._changing():
                self._part.remove()
            raise

    def _write(self, answer: Answer) -> None:
        with self._begin(answer) as file:
            for chunk in answer.chunks:
                with self._changing():
                    file.write(chunk)
                    file.flush()
                    self._written_bytes += len(chunk)
                self._on_bytes(self._written_bytes, self.total_bytes)
            if answer.total_bytes not in {None, self._written_bytes}:
                raise BrokenOffError(f"{self._written_bytes} of {answer.total_bytes} bytes came")
            with self._changing():
                file.truncate()
                self._part.become(self._kept)
                self._is_done = True
                self.total_bytes = self._written_bytes

    def _begin(self, answer: Answer) -> BinaryIO:
        """Open the part where the answer's first byte belongs.

        A new version gets a new file, so that who reads the old one finds no other bytes in it. The
        same version from its start (by a server without ranges) is written over its own bytes.
        """
        with self._changing():
            is_there = self._part.path.is_file()
            if answer.offset and not is_there:
                raise NoRestError("the part that the server continues is gone")
            is_continued = is_there and (answer.offset > 0 or answer.version.is_surely(self.version))
            if not is_continued:
                self._part.remove()
                self._edition += self._written_bytes > 0
            file: BinaryIO = self._part.path.open("r+b" if is_continued else "xb")
            file.seek(answer.offset)
            self._part.note(answer.version)
            self.version, self.total_bytes = answer.version, answer.total_bytes
            self._written_bytes = answer.offset
            self._is_answered = True
        self._on_bytes(self._written_bytes, self.total_bytes)
        return file

    def _use_kept(self, kept: Version) -> None:
        with self._changing():
            self.version, self.was_kept = kept, True
            self._written_bytes = self.total_bytes = self._kept.path.stat().st_size
            self._is_answered = self._is_done = True
        self._on_bytes(self._written_bytes, self.total_bytes)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change files and facts, alone and never after `stop`; then tell whoever waits."""
        with self._changed:
            if self._is_stopped:
                raise InterruptedLoadError
            yield
            self._changed.notify_all()

    def _unreachable(self, reason: str) -> LoadError:
        return LoadError(
            f"{self.address} cannot be reached: {reason}", code="source_unreachable", is_transient=True
        )


class DownloadReader:
    """A file-like object over a download that may still run: reads wait for their bytes."""

    def __init__(self, download: Download, edition: int, file: BinaryIO) -> None:
        self._download = download
        self._edition = edition
        self._file = file
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes; none at the file's end."""
        end = self._download.await_bytes(self._position, self._edition)
        data = self._file.read(end - self._position if size < 0 else min(size, end - self._position))
        self._position += len(data)
        return data

    def close(self) -> None:
        """Close the file; the download goes on."""
        self._file.close()
