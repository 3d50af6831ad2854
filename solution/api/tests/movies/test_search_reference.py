"""Searches compared with a slow one in Python, on whatever titles and texts hypothesis thinks of."""

import re
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from movie_testing.walks import check_walks

ARTICLES = {"the", "a"}
WORDS = ["the", "a", "nights", "nightz", "night", "knight", "wall-e", "moon", "man's", "42", "zzz"]
FEW = 5
RARE = 20


def keys(title: str) -> list[str]:
    """The title as words: with apostrophes left out, with all as blanks, with nothing in their place."""
    forms = (title.replace("'", ""), title, re.sub(r"[^a-z0-9 ]", "", title))
    return [" ".join(re.split(r"[^a-z0-9]+", form)).strip() for form in forms]


def exact(key: str) -> str:
    first, _, rest = key.partition(" ")
    return (rest if first in ARTICLES and rest else key).replace(" ", "")


def words_of(title: str) -> set[str]:
    return {word for key in keys(title) for word in key.split()}


@cache
def distance(one: str, other: str) -> int:
    """Letters put in, left out, replaced or swapped with their neighbour: by trying all of it."""
    if not one or not other:
        return len(one) + len(other)
    costs = [
        distance(one[1:], other) + 1,
        distance(one, other[1:]) + 1,
        distance(one[1:], other[1:]) + (one[0] != other[0]),
    ]
    if len(one) > 1 and len(other) > 1 and one[0] == other[1] and one[1] == other[0]:
        costs.append(distance(one[2:], other[2:]) + 1)
    return min(costs)


def in_order(made: list, text: str) -> list[str]:
    """Ids of what the text finds, by tier, corrections, votes and id."""
    key = keys(text)[0]
    asked = key.split()
    known = {word for one in made for word in words_of(one.title)}

    def has(one, place: int, replaced: set[str] | None) -> bool:
        words = words_of(one.title)
        if replaced is not None:
            whole = {word for word in replaced if not word.endswith("*")}
            begun = tuple(word[:-1] for word in replaced if word.endswith("*"))
            return bool(words & whole) or any(word.startswith(begun) for word in words if begun)
        is_last = place == len(asked) - 1
        return asked[place] in words or (is_last and any(word.startswith(asked[place]) for word in words))

    def every(one, way: dict[int, set[str]]) -> bool:
        return all(has(one, place, way.get(place)) for place in range(len(asked)))

    tiers = [
        [one for one in made if exact(key) in {exact(other) for other in keys(one.title)}],
        [one for one in made if every(one, {})],
    ]
    if len({one.id for tier in tiers for one in tier}) < FEW:
        for ways in levels(made, asked, known, is_found=any(tiers)):
            tiers.append([one for one in made if any(every(one, way) for way in ways)])
            if len({one.id for tier in tiers for one in tier}) >= FEW:
                break
    ids: list[str] = []
    for tier in tiers:
        ranked = sorted(tier, key=lambda one: (one.votes is None, -(one.votes or 0), one.id))
        ids += [one.id for one in ranked if one.id not in ids]
    return ids


def nearby(asked: list[str], place: int, known: set[str], *, is_unknown: bool) -> dict[int, set[str]]:
    word = asked[place]
    if len(word) < 3 or word.isdecimal():
        return {}
    most = 2 if len(word) >= 5 else 1
    near: dict[int, set[str]] = {}
    for other in known:
        apart = distance(word, other)
        if 0 < apart <= most:
            near.setdefault(apart, set()).add(other)
    if is_unknown and place == len(asked) - 1 and len(word) >= 4:
        begun = {other[:size] for other in known for size in range(3, len(other) + 1)}
        near.setdefault(2, set()).update(f"{one}*" for one in begun if distance(word, one) == 1)
    return {apart: words for apart, words in sorted(near.items()) if words}


def levels(
    made: list, asked: list[str], known: set[str], *, is_found: bool
) -> list[list[dict[int, set[str]]]]:
    """Ways to correct the words, by how many corrections they take."""
    last = len(asked) - 1
    counts = [
        sum(
            word == asked[place] or (place == last and word.startswith(asked[place]))
            for one in made
            for word in words_of(one.title)
        )
        for place in range(len(asked))
    ]
    unknown = [place for place, count in enumerate(counts) if not count]
    if not unknown:
        near = {
            place: nearby(asked, place, known, is_unknown=False).get(1)
            for place, count in enumerate(counts)
            if not is_found or count < RARE
        }
        return [[{place: words} for place, words in near.items() if words]]
    choices = [nearby(asked, place, known, is_unknown=True) for place in unknown]
    if len(unknown) > 2:
        choices = [dict(list(one.items())[:1]) for one in choices]
    by_cost: dict[int, list[dict[int, set[str]]]] = {0: [{}]}
    for place, near in zip(unknown, choices, strict=True):
        longer: dict[int, list[dict[int, set[str]]]] = {}
        for cost, ways in by_cost.items():
            for apart, words in near.items():
                longer.setdefault(cost + apart, []).extend({**way, place: words} for way in ways)
        by_cost = longer
    return [ways for _, ways in sorted(by_cost.items())]


titles = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
texts = st.lists(
    st.sampled_from(
        [*WORDS, "n", "nig", "nihgt", "nigth", "ngihst", "walle", "wal", "mon", "mans", "zz", "kni"]
    ),
    min_size=1,
    max_size=3,
).map(" ".join)


@given(
    rows=st.lists(st.tuples(titles, st.sampled_from([None, 0, 7, 9])), max_size=12),
    text=texts,
    page_size=st.integers(1, 5),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_search_finds_what_a_slow_one_finds_in_its_order(
    api, movies, database_cursor, rows, text, page_size
):
    movies.delete_all()
    database_cursor.execute("DELETE FROM search_words")
    made = (
        movies.create_many(title=[one for one, _ in rows], votes=[votes for _, votes in rows]) if rows else []
    )
    check_walks(api, f"/movies?q={text.replace(' ', '+')}", in_order(made, text), [page_size])
