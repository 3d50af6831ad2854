"""The movies that a person made."""

from typing import Any, Final

from movie_api.http.pages import Page, PageAsked
from movie_api.http.parameters import Query
from movie_api.movies.filters import EVERYBODY, ROLES, SORTS
from movie_api.movies.queries import Conditions, page_under

_DEFAULT_SORT: Final = "year"


def filmography_page(person_number: int, query: Query, asked: PageAsked) -> Page:
    """One page of the person's movies, the newest first unless another order is asked for.

    Raises:
        Problem: If `after_id` is not of this list.
    """
    # Of the roles, directors alone have an index of their own.
    mine = [f"{EVERYBODY} @> ARRAY[%s]"]
    if "role" in query:
        mine.append(f"{ROLES[query['role']]} @> ARRAY[%s]")
    where = (
        f"id = ANY(ARRAY(SELECT movie_id FROM movie_credits WHERE {' AND '.join(mine)}))"  # noqa: S608
        " AND retired_at IS NULL"
    )
    if not query.get("include_adult", False):
        where += " AND NOT is_adult"
    conditions = Conditions("movies", where, (person_number,) * len(mine))
    sort, is_descending = _order(query)
    return page_under(conditions, SORTS[sort], asked, is_descending=is_descending)


def filmography_identity(person_number: int, query: Query) -> dict[str, Any]:
    """What tells this list from another."""
    sort, is_descending = _order(query)
    return {
        "list": "people/movies",
        "person": person_number,
        "role": query.get("role"),
        "sort": sort,
        "desc": is_descending,
        "include_adult": query.get("include_adult", False),
    }


def _order(query: Query) -> tuple[str, bool]:
    return query.get("sort", _DEFAULT_SORT), query.get("desc", "sort" not in query)
