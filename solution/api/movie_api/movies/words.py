"""What a text asks for: its words as titles have them, and how PostgreSQL is asked for movies with them."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from movie_api.database import read
from movie_api.http.parameters import invalid
from movie_api.http.problems import Fault

MAXIMUM_WORDS: Final = 10

# How many movies have a word; the last one counts as a beginning too, by its first thousand words.
_ASKED: Final = """
WITH asked AS MATERIALIZED (SELECT search_key(%s) COLLATE "C" AS key),
words AS MATERIALIZED (
    SELECT word, place, place = max(place) OVER () AS is_last
    FROM asked, unnest(string_to_array(key, ' ')) WITH ORDINALITY AS words (word, place)
)
SELECT word, search_exact(key),
    CASE WHEN is_last THEN (
        SELECT coalesce(sum(movies), 0) FROM (
            SELECT movies FROM search_words
            WHERE search_words.word >= words.word AND search_words.word < words.word || chr(1114111)
            LIMIT 1000
        ) AS longer
    ) ELSE coalesce((SELECT movies FROM search_words WHERE search_words.word = words.word), 0) END
FROM asked, words
ORDER BY place
"""


class Asked(NamedTuple):
    """What a text asks for.

    Attributes:
        words: In their order.
        movies: For each word, how many movies have it, or begin a word with it if it is the last; about.
        exact: What tells of a title that it is just these words: the lexeme that `search_exact` makes.
    """

    words: tuple[str, ...]
    movies: tuple[int, ...]
    exact: str

    @property
    def unknown(self) -> tuple[int, ...]:
        """Places of the words that no title has."""
        return tuple(place for place, movies in enumerate(self.movies) if not movies)


def asked_words(text: str) -> Asked | None:
    """What the text asks for; None if it holds no word at all.

    Raises:
        Problem: If it has too many words.
    """
    rows = read(_ASKED, (text,))
    if not rows:
        return None
    if len(rows) > MAXIMUM_WORDS:
        raise invalid(Fault("query", "q", f"must have at most {MAXIMUM_WORDS} words; it has {len(rows)}"))
    return Asked(tuple(row[0] for row in rows), tuple(int(row[2]) for row in rows), rows[0][1])


# Words hold letters and digits alone, so quotes are all that a tsquery needs.
def one_of_words(words: Iterable[str]) -> str:
    """The tsquery of movies that have one of the words; one that ends with * is a beginning."""
    return "(" + " | ".join(f"'{word[:-1]}':*" if word.endswith("*") else f"'{word}'" for word in words) + ")"


def exactly(asked: Asked) -> str:
    """The tsquery of movies that have just this title."""
    return f"'{asked.exact}'"


def all_words(asked: Asked) -> str:
    """The tsquery of movies that have every word, the last one maybe as a beginning."""
    *others, last = asked.words
    return " & ".join([*(one_of_words([word]) for word in others), one_of_words([f"{last}*"])])
