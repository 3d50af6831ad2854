"""People by words of their names: beginnings, in any order; those whom most movies name come first.

As with movies (`movies/search.py`), a page is read in one of two ways, whatever the planner thinks of the
words. Of frequent ones, the index of ranks is walked from the page's place on, which has the words,
too. A walk that does not fill its page within some thousands of people gives way: then few have these words,
and all who do come from the index of words and are sorted.
"""

from typing import Any, Final

from movie_api.database import read
from movie_api.http.cursors import Place
from movie_api.http.pages import Page, PageAsked
from movie_api.http.parameters import Query, invalid
from movie_api.http.problems import Fault
from movie_api.keyset import Stretch, page_of, stretches
from movie_api.people.schemas import credited
from movie_api.reader import Row

MAXIMUM_WORDS: Final = 10

_WALKED_PER_ROW: Final = 300
_MOST_WALKED: Final = 10_000
_RANKED: Final = "(SELECT number AS id, rank, words FROM person_search) AS ranked"
_WALK: Final = f"""
WITH walked AS MATERIALIZED (
    SELECT id, rank, words FROM {_RANKED} WHERE {{condition}} ORDER BY {{order}} LIMIT %s
)
SELECT people.id, imdb_id, name, page.rank, page.id, passed.people
FROM (SELECT count(*) AS people FROM walked) AS passed
LEFT JOIN (
    SELECT id, rank FROM walked WHERE words LIKE ALL (%s::text[]) ORDER BY {{order}} LIMIT %s
) AS page ON true
LEFT JOIN people ON people.number = page.id
ORDER BY {{page_order}}
"""  # noqa: S608
# All of them first, and then the page's: told of its place, too, the planner may walk the index of ranks.
_SORT: Final = """
WITH found AS MATERIALIZED (
    SELECT number AS id, rank FROM person_search WHERE person_search_vector(words) @@ %s::tsquery
)
SELECT people.id, imdb_id, name, page.rank, page.id
FROM (SELECT id, rank FROM found WHERE {condition} ORDER BY {order} LIMIT %s) AS page
JOIN people ON people.number = page.id
ORDER BY {page_order}
"""


def person_page(query: Query, asked: PageAsked) -> Page:
    """One page of the people whose names have these words; without any, of all.

    Raises:
        Problem: If there are too many words.
    """
    words: list[str] = []
    if "q" in query:
        ((key,),) = read("SELECT search_key(%s)", (query["q"],))
        words = key.split()
        if not words:
            return Page([], None, None)
    if len(words) > MAXIMUM_WORDS:
        raise invalid(Fault("query", "q", f"must have at most {MAXIMUM_WORDS} words"))
    rows = _rows(words, asked.place, asked.size + 1)
    page = page_of(rows, asked.place, asked.size, lambda row: (row[3], str(row[4])))
    return page._replace(items=[credited(row) for row in page.items])


def person_identity(query: Query) -> dict[str, Any]:
    """What tells this list from another."""
    return {"list": "people", "q": query.get("q")}


def _rows(words: list[str], place: Place | None, limit: int) -> list[Row]:
    """At most `limit` rows, away from the place, nearest first."""
    if place is not None:
        place = place._replace(id=int(place.id))  # type: ignore[arg-type]  # people's numbers
    (stretch,) = stretches("rank", place, is_descending=False, has_nulls=False)
    walked = min(limit * _WALKED_PER_ROW, _MOST_WALKED)
    rows = read(_filled(_WALK, stretch), (*stretch.values, walked, [f"% {word}%" for word in words], limit))
    found = [row for row in rows if row[0] is not None]
    if len(found) == limit or rows[0][-1] < walked:
        return found
    match = " & ".join(f"'{word}':*" for word in words)
    return read(_filled(_SORT, stretch), (match, *stretch.values, limit))


def _filled(statement: str, stretch: Stretch) -> str:
    page_order = ", ".join(f"page.{part}" for part in stretch.order.split(", "))
    return statement.format(condition=stretch.condition, order=stretch.order, page_order=page_order)
