"""The counters of limits in PostgreSQL."""

import threading
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter
from movie_api.limits import storage
from movie_api.limits.storage import Asked, PostgresStorage


@pytest.fixture
def counters(app):
    with app.app_context():
        yield PostgresStorage()


def test_a_count_rises_and_has_one_window(counters, database_cursor):
    assert [counters.incr("a", 60), counters.incr("a", 600), counters.incr("a", 60, 5)] == [1, 2, 7]
    database_cursor.execute("SELECT expires_at - now() FROM rate_limits")
    assert database_cursor.fetchone()[0] <= timedelta(seconds=60)


def test_each_key_has_a_count_of_its_own(counters):
    assert [counters.incr("a", 60), counters.incr("b", 60)] == [1, 1]


def test_a_window_that_is_over_begins_anew(counters, database_cursor):
    counters.incr("a", 60, 5)
    database_cursor.execute("UPDATE rate_limits SET expires_at = now()")
    assert counters.get("a") == 0
    assert counters.incr("a", 60) == 1
    assert counters.get_expiry("a") == pytest.approx(time.time() + 60, abs=5)


def test_a_negative_amount_gives_back_and_never_more_than_there_is(counters, database_cursor):
    counters.incr("a", 60, 3)
    assert [counters.incr("a", 60, -2), counters.incr("a", 60, -2), counters.incr("a", 60)] == [1, 0, 1]
    assert counters.incr("never counted", 60, -1) == 0
    database_cursor.execute("UPDATE rate_limits SET expires_at = now()")
    assert counters.incr("a", 60, -1) == 0


def test_a_count_never_grows_out_of_its_column(counters, database_cursor):
    counters.incr("a", 60)
    database_cursor.execute("UPDATE rate_limits SET count = 2147483647")
    assert counters.incr("a", 60) > 10**9


def test_what_was_never_counted_is_none(counters):
    assert (counters.get("a"), counters.get_expiry("a")) == (0, 0.0)


def test_a_counter_is_cleared_without_the_others(counters):
    counters.incr("a", 60)
    counters.incr("b", 60)
    counters.clear("a")
    assert (counters.get("a"), counters.get("b")) == (0, 1)


def test_all_counters_are_reset(counters):
    counters.incr("a", 60)
    counters.incr("b", 60)
    assert counters.reset() == 2
    assert (counters.get("a"), counters.get("b")) == (0, 0)


def test_it_knows_whether_the_database_is_there(counters, make_app):
    assert counters.check()
    with make_app(database_url="postgresql://127.0.0.1:1/none").app_context():
        assert not counters.check()


def test_the_strategies_of_the_library_count_on_it(counters):
    limiter = FixedWindowRateLimiter(counters)
    item = RateLimitItemPerMinute(2)
    assert [limiter.hit(item, "x") for _ in range(3)] == [True, True, False]
    window = limiter.get_window_stats(item, "x")
    assert window.remaining == 0
    assert window.reset_time == pytest.approx(time.time() + 60, abs=5)


def test_of_several_counters_all_count_or_none(counters):
    one, other = Asked("one", 1, 60), Asked("other", 5, 60)
    storage.take([one, other])
    with pytest.raises(storage.TooManyError) as refused:
        storage.take([other, one])
    assert [shown.times for shown in refused.value.counted] == [2, 2]
    assert [shown.times for shown in storage.take([other])] == [2]


def test_many_at_once_are_counted_one_after_the_other_in_whatever_order_they_ask(make_app):
    app = make_app(database_pool_size=8)
    one, other = Asked("one", 10, 60), Asked("other", 1000, 60)
    admitted = []

    def ask(number):
        # Any other fault in a thread fails the test: a deadlock, say.
        with app.app_context(), suppress(storage.TooManyError):
            storage.take([one, other] if number % 2 else [other, one])
            admitted.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 10
    with app.app_context():
        assert [shown.times for shown in storage.take([other])] == [11]


def test_counting_on_the_storage_is_one_round_trip(app, queries):
    counters = PostgresStorage()
    with app.app_context():
        counters.incr("a", 60)
        assert queries.count(lambda: counters.incr("b", 60)) == 1
