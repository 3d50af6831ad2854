"""What lists of movies can be asked for: one row a sort, one row a filter."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from movie_api.genres.queries import folded
from movie_api.genres.schemas import MAXIMUM_GENRE_CHARACTERS
from movie_api.http.parameters import (
    Parameter,
    Query,
    Reader,
    flag,
    integer,
    invalid,
    moment,
    number,
    one_of,
    several,
    text,
)
from movie_api.http.problems import Fault
from movie_api.movies.schemas import MAXIMUM_COUNT


@dataclass(frozen=True, slots=True)
class Sort:
    """An order that lists may be asked for in; movies without a value come last in both directions."""

    name: str
    column: str
    index: str
    has_nulls: bool = True


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that lists may be asked for; `%s` is its value."""

    name: str
    condition: str
    type: Reader
    index: str
    most: int = 1
    stored: Callable[[Any], Any] = lambda value: value


def _tenths_below(rating: Decimal) -> int:
    """The last tenth that is not above the rating: 91 for 9.15."""
    return int((rating * 10).to_integral_value(ROUND_FLOOR))


def _person(given: str) -> tuple[str, ...]:
    """One person: names may hold commas."""
    return (text(MAXIMUM_TEXT_CHARACTERS)(given),)


SORTS: Final = {
    sort.name: sort
    for sort in (
        Sort("title", "title_key", index="movies_title_key_idx", has_nulls=False),
        Sort("year", "year", index="movies_year_idx"),
        Sort("rating", "rating_tenths", index="movies_rating_tenths_idx"),
        Sort("votes", "votes", index="movies_votes_idx"),
        Sort("runtime", "runtime_minutes", index="movies_runtime_minutes_idx"),
    )
}
DEFAULT_SORT: Final = "title"
RELEVANCE: Final = "relevance"
"""The order of lists that a text finds, unless they are asked for in another."""

MAXIMUM_TEXT_CHARACTERS: Final = 200

MAXIMUM_PEOPLE: Final = 10
EVERYBODY: Final = "(director_ids || writer_ids || cast_ids)"
"""Everybody of a movie, as the index has them."""

MAXIMUM_GENRES_PER_TEXT: Final = 10
MAXIMUM_GENRE_TEXTS: Final = 10

FILTERS: Final = {
    one.name: one
    for one in (
        Filter(
            "genre",
            "genre_ids @> %s",
            type=several(MAXIMUM_GENRE_CHARACTERS, MAXIMUM_GENRES_PER_TEXT),
            index="movie_genres_title_key_idx",
            most=MAXIMUM_GENRE_TEXTS,
        ),
        Filter(
            "rating_gt", "rating_tenths > %s", number(0, 10), "movies_rating_tenths_idx", stored=_tenths_below
        ),
        Filter("year_gte", "year >= %s", integer(1, 9999), "movies_year_idx"),
        Filter("year_lte", "year <= %s", integer(1, 9999), "movies_year_idx"),
        Filter("votes_gte", "votes >= %s", integer(0, MAXIMUM_COUNT), "movies_votes_idx"),
        # As arrays, which are read once and first: a join, the planner would turn round, and look for each
        # movie of a list whether it is one of the person's.
        Filter(
            "director",
            "id = ANY(ARRAY(SELECT movie_id FROM movie_credits WHERE director_ids && %s::integer[]))",
            type=_person,
            index="movie_credits_director_ids_idx",
            most=MAXIMUM_PEOPLE,
        ),
        Filter(
            "person",
            f"id = ANY(ARRAY(SELECT movie_id FROM movie_credits WHERE {EVERYBODY} && %s::integer[]))",  # noqa: S608
            type=_person,
            index="movie_credits_person_ids_idx",
            most=MAXIMUM_PEOPLE,
        ),
        Filter(
            "person_not",
            f"id NOT IN (SELECT movie_id FROM movie_credits WHERE {EVERYBODY} && %s::integer[])",  # noqa: S608
            type=_person,
            index="movie_credits_person_ids_idx",
            most=MAXIMUM_PEOPLE,
        ),
    )
}

LIST_PARAMETERS: Final = (
    Parameter("q", text(MAXIMUM_TEXT_CHARACTERS)),
    Parameter("sort", one_of(RELEVANCE, *SORTS)),
    Parameter("desc", flag),
    *(Parameter(one.name, one.type, one.most) for one in FILTERS.values()),
    Parameter("include_adult", flag),
)

ROLES: Final = {"director": "director_ids", "writer": "writer_ids", "cast": "cast_ids"}
"""What a person can be in a movie, and where credits have it."""

FILMOGRAPHY_PARAMETERS: Final = (
    Parameter("role", one_of(*ROLES)),
    Parameter("sort", one_of(*SORTS)),
    Parameter("desc", flag),
    Parameter("include_adult", flag),
)

SUGGEST_PARAMETERS: Final = (Parameter("q", text(MAXIMUM_TEXT_CHARACTERS)), Parameter("include_adult", flag))

MAXIMUM_LOAD_ID: Final = 10**18 - 1


def _since(text: str) -> Any:
    """The id of a load, or a time."""
    if text.isdigit():
        return integer(1, MAXIMUM_LOAD_ID)(text)
    try:
        return moment(text)
    except ValueError as error:
        reason = str(error).removeprefix("must be ")
        raise ValueError(f"must be the id of a load (see /dataset/loads), or {reason}") from None


# No after_id: a movie that changes moves to the end, and who begins after it there misses all between.
CHANGES_PARAMETERS: Final = (Parameter("since", _since), Parameter("include_adult", flag))


def changes_identity(query: Query) -> dict[str, Any]:
    """What tells this list of changes from another."""
    return {
        "list": "movies/changes",
        "since": query.get("since"),
        "include_adult": query.get("include_adult", False),
    }


def list_identity(query: Query) -> dict[str, Any]:
    """What tells this list from another: its order and filters, in one form however they were written.

    Raises:
        Problem: If the order is one that this list can't have.
    """
    if query.get("sort") == RELEVANCE and "q" not in query:
        raise invalid(Fault("query", "sort", "can be relevance only beside q: what would it be relevant to?"))
    if "q" in query and query.get("sort", RELEVANCE) == RELEVANCE and query.get("desc", False):
        raise invalid(Fault("query", "desc", "can't stand beside the order by relevance, which has one way"))
    identity = {
        "list": "movies",
        "sort": query.get("sort", RELEVANCE if "q" in query else DEFAULT_SORT),
        "desc": query.get("desc", False),
        "include_adult": query.get("include_adult", False),
    }
    if "q" in query:
        identity["q"] = query["q"]
    for name, one in FILTERS.items():
        if name in query:
            value = query[name]
            identity[name] = sorted({folded(part) for part in value}) if one.most > 1 else one.stored(value)
    return identity
