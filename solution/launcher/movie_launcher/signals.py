"""SIGINT, SIGTERM and SIGHUP as one exception that ends everything in order, once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

HANDLED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asked this process to end.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def take_signals() -> None:
    """From now on the first signal raises `Interrupted` in the main thread, and later ones do nothing.

    What the first one sets going, ending children and the server, takes seconds and is bounded; a
    second Ctrl-C in the middle of it would leave them behind.
    """
    for number in HANDLED:
        # A shell starts background jobs with SIGINT ignored, and `kill -INT` is to end them all the
        # same. nohup's SIGHUP stays ignored: that is what it is for.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _raise_once)


def _raise_once(number: int, _frame: object) -> None:
    for handled in HANDLED:
        # A function and not SIG_IGN: children would inherit that.
        signal.signal(handled, _do_nothing)
    raise Interrupted(number)


def _do_nothing(_number: int, _frame: object) -> None:
    pass


@contextmanager
def signals_held() -> Iterator[Callable[[], None]]:
    """No signal comes between two steps that belong together; yields what lets them come again."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    try:
        yield release
    finally:
        release()


@contextmanager
def interrupts_left_to_child() -> Iterator[None]:
    """Ctrl-C is the foreground child's own affair, as it is psql's."""
    before = signal.signal(signal.SIGINT, _do_nothing)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
