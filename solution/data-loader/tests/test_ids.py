import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from movie_loader.ids import NO_ID, SeenKeys, keys_of_short_ids, random_uuids


def key_of(line):
    padded = line.ljust(16, b"\n")
    first, second = (np.frombuffer(padded[at : at + 8], "<u8").astype(np.uint64) for at in (0, 8))
    keys, tabs = keys_of_short_ids(first, second)
    return int(keys[0]), int(tabs[0])


@pytest.mark.parametrize(
    ("line", "key", "tab"),
    [
        (b"tt0000001\tmovie\t", 10_000_001, 9),
        (b"tt9999999\tmovie\t", 19_999_999, 9),
        (b"tt10872600\tmovie", 110_872_600, 10),
        (b"tt99999999\tmovie", 199_999_999, 10),
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


@given(st.integers(0, 99_999_999), st.sampled_from([7, 8]))
def test_every_short_id_has_a_key_of_its_own(number, digits):
    text = f"{number % 10**digits:0{digits}}"
    assert key_of(b"tt" + text.encode() + b"\tmovie")[0] == int("1" + text)


@given(st.lists(st.lists(st.integers(1, 40), max_size=12), max_size=12))
def test_keys_are_new_the_first_time_only_in_whatever_order_they_come(batches):
    seen, expected = SeenKeys(), set()
    for batch in batches:
        is_new = seen.add(np.array(batch, dtype=np.int64))
        for key, its_new in zip(batch, is_new, strict=True):
            assert its_new == (key not in expected)
            expected.add(key)


def test_random_uuids_are_of_version_4_and_never_the_same():
    made = [uuid.UUID(text) for text in random_uuids(1000).to_pylist()]
    assert {(one.version, one.variant) for one in made} == {(4, uuid.RFC_4122)}
    assert len(set(made)) == 1000
