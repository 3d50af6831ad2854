import threading
import time

import pytest
from movie_loader.errors import InterruptedLoadError
from movie_loader.pipes import Stopper, ahead


def test_items_come_whole_and_in_order():
    assert list(ahead(range(100), depth=3, stopper=Stopper())) == list(range(100))


def test_what_the_maker_raises_is_raised_after_the_items_before_it():
    def broken():
        yield 1
        raise ZeroDivisionError

    items = ahead(broken(), depth=3, stopper=Stopper())
    assert next(items) == 1
    with pytest.raises(ZeroDivisionError):
        next(items)


def test_the_maker_runs_only_so_far_ahead():
    made = []

    def numbers():
        for number in range(100):
            made.append(number)
            yield number

    items = ahead(numbers(), depth=2, stopper=Stopper())
    next(items)
    time.sleep(0.05)
    assert len(made) <= 4
    items.close()


def test_the_maker_ends_when_nobody_wants_more():
    is_closed = threading.Event()

    def endless():
        try:
            while True:
                yield 1
        finally:
            is_closed.set()

    items = ahead(endless(), depth=2, stopper=Stopper())
    next(items)
    items.close()
    assert is_closed.wait(2)


def test_a_stop_reaches_who_waits():
    stopper = Stopper()
    never = threading.Event()

    def stuck():
        never.wait(5)
        never.wait(0.05)
        yield 1

    stopper.on_stop(never.set)
    threading.Timer(0.05, stopper.stop).start()
    items = ahead(stuck(), depth=2, stopper=stopper)
    with pytest.raises(InterruptedLoadError):
        next(items)


def test_a_stop_that_came_before_is_heard_too():
    stopper = Stopper()
    stopper.stop()
    with pytest.raises(InterruptedLoadError):
        list(ahead(range(3), depth=1, stopper=stopper))
