"""What a movie looks like to callers, and what a new one must be."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from movie_api.genres.schemas import BLANKS, GenreName, matches
from movie_api.http.bodies import whole_number

IMDB_TITLE_ADDRESS: Final = "https://www.imdb.com/title/"

MAXIMUM_TITLE_CHARACTERS: Final = 1_000
MAXIMUM_GENRES: Final = 20
MAXIMUM_LINK_CHARACTERS: Final = 300
FIRST_YEAR: Final = 1874  # Passage de Vénus, the oldest that IMDb has
LAST_YEAR: Final = 2100
MAXIMUM_COUNT: Final = 2_147_483_647
MAXIMUM_RUNTIME_MINUTES: Final = 1_000_000

TITLE_PATTERN: Final = rf"^[^\u0000]*[^{BLANKS}][^\u0000]*$"
IMDB_LINK_PATTERN: Final = (
    r"^https?://((www|m)\.)?imdb\.com/([a-z]{2}(-[a-z]{2})?/)?title/"
    r"tt([0-9]{7}|[1-9][0-9]{7,9})/?(\?([A-Za-z0-9_.~&=+-]|%[0-9A-Fa-f]{2})*)?$"
)
_IMDB_ID: Final = re.compile(r"/(tt[0-9]+)")


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _one_decimal(value: float) -> float:
    # 8.7 has no exact binary form, so neither do its tenths.
    if abs(value * 10 - round(value * 10)) > 1e-9:  # noqa: PLR2004
        raise ValueError("must have at most one decimal")
    return value


def _genre_name(value: Any) -> Any:
    """The name of a genre: a text, or an object that holds nothing but it."""
    if isinstance(value, dict) and set(value) == {"name"}:
        value = value["name"]
    if not isinstance(value, str):
        raise ValueError("must be a text, or an object with a name and nothing else")  # noqa: TRY004
    return value


def _not_taken_away(value: str | None) -> str:
    if value is None:
        raise ValueError("is required: it can be changed, and not taken away")
    return value


_Title = Annotated[
    str,
    Field(max_length=MAXIMUM_TITLE_CHARACTERS),
    matches(TITLE_PATTERN, "must not be blank, and hold no NUL character"),
]
_Genre = Annotated[GenreName, BeforeValidator(_genre_name)]
_ImdbLink = Annotated[
    str,
    Field(max_length=MAXIMUM_LINK_CHARACTERS),
    matches(
        IMDB_LINK_PATTERN, "must be the address of a title at IMDb: https://www.imdb.com/title/tt0111161/"
    ),
]
_Rating = Annotated[float, BeforeValidator(_number), Field(ge=1, le=10), AfterValidator(_one_decimal)]
_Year = Annotated[int, BeforeValidator(whole_number), Field(ge=FIRST_YEAR, le=LAST_YEAR)]
_Votes = Annotated[int, BeforeValidator(whole_number), Field(ge=0, le=MAXIMUM_COUNT)]
_Runtime = Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=MAXIMUM_RUNTIME_MINUTES)]


class NewMovie(BaseModel):
    """A movie that a caller makes; null stands for what is not known."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    title: _Title
    original_title: _Title | None = None
    year: _Year | None = None
    rating: _Rating | None = None
    votes: _Votes | None = None
    runtime: _Runtime | None = None
    genres: Annotated[list[_Genre], Field(max_length=MAXIMUM_GENRES)] = []
    imdb_link: _ImdbLink | None = None


class MoviePatch(BaseModel):
    """What is to be changed of a movie: fields that are left out stay, null takes a value away.

    Source: RFC 7396, JSON Merge Patch. Every field of a movie is a text, a number or a list, which are
    replaced whole, so that nothing is merged below the fields themselves.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    title: Annotated[_Title | None, AfterValidator(_not_taken_away)] = None
    original_title: _Title | None = None
    year: _Year | None = None
    rating: _Rating | None = None
    votes: _Votes | None = None
    runtime: _Runtime | None = None
    genres: Annotated[list[_Genre], Field(max_length=MAXIMUM_GENRES)] | None = None
    imdb_link: _ImdbLink | None = None


def imdb_id_of(link: str | None) -> str | None:
    """The IMDb id that a link names."""
    match = _IMDB_ID.search(link or "")
    return match[1] if match else None


def movie(row: Any, genre_names: Mapping[int, str], people: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """A movie as callers see it.

    Args:
        row: id, title, original_title, year, rating_tenths, votes, runtime_minutes, genre_ids, imdb_id,
            imdb_link, overrides, credits: the number of directors, that of writers, and the people's numbers,
            directors first, then writers, then cast; None for none.
        genre_names: Names of at least this row's genres.
        people: At least this row's, by number.
    """
    rating, imdb_id = row[4], row[8]
    directors, writers, *credited = row[11] or (0, 0)
    named = [people[one] for one in credited]
    return {
        "id": row[0],
        "title": row[1],
        "original_title": row[2],
        "year": row[3],
        "rating": None if rating is None else rating / 10,
        "votes": row[5],
        "runtime": row[6],
        # One may have been merged into another since the row was read; then the row is out of date as well.
        "genres": [{"name": genre_names[one]} for one in row[7] if one in genre_names],
        "directors": named[:directors],
        "writers": named[directors : directors + writers],
        "cast": named[directors + writers :],
        "imdb_link": row[9] or (f"{IMDB_TITLE_ADDRESS}{imdb_id}/" if imdb_id else None),
        "overrides": row[10] or [],
    }
