"""Keyset pagination in SQL: the stretches of an index that a page is read from.

A list's order is always: the sort value in the direction asked, rows without one last, ties by id ascending.
An index on (value, id) holds each page as at most three stretches, read one after the other until the page
is full. One statement with OR, or with UNION ALL, would leave it to the planner whether to read them all.

Source: Markus Winand, "We need tool support for keyset pagination" (use-the-index-luke.com/no-offset).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from movie_api.http.cursors import Place, Side
from movie_api.http.pages import Page


class Stretch(NamedTuple):
    """A part of an index: the condition that bounds it, its values, and the order it is read in."""

    condition: str
    values: tuple[Any, ...]
    order: str


def stretches(column: str, place: Place | None, *, is_descending: bool, has_nulls: bool) -> list[Stretch]:
    """What a page is read from, in walking order: away from its place, nearest rows first.

    Args:
        column: The sort value's column; the index is on it and `id`, ascending, nulls last.
        place: Where the page begins, and to which side of it; None on the first page.
        is_descending: Whether the list's values fall.
        has_nulls: Whether a row may lack a value.
    """
    is_backward = place is not None and place.side.is_backward
    along = "DESC" if is_backward else "ASC"
    # Ordered by both columns though all values are alike: by id alone, the planner would think of walking
    # the primary key, and visit the table for each row of it.
    nulls = [Stretch(f"{column} IS NULL", (), f"{column} {along}, id {along}")] if has_nulls else []
    if place is None:
        if not is_descending:
            return [Stretch("true", (), f"{column}, id")]
        return [Stretch(f"{column} IS NOT NULL", (), f"{column} DESC, id"), *nulls]
    beyond = beyond_sign(place)
    if place.value is None:
        rest = Stretch(f"{column} IS NULL AND id {beyond} %s", (place.id,), nulls[0].order)
        if not is_backward:
            return [rest]
        others = "ASC" if is_descending else "DESC"
        return [rest, Stretch(f"{column} IS NOT NULL", (), f"{column} {others}, id DESC")]
    if is_backward:
        nulls = []
    order = f"{column} {along}, id {along}"
    pair = f"({column}, id) {beyond} (%s, %s)"
    if not is_descending:
        return [Stretch(pair, (place.value, place.id), order), *nulls]
    # Values fall while ids rise, which no stretch of the index does: first the rest of those with the same
    # value, then the others, sorted group by group (an incremental sort).
    bound, other_side, others = (">=", ">", "ASC") if is_backward else ("<=", "<", "DESC")
    return [
        Stretch(f"{pair} AND {column} {bound} %s", (place.value, place.id, place.value), order),
        Stretch(f"{column} {other_side} %s", (place.value,), f"{column} {others}, id {along}"),
        *nulls,
    ]


def page_of(
    rows: Sequence[Any], place: Place | None, size: int, position: Callable[[Any], tuple[Any, str]]
) -> Page:
    """The page of these rows, and the places where its neighbours begin.

    Args:
        rows: In walking order: away from the place, nearest first; one more than `size` if there are more.
        place: Where the page begins; None on the first page.
        size: How many rows a page has.
        position: The sort value and the id of a row.
    """
    is_backward = place is not None and place.side.is_backward
    if not rows:
        if place is None:
            return Page([], None, None)
        # Every row on this side is gone by now: the way back begins at the place itself.
        if is_backward:
            return Page([], None, place._replace(side=Side.FROM))
        return Page([], place._replace(side=Side.UPTO), None)
    has_more = len(rows) > size
    kept = list(rows[:size])
    if is_backward:
        kept.reverse()
    before, after = Place(Side.BEFORE, *position(kept[0])), Place(Side.AFTER, *position(kept[-1]))
    if is_backward:
        return Page(kept, before if has_more else None, after)
    return Page(kept, before if place is not None else None, after if has_more else None)


_BEYOND: Final = {(False, False): ">", (False, True): ">=", (True, False): "<", (True, True): "<="}


def beyond_sign(place: Place) -> str:
    """How a row on the place's side compares to the place."""
    return _BEYOND[place.side.is_backward, place.side.takes_place]
