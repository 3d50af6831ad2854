import numpy as np
import pandas as pd
import pyarrow as pa
from movie_loader.faults import Effect, Tally
from movie_loader.ratings import RatingTable

INTEGER = pd.ArrowDtype(pa.int64())


def table_of(*rows):
    """A table of (key, tenths, votes)."""
    tally = Tally("ratings")
    frame = pd.DataFrame(
        {
            "rating_tenths": pd.Series([row[1] for row in rows], dtype=INTEGER),
            "votes": pd.Series([row[2] for row in rows], dtype=INTEGER),
        }
    )
    keys = np.array([row[0] for row in rows], dtype=np.int64)
    return RatingTable.gather([(keys, np.arange(2, 2 + len(rows)), frame)], tally), tally


def joined(table, *keys):
    frame = table.join(pd.DataFrame(index=range(5, 5 + len(keys))), np.array(keys, dtype=np.int64))
    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return [tuple(row) for row in rows]


def test_ratings_find_their_titles_whatever_the_order():
    table, _ = table_of((30, 75, 100), (10, 10, 5), (20, 100, 2_000_000_000))
    assert joined(table, 10, 40, 30, 20, 5) == [
        (10, 5),
        (None, None),
        (75, 100),
        (100, 2_000_000_000),
        (None, None),
    ]


def test_a_rating_may_be_half_null():
    table, _ = table_of((10, None, 5), (20, 75, None))
    assert joined(table, 10, 20) == [(None, 5), (75, None)]


def test_of_two_ratings_of_a_title_the_first_stays():
    table, tally = table_of((10, 75, 100), (20, 50, 7), (10, 80, 200))
    assert joined(table, 10, 20) == [(75, 100), (50, 7)]
    assert tally.count(Effect.DUPLICATE) == 1


def test_ratings_without_a_title_are_counted_and_no_fault():
    table, tally = table_of((10, 75, 100), (20, 50, 7), (30, 60, 8))
    table.meet(np.array([-1, 30, 15], dtype=np.int64))
    table.meet(np.array([5], dtype=np.int64))
    table.meet(np.array([], dtype=np.int64))
    table.meet(np.array([10, 99], dtype=np.int64))
    assert table.count_unmet() == 1
    assert tally.count(Effect.REJECTED) == 0
