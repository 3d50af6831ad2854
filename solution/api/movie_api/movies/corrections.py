"""Corrected words: for each that no title has, those that titles have and that are written nearly so.

The distance of two words is how many letters are to be put in, left out, replaced or swapped with their
neighbour, each letter touched once: "optimal string alignment".

Source: Leonid Boytsov, "Indexing methods for approximate dictionary searching" (2011), section 2.2.
"""

import itertools
import math
from typing import Any, Final

from movie_api.database import read
from movie_api.movies.words import Asked, one_of_words

Alternative = list[Any]
"""How many corrections are made; how many movies match then, about; and ways to make them: for each word of
the text what may stand in its stead, nothing for one that stays. It is what cursors carry, and JSON holds.
"""

Near = dict[int, list[tuple[str, int]]]
"""Words and how many movies have them, by their distance from another word."""

_SHORTEST: Final = 3
"""Words of fewer letters are as near to most others."""

_SHORTEST_TWICE: Final = 5
"""From so many letters on, two corrections are made in one word."""

_SHORTEST_BEGINNING: Final = 4

_RARE: Final = 20
"""A word that so many movies have is hardly an error, unless no movie has it beside the others."""

_MOST_WORDS_TWICE: Final = 2
"""With more unknown words than this, each is corrected as little as possible."""

_MOST_BYTES: Final = 800
"""Of all words of all ways together: cursors carry them, and are of 2,000 letters at most."""

# PostgreSQL's distance takes a swap for two corrections, so words at up to one more are looked at again. Two
# swaps are four to it, as far as most words are from each other: what they make is asked for itself.
_NEAR: Final = """
SELECT word, movies FROM search_words
WHERE length(word) BETWEEN length(%s) - %s AND length(%s) + %s
    AND (levenshtein_less_equal(word, %s, %s) <= %s OR word = ANY(%s))
ORDER BY movies DESC, word
"""
_BEGINNINGS: Final = """
SELECT beginning, longer.movies
FROM unnest(%s) AS beginning CROSS JOIN LATERAL (
    SELECT sum(movies)::integer AS movies FROM (
        SELECT movies FROM search_words
        WHERE word >= beginning COLLATE "C" AND word < (beginning || chr(1114111)) COLLATE "C"
        LIMIT 1000
    ) AS first_words
) AS longer
WHERE longer.movies IS NOT NULL
ORDER BY longer.movies DESC, beginning
"""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


def alternatives(asked: Asked, *, is_found: bool) -> list[Alternative]:
    """What may be meant instead of the words, the fewest corrections first.

    Words that no title has are corrected, all of them. If titles have each, one of them is another word
    than was meant: each is tried by itself, those that are rare.

    Args:
        asked: The words.
        is_found: Whether some movie has all of them.
    """
    unknown = asked.unknown
    if unknown:
        return _levels([_nearby(asked, place) for place in unknown], unknown, asked, _MOST_BYTES)
    merged: Alternative = [1, 0, []]
    places = [place for place, movies in enumerate(asked.movies) if movies < _RARE or not is_found]
    for place in places:
        near = {apart: words for apart, words in _nearby(asked, place).items() if apart == 1}
        for _, movies_then, ways in _levels([near], (place,), asked, _MOST_BYTES // len(places)):
            merged = [1, merged[1] + movies_then, merged[2] + ways]
    return [merged] if merged[2] else []


def matching(alternative: Alternative, asked: Asked) -> str:
    """The tsquery of movies that match it."""
    *_, ways = alternative
    as_asked = [*([word] for word in asked.words[:-1]), [f"{asked.words[-1]}*"]]
    return " | ".join(
        "(" + " & ".join(one_of_words(words or own) for words, own in zip(way, as_asked, strict=True)) + ")"
        for way in ways
    )


def distance(one: str, other: str) -> int:
    """How many corrections make one word of the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, above, row = row, before, [place]
        for column, other_letter in enumerate(other, 1):
            cost = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + (letter != other_letter))
            is_swap = (
                place > 1 and column > 1 and letter == other[column - 2] and one[place - 2] == other_letter
            )
            row.append(min(cost, above[column - 2] + 1) if is_swap else cost)
    return row[-1]


def _nearby(asked: Asked, place: int) -> Near:
    """Words that titles have, by their distance from the word at this place, the most frequent first."""
    word = asked.words[place]
    if len(word) < _SHORTEST or word.isdecimal():
        return {}
    most = 2 if len(word) >= _SHORTEST_TWICE else 1
    near: Near = {}
    for other, movies in read(
        _NEAR, (word, most, word, most, word, most + 1, most + 1, _swapped_twice(word))
    ):
        apart = distance(word, other)
        if 0 < apart <= most:
            near.setdefault(apart, []).append((other, movies))
    if (
        place in asked.unknown
        and place == len(asked.words) - 1
        and len(word) >= _SHORTEST_BEGINNING
        and word.isascii()
    ):
        # The word may be a beginning, and have an error, too: less likely than an error alone.
        beginnings = read(_BEGINNINGS, (list(_one_apart(word)),))
        known = near.setdefault(2, [])
        known += (
            (f"{beginning}*", movies) for beginning, movies in beginnings if len(beginning) >= _SHORTEST
        )
    return {apart: words for apart, words in sorted(near.items()) if words}


def _swapped_twice(word: str) -> list[str]:
    """Every text that swaps of two pairs of neighbours make of the word."""
    made = set()
    for first, second in itertools.combinations(range(len(word) - 1), 2):
        if second > first + 1:
            letters = list(word)
            for place in (first, second):
                letters[place : place + 2] = letters[place + 1], letters[place]
            made.add("".join(letters))
    return sorted(made)


def _one_apart(word: str) -> set[str]:
    """Every text of plain letters and digits that one correction makes of the word."""
    halves = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    made = {left + right[1:] for left, right in halves if right}
    made |= {left + right[1] + right[0] + right[2:] for left, right in halves if len(right) > 1}
    made |= {left + letter + right[1:] for left, right in halves if right for letter in _LETTERS}
    made |= {left + letter + right for left, right in halves for letter in _LETTERS}
    return made - {word}


def _levels(near: list[Near], places: tuple[int, ...], asked: Asked, most_bytes: int) -> list[Alternative]:
    """Ways to correct the words at these places, each of them, by how many corrections they take."""
    if not all(near):
        return []
    if len(places) > _MOST_WORDS_TWICE:
        near = [dict([next(iter(one.items()))]) for one in near]
    # Each way names a list of words for each place.
    most_bytes //= len(near) * math.prod(len(one) for one in near)
    near = [{apart: _bounded(words, most_bytes) for apart, words in one.items()} for one in near]
    stay = [movies for place, movies in enumerate(asked.movies) if place not in places]
    by_cost: dict[int, Alternative] = {}
    for distances in itertools.product(*near):
        way: list[list[str]] = [[] for _ in asked.words]
        # As many movies as the rarest of the words has, at most.
        most = list(stay)
        for place, one, apart in zip(places, near, distances, strict=True):
            way[place] = [word for word, _ in one[apart]]
            most.append(sum(movies for _, movies in one[apart]))
        level = by_cost.setdefault(sum(distances), [sum(distances), 0, []])
        level[1] += min(most)
        level[2].append(way)
    return [level for _, level in sorted(by_cost.items())]


def _bounded(words: list[tuple[str, int]], most_bytes: int) -> list[tuple[str, int]]:
    """As many of the words, from the first, as take no more bytes than this."""
    kept = []
    for word, movies in words:
        most_bytes -= len(word.encode()) + 3
        if most_bytes < 0:
            break
        kept.append((word, movies))
    return kept
