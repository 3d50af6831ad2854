"""How far a load is: bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, Protocol

import structlog
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

SECONDS_BETWEEN_LINES: Final = 5.0
_MEGA: Final = 10**6


class Meter(Protocol):
    """Is told how far each part of a load is."""

    def tell(self, name: str, *, done_bytes: int, total_bytes: int | None, rows: int = 0) -> None:
        """Show how many of a part's bytes are done, and how many rows came of them."""

    def waiting(self, name: str) -> AbstractContextManager[None]:
        """Show that a part is under way of which nobody knows how far it is."""


class SilentMeter:
    """Shows nothing."""

    def tell(self, name: str, *, done_bytes: int, total_bytes: int | None, rows: int = 0) -> None:
        """Take note of nothing."""

    def waiting(self, name: str) -> AbstractContextManager[None]:  # noqa: ARG002 - it shows nothing
        """Take note of nothing."""
        return nullcontext()


class LineMeter(SilentMeter):
    """Logs a line per part every few seconds."""

    def __init__(self, seconds_between: float = SECONDS_BETWEEN_LINES) -> None:
        self._seconds_between = seconds_between
        self._told_at: dict[str, float] = {}
        self._began_at: dict[str, float] = {}
        self._log = structlog.get_logger("movie_loader")

    def tell(self, name: str, *, done_bytes: int, total_bytes: int | None, rows: int = 0) -> None:
        """Log, unless the last line is but a moment old."""
        now = time.monotonic()
        if name not in self._began_at:
            self._began_at[name] = self._told_at[name] = now
            return
        seconds = now - self._began_at[name]
        if now - self._told_at[name] < self._seconds_between or not seconds:
            return
        self._told_at[name] = now
        facts: dict[str, object] = {"megabytes": round(done_bytes / _MEGA, 1)}
        if total_bytes:
            facts["of_megabytes"] = round(total_bytes / _MEGA, 1)
            facts["seconds_left"] = round(seconds * (total_bytes / max(done_bytes, 1) - 1))
        facts["megabytes_per_second"] = round(done_bytes / _MEGA / seconds, 1)
        if rows:
            facts["rows"] = rows
            facts["rows_per_second"] = round(rows / seconds)
        self._log.info(name, **facts)


class BarMeter:
    """Draws a bar per part."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def tell(self, name: str, *, done_bytes: int, total_bytes: int | None, rows: int = 0) -> None:
        """Move the part's bar."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total_bytes, rows=0)
        self._progress.update(self._tasks[name], completed=done_bytes, total=total_bytes, rows=rows)

    @contextmanager
    def waiting(self, name: str) -> Iterator[None]:
        """Draw a bar that only moves to and fro, until the part is over."""
        task = self._progress.add_task(name, total=None, rows=None)
        yield
        self._progress.update(task, completed=1, total=1)


class _AmountColumn(ProgressColumn):
    """Bytes and rows, and how many of them a second."""

    def render(self, task: Task) -> Text:
        """Return, say, `120.4 of 195.0 MB (43.1 MB/s), 7,260,000 rows (2,600,000/s)`."""
        rows = task.fields["rows"]
        if rows is None or not task.completed:
            return Text("")
        total = "" if task.total is None else f" of {task.total / _MEGA:.1f}"
        # A part that is done keeps the rate it had, however long the others go on.
        seconds = max(task.finished_time or task.elapsed or 0.0, 0.001)
        text = f"{task.completed / _MEGA:.1f}{total} MB ({task.completed / _MEGA / seconds:.1f} MB/s)"
        if rows:
            text += f", {rows:,} rows ({rows / seconds:,.0f}/s)"
        return Text(text)


@contextmanager
def meter(console: Console) -> Iterator[Meter]:
    """Choose the meter that fits where the console leads."""
    if not console.is_terminal:
        yield LineMeter()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), _AmountColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as progress:
        yield BarMeter(progress)
