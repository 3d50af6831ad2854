"""Lists of movies that a text finds: which tiers they have, and how a page of them is read.

A movie belongs to the first of these tiers that holds it, and none is cut short before it is sorted:

0. one of its titles is what was asked for, articles and blanks aside;
1. its titles have every word, the last one maybe as a beginning;
2. the same with corrected words (`corrections.py`), by how many corrections that takes.

Within a tier the order is that of votes, so a list by relevance is a few lists by votes, one after the other,
and every page is read as `keyset.py` reads lists. Sorted by anything else, the tiers are one.

What a text finds is read in one of two ways, whatever the planner thinks of the words. Of frequent words, the
index of the sort is walked from the page's place on, and each movie's words are looked at: some hundreds of
movies give a page. Of rare words, all matches come from the index of words and are sorted. A walk that does
not fill its page within some thousands of movies gives way to that: docs/decisions/0006-search.md.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

from movie_api.database import read
from movie_api.http.cursors import Place, Side
from movie_api.http.pages import Page, PageAsked
from movie_api.http.parameters import Query, invalid
from movie_api.http.problems import Fault
from movie_api.keyset import page_of, stretches
from movie_api.movies.corrections import Alternative, alternatives, matching
from movie_api.movies.filters import RELEVANCE, SORTS, Sort
from movie_api.movies.queries import COLUMNS, Conditions, conditions_of, not_in_list, shown
from movie_api.movies.words import Asked, all_words, asked_words, exactly
from movie_api.reader import Row

SUGGESTIONS: Final = 8

FEW: Final = 5
"""Where fewer movies have the words as they stand, other words are tried."""

_WALKED: Final = 3_000
"""How many movies a walk looks at before it gives way."""

_SORTED: Final = 4_000
"""So many matches are sorted without trying a walk."""

_CORRECTED: Final = 2
_BY_VOTES: Final = SORTS["votes"]
# Behind every movie: those without votes come last, by their ids.
_END: Final = Place(Side.UPTO, None, "ffffffff-ffff-ffff-ffff-ffffffffffff")


class Tier(NamedTuple):
    """A part of a list.

    Attributes:
        number: As above.
        cost: How many corrections its words took.
        match: The tsquery that its movies match, and no movie of an earlier tier.
        most: How many movies that may be; about.
        corrected: What its words were corrected to, as cursors carry it; None where none was.
    """

    number: int
    cost: int
    match: str
    most: int
    corrected: list[Alternative] | None = None


class Search(NamedTuple):
    """One search.

    Attributes:
        asked: What was asked for.
        conditions: Of the filters, on movies by genre.
        of_movies: The same on movies alone.
        limit: How many rows a page needs.
        kept: The first rows of lists that were read, and up to how many: those that tell whether words are
            to be corrected are often the page's own.
    """

    asked: Asked
    conditions: Conditions
    of_movies: Conditions
    limit: int
    kept: dict[tuple[str, str, bool], tuple[int, list[Row]]]


_Found = tuple[Row, Tier]


def search_page(query: Query, asked: PageAsked) -> Page:
    """One page of the movies that the query's text finds and that match every filter.

    Raises:
        Problem: If the text has too many words, or `after_id` is not of this list.
    """
    limit = asked.size + 1
    search = _search(query, limit)
    if search is None:
        if asked.after_id is not None:
            raise not_in_list(asked.after_id)
        return Page([], None, None)
    name = query.get("sort", RELEVANCE)
    is_by_relevance = name == RELEVANCE
    sort = _BY_VOTES if is_by_relevance else SORTS[name]
    is_descending = is_by_relevance or bool(query.get("desc", False))
    place = asked.place
    if asked.after_id is not None:
        place = _place_of(asked.after_id, search, sort, is_by_relevance=is_by_relevance)
    found: list[_Found] = []
    parts = _parts(search, place) if is_by_relevance else _whole(search, place)
    for tier, inner in parts:
        wanted = limit - len(found)
        rows = _rows(search, tier, sort, inner, wanted, is_descending=is_descending)
        found += [(row, tier) for row in rows]
        if len(found) == limit:
            break
    page = page_of(found, place, asked.size, _position)
    return page._replace(items=shown([row for row, _ in page.items]))


def suggestions(query: Query) -> list[dict[str, Any]]:
    """The first movies that what was typed so far finds as it stands.

    Raises:
        Problem: If there is no text, or it has too many words.
    """
    if "q" not in query:
        raise invalid(Fault("query", "q", "must be given: what was typed so far"))
    search = _search(query, SUGGESTIONS)
    rows: list[Row] = []
    if search is not None:
        for tier in islice(_tiers(search, []), _CORRECTED):
            rows += _rows(search, tier, _BY_VOTES, None, SUGGESTIONS - len(rows), is_descending=True)
            if len(rows) == SUGGESTIONS:
                break
    return [{"id": row[0], "title": row[1], "year": row[3]} for row in rows]


def _search(query: Query, limit: int) -> Search | None:
    """What the query asks for; None if no movie can match."""
    asked = asked_words(query["q"])
    conditions, of_movies = conditions_of(query), conditions_of(query, by_genre=False)
    if asked is None or conditions is None or of_movies is None:
        return None
    return Search(asked, conditions, of_movies, limit, {})


def _position(found: _Found) -> tuple[list[object], str]:
    row, tier = found
    return [tier.number, tier.cost, row[-1], tier.corrected], row[0]


def _parts(search: Search, place: Place | None) -> Iterator[tuple[Tier, Place | None]]:
    """The tiers that a page by relevance is read from, in walking order, and where in them it begins."""
    if place is None:
        yield from ((tier, None) for tier in _tiers(search))
        return
    number, cost, value, corrected = place.value
    inner = Place(place.side, value, place.id)
    before: list[Tier] = []
    tiers = _tiers(search, corrected)
    for tier in tiers:
        if (tier.number, tier.cost) == (number, cost):
            yield tier, inner
            break
        before.append(tier)
    if place.side.is_backward:
        yield from ((tier, _END) for tier in reversed(before))
    else:
        yield from ((tier, None) for tier in tiers)


def _whole(search: Search, place: Place | None) -> list[tuple[Tier, Place | None]]:
    """All tiers as one, as lists with a sort of their own are read from."""
    if place is None:
        corrected, inner = _corrected(search), None
    else:
        *_, value, corrected = place.value
        inner = Place(place.side, value, place.id)
    return [(_united(search.asked, corrected), inner)]


def _united(asked: Asked, corrected: list[Alternative]) -> Tier:
    matches = [exactly(asked), all_words(asked), *(matching(one, asked) for one in corrected)]
    match = " | ".join(f"({one})" for one in matches)
    most = min(asked.movies) + sum(one[1] for one in corrected)
    return Tier(_CORRECTED + 1, 0, match, most, corrected)


def _tiers(search: Search, corrected: list[Alternative] | None = None) -> Iterator[Tier]:
    """Every tier; words are corrected as a cursor says, and without one when it is their turn."""
    asked = search.asked
    earlier = [exactly(asked), all_words(asked)]
    yield from _uncorrected(asked)
    if corrected is None:
        corrected = _corrected(search)
    for one in corrected:
        match = matching(one, asked)
        yield Tier(_CORRECTED, one[0], f"({match}){_none_of(earlier)}", one[1], corrected)
        earlier.append(match)


def _uncorrected(asked: Asked) -> tuple[Tier, Tier]:
    """The tiers of movies that have the words as they stand."""
    exact, every, most = exactly(asked), all_words(asked), min(asked.movies)
    return Tier(0, 0, exact, most), Tier(1, 0, f"({every}) & !{exact}", most)


def _none_of(matches: list[str]) -> str:
    return "".join(f" & !({one})" for one in matches)


def _corrected(search: Search) -> list[Alternative]:
    """What may be meant instead, if few movies have the words as they stand; none that no movie matches."""
    count = 0
    for tier in _uncorrected(search.asked):
        count += len(_first_rows(search, tier))
        if count >= FEW:
            return []
    kept: list[Alternative] = []
    earlier = [exactly(search.asked), all_words(search.asked)]
    for one in alternatives(search.asked, is_found=count > 0):
        match = matching(one, search.asked)
        tier = Tier(_CORRECTED, one[0], f"({match}){_none_of(earlier)}", one[1])
        rows = _first_rows(search, tier)
        earlier.append(match)
        if rows:
            kept.append(one)
            count += len(rows)
        if count >= FEW:
            break
    return kept


def _first_rows(search: Search, tier: Tier) -> list[Row]:
    return _rows(search, tier, _BY_VOTES, None, max(FEW, search.limit), is_descending=True)


def _place_of(after_id: str, search: Search, sort: Sort, *, is_by_relevance: bool) -> Place:
    key = "imdb_id" if after_id.startswith("tt") else "id"
    tiers = _tiers(search) if is_by_relevance else (tier for tier, _ in _whole(search, None))
    for tier in tiers:
        rows = read(
            f"""
            SELECT {sort.column}, id FROM movies JOIN movie_search ON movie_id = id
            WHERE {key} = %s AND vector @@ %s::tsquery AND {search.of_movies.where}
            """,  # noqa: S608
            (after_id, tier.match, *search.of_movies.values),
        )
        for value, movie_id in rows:
            return Place(Side.AFTER, [tier.number, tier.cost, value, tier.corrected], movie_id)
    raise not_in_list(after_id)


def _rows(
    search: Search, tier: Tier, sort: Sort, place: Place | None, limit: int, *, is_descending: bool
) -> list[Row]:
    """At most `limit` rows of `COLUMNS` and the sort value, away from the place, nearest first."""
    if place is not None:
        return _read_rows(search, tier, sort, place, limit, is_descending=is_descending)
    key = (tier.match, sort.name, is_descending)
    kept_limit, rows = search.kept.get(key, (0, []))
    if limit > kept_limit and len(rows) == kept_limit:
        rows = _read_rows(search, tier, sort, None, limit, is_descending=is_descending)
        search.kept[key] = (limit, rows)
    return rows[:limit]


def _read_rows(
    search: Search, tier: Tier, sort: Sort, place: Place | None, limit: int, *, is_descending: bool
) -> list[Row]:
    if tier.most > _SORTED:
        rows = _walked(search, tier, sort, place, limit, is_descending=is_descending)
        if rows is not None:
            return rows
    is_backward = place is not None and place.side.is_backward
    nulls = "FIRST" if is_backward else "LAST"
    along = "DESC" if is_descending != is_backward else "ASC"
    order = f"{sort.column} {along} NULLS {nulls}, id {'DESC' if is_backward else 'ASC'}"
    parts = stretches(sort.column, place, is_descending=is_descending, has_nulls=sort.has_nulls)
    conditions = search.of_movies
    # OFFSET 0: without it, the planner would think of walking the index of the sort after all.
    return read(
        f"""
        SELECT {COLUMNS}, {sort.column} FROM (
            SELECT id FROM (
                SELECT id, {sort.column} FROM movie_search JOIN movies ON id = movie_id
                WHERE vector @@ %s::tsquery AND {conditions.where}
                    AND ({" OR ".join(f"({part.condition})" for part in parts)})
                OFFSET 0
            ) AS found
            ORDER BY {order} LIMIT %s
        ) AS page JOIN movies USING (id)
        ORDER BY {order}
        """,  # noqa: S608
        (tier.match, *conditions.values, *(value for part in parts for value in part.values), limit),
    )


def _walked(
    search: Search, tier: Tier, sort: Sort, place: Place | None, limit: int, *, is_descending: bool
) -> list[Row] | None:
    """The same by a walk along the sort's index; None if it led too far."""
    conditions = search.conditions
    found: list[Row] = []
    for stretch in stretches(sort.column, place, is_descending=is_descending, has_nulls=sort.has_nulls):
        rows = read(
            f"""
            WITH walked AS MATERIALIZED (
                SELECT id, {sort.column} FROM {conditions.table}
                WHERE {conditions.where} AND {stretch.condition}
                ORDER BY {stretch.order} LIMIT %s
            )
            SELECT {COLUMNS}, {sort.column}, passed.movies
            FROM (SELECT count(*) AS movies FROM walked) AS passed
            LEFT JOIN (
                SELECT walked.id FROM walked JOIN movie_search ON movie_id = walked.id
                WHERE vector @@ %s::tsquery
                ORDER BY {stretch.order} LIMIT %s
            ) AS page ON true
            LEFT JOIN movies USING (id)
            ORDER BY {stretch.order}
            """,  # noqa: S608
            (*conditions.values, *stretch.values, _WALKED, tier.match, limit - len(found)),
        )
        found += [row[:-1] for row in rows if row[0] is not None]
        if len(found) == limit:
            return found
        if rows[0][-1] == _WALKED:
            return None
    return found
