"""A cursor is good in its own list, on this server, and unchanged; nowhere else."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from movie_api.http.cursors import MAXIMUM_LENGTH, Cursors, Place, Side, fingerprint
from movie_api.http.problems import INVALID_CURSOR, OTHER_CURSOR, Problem
from movie_database.sort_keys import SORT_KEY_CHARACTERS

ID = "9f0c2f0e-5c1b-4a53-8a52-3d1d5f1d7b11"
LIST = fingerprint({"sort": "rating"})
CURSORS = Cursors(lambda: "a secret of this server, long enough")
PLACE = Place(Side.AFTER, 87, ID)


@given(
    st.builds(
        Place,
        st.sampled_from(Side),
        st.one_of(
            st.none(), st.integers(-(2**31), 2**31), st.text(st.characters(codec="utf-8"), max_size=200)
        ),
        st.just(ID),
    )
)
def test_a_place_comes_back_as_it_was(place):
    assert CURSORS.read(CURSORS.write(place, LIST), LIST) == place


def test_a_cursor_stands_in_an_address_as_it_is():
    longest = CURSORS.write(
        Place(Side.AFTER, "\N{CJK UNIFIED IDEOGRAPH-4E00}" * SORT_KEY_CHARACTERS, ID), LIST
    )
    assert set(longest) <= set(string.ascii_letters + string.digits + "-_")
    assert len(longest) <= MAXIMUM_LENGTH


@given(st.data())
def test_no_changed_cursor_is_taken(data):
    good = CURSORS.write(PLACE, LIST)
    where = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(
        st.sampled_from(string.ascii_letters + string.digits + "-_").filter(lambda one: one != good[where])
    )
    with pytest.raises(Problem) as caught:
        CURSORS.read(good[:where] + other + good[where + 1 :], LIST)
    assert caught.value.kind is INVALID_CURSOR


@pytest.mark.parametrize(
    "change", [lambda one: one[:-1], lambda one: one + "A", lambda _: "A", lambda one: one * 2]
)
def test_a_cursor_that_was_cut_or_lengthened_is_not_taken(change):
    with pytest.raises(Problem) as caught:
        CURSORS.read(change(CURSORS.write(PLACE, LIST)), LIST)
    assert caught.value.kind is INVALID_CURSOR


def test_a_cursor_whose_last_bits_say_nothing_is_not_taken():
    good = CURSORS.write(Place(Side.AFTER, None, ID), LIST)
    assert len(good) % 4, "no loose bits"
    for last in string.ascii_letters + string.digits + "-_":
        if last != good[-1]:
            with pytest.raises(Problem):
                CURSORS.read(good[:-1] + last, LIST)


def test_a_cursor_of_another_server_is_not_taken():
    theirs = Cursors(lambda: "a secret of another server, long enough").write(PLACE, LIST)
    with pytest.raises(Problem) as caught:
        CURSORS.read(theirs, LIST)
    assert caught.value.kind is INVALID_CURSOR


def test_a_cursor_of_another_list_is_told_as_such():
    with pytest.raises(Problem) as caught:
        CURSORS.read(CURSORS.write(PLACE, LIST), fingerprint({"sort": "votes"}))
    assert caught.value.kind is OTHER_CURSOR


def test_the_same_filters_in_another_order_are_the_same_list():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
