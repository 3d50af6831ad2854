"""Threads of a load: stages that run side by side, and a way to stop them all."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Final, Generic, TypeVar

from movie_loader.errors import InterruptedLoadError

Item = TypeVar("Item")

_END: Final = object()


class Stopper:
    """Tells every stage of a load to stop, once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._actions: list[Callable[[], None]] = []
        self.is_stopped = False

    def on_stop(self, action: Callable[[], None]) -> None:
        """Have an action run when the load is stopped; at once, if it is already."""
        with self._lock:
            if not self.is_stopped:
                self._actions.append(action)
                return
        action()

    def stop(self) -> None:
        """Run all actions; a second call does nothing."""
        with self._lock:
            self.is_stopped = True
            actions, self._actions = self._actions, []
        for action in actions:
            action()

    def check(self) -> None:
        """Do nothing, unless the load was stopped.

        Raises:
            InterruptedLoadError: if it was.
        """
        if self.is_stopped:
            raise InterruptedLoadError


class _Pipe(Generic[Item]):
    """A queue of a few items between two threads; either end may close it."""

    def __init__(self, depth: int) -> None:
        self._items: deque[Item] = deque()
        self._depth = depth
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._is_ended = False
        self._is_closed = False

    def put(self, item: Item) -> bool:
        """Wait for room; tell whether anybody still wants items."""
        with self._changed:
            while len(self._items) >= self._depth and not self._is_closed:
                self._changed.wait()
            self._items.append(item)
            self._changed.notify_all()
            return not self._is_closed

    def end(self, error: BaseException | None) -> None:
        with self._changed:
            self._error, self._is_ended = error, True
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._items.clear()
            self._changed.notify_all()

    def get(self) -> Item | object:
        with self._changed:
            while not self._items and not self._is_ended and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                raise InterruptedLoadError
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._error is not None:
                raise self._error
            return _END


def ahead(items: Iterable[Item], *, depth: int, stopper: Stopper) -> Iterator[Item]:
    """Yield items while a thread of its own makes the next few.

    What the iterable raises is raised here. When the consumer stops early, so does the thread.
    """
    pipe: _Pipe[Item] = _Pipe(depth)

    def produce() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not pipe.put(item):
                    break
        except BaseException as raised:  # noqa: BLE001 - handed to the consumer, who raises it
            error = raised
        finally:
            if isinstance(items, Generator):
                items.close()
            pipe.end(error)

    stopper.on_stop(pipe.close)
    thread = threading.Thread(target=produce, name="load-stage", daemon=True)
    thread.start()
    try:
        while (item := pipe.get()) is not _END:
            yield item  # type: ignore[misc]
    finally:
        pipe.close()
        thread.join(timeout=5)
