"""The genres in the database, and a short-lived copy of their names."""

from time import monotonic
from typing import Final, NamedTuple

from flask import current_app

from movie_api.database import read

# A genre's id is for ever, so an old copy is wrong only about genres that are new or renamed. A new one is
# missed by its name or id and looked up at once; a new name shows after this time.
_KEPT_SECONDS: Final = 10.0
_KEPT_AT: Final = "genre_names"


class GenreNames(NamedTuple):
    """Names by id, ids by folded name, as they were at `read_at` (the monotonic clock, in seconds)."""

    of_id: dict[int, str]
    of_name: dict[str, int]
    read_at: float


def all_genres() -> list[str]:
    """Every genre's name, in alphabetical order."""
    return [name for (name,) in read("SELECT name FROM genres ORDER BY lower(name), name")]


def folded(name: str) -> str:
    """What tells one genre from another."""
    return name.casefold()


def genre_ids(names: list[str]) -> list[int] | None:
    """The ids of the genres with these names, case aside; None if one of them is unknown."""
    wanted = [folded(name) for name in names]
    known = _kept().of_name
    if not all(name in known for name in wanted):
        known = _read_again().of_name
    try:
        return [known[name] for name in wanted]
    except KeyError:
        return None


def genre_names(ids: list[int]) -> dict[int, str]:
    """The names of at least these genres, by id."""
    known = _kept().of_id
    if not all(one in known for one in ids):
        known = _read_again().of_id
    return known


def _kept() -> GenreNames:
    kept: GenreNames | None = current_app.extensions.get(_KEPT_AT)
    if kept is None or monotonic() - kept.read_at > _KEPT_SECONDS:
        return _read_again()
    return kept


def _read_again() -> GenreNames:
    rows = read("SELECT id, name FROM genres")
    names = GenreNames(dict(rows), {folded(name): one for one, name in rows}, monotonic())
    current_app.extensions[_KEPT_AT] = names
    return names
