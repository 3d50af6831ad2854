import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from movie_loader.ids import NO_ID, SeenKeys, keys_of, keys_of_short_ids, random_uuids


def key_of(line):
    padded = line.ljust(16, b"\n")
    first, second = (np.frombuffer(padded[at : at + 8], "<u8").astype(np.uint64) for at in (0, 8))
    keys, tabs = keys_of_short_ids(first, second)
    return int(keys[0]), int(tabs[0])


@pytest.mark.parametrize(
    ("line", "key", "tab"),
    [
        (b"tt0000001\tmovie\t", 1_000 * 16 + 7, 9),
        (b"tt9999999\tmovie\t", 9_999_999_000 * 16 + 7, 9),
        (b"tt10872600\tmovie", 1_087_260_000 * 16 + 8, 10),
        (b"tt99999999\tmovie", 9_999_999_900 * 16 + 8, 10),
    ],
)
def test_ids_of_seven_and_eight_digits_are_read(line, key, tab):
    assert key_of(line) == (key, tab)


@pytest.mark.parametrize(
    "line",
    [
        b"tt000001\tmovie\t",
        b"tt123456789\tmovie",
        b"nm0000001\tmovie\t",
        b"tt00000x1\tmovie\t",
        b"tt0000:01\tmovie\t",
        b"tt0000/01\tmovie\t",
        b"tt\xb000001\tmovie\t",
        b"tt1\tmovie\tabc\t",
        b"tt0000001",
        b"",
    ],
)
def test_nothing_else_is_read_as_a_short_id(line):
    assert key_of(line)[0] == NO_ID


SHORT_IDS = st.from_regex("tt[0-9]{7,8}", fullmatch=True)


@settings(deadline=None)
@given(SHORT_IDS, SHORT_IDS)
def test_keys_rise_as_ids_do_and_each_id_has_one_of_its_own(one, other):
    keys = [key_of(text.encode() + b"\tmovie")[0] for text in (one, other)]
    assert (keys[0] < keys[1], keys[0] == keys[1]) == (one < other, one == other)


@pytest.mark.parametrize("digits", [7, 8])
def test_the_ways_to_make_keys_agree(digits):
    text = "1234567890"[:digits]
    key = keys_of(np.array([int(text)]), np.array([digits]))[0]
    assert key_of(f"tt{text}\tmovie".encode())[0] == key


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(1, 60), max_size=12), max_size=30))
def test_keys_are_new_the_first_time_only_in_whatever_order_they_come(batches):
    seen, expected = SeenKeys(), set()
    for batch in batches:
        is_new = seen.add(np.array(batch, dtype=np.int64))
        for key, its_new in zip(batch, is_new, strict=True):
            assert its_new == (key not in expected)
            expected.add(key)


def test_what_is_remembered_does_not_fall_apart_where_keys_come_in_no_order():
    seen = SeenKeys()
    for start in range(200):
        seen.add(np.arange(start, 10**6, 1000, dtype=np.int64))
    assert len(seen._runs) <= 10


def test_keys_that_come_in_order_are_never_moved():
    seen = SeenKeys()
    for start in range(20):
        seen.add(np.arange(start * 100, start * 100 + 100, dtype=np.int64))
    assert [len(run) for run in seen._runs] == [100] * 20


def test_random_uuids_are_of_version_4_and_never_the_same():
    made = [uuid.UUID(text) for text in random_uuids(1000).to_pylist()]
    assert {(one.version, one.variant) for one in made} == {(4, uuid.RFC_4122)}
    assert len(set(made)) == 1000
