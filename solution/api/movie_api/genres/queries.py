"""The genres in the database, and a short-lived copy of their names."""

import unicodedata
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Final, NamedTuple

from flask import current_app
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from movie_api.database import read
from movie_api.genres.models import Genre

# A genre's id is for ever, so an old copy is wrong only about genres that are new or renamed. A new one is
# missed by its name or id and looked up at once; a new name shows after this time.
_KEPT_SECONDS: Final = 10.0
_KEPT_AT: Final = "genre_names"
_LOCK: Final = 0x67656E7265  # "genre"


# Counting a million rows every few seconds would cost more than it saves: the planner's own figures will do.
_NAMES_AND_SHARES: Final = """
SELECT genres.id, genres.name, coalesce(shares.share, 0)
FROM genres LEFT JOIN (
    SELECT unnest(most_common_vals::text::integer[]) AS id, unnest(most_common_freqs) AS share
    FROM pg_stats
    WHERE schemaname = current_schema() AND tablename = 'movie_genres' AND attname = 'genre_id'
) AS shares USING (id)
"""


class GenreNames(NamedTuple):
    """Names by id, ids by folded name, as they were at `read_at` (the monotonic clock, in seconds).

    `shares` is the part of all pairs of movie and genre that is each genre's, as of the last ANALYZE.
    """

    of_id: dict[int, str]
    of_name: dict[str, int]
    shares: dict[int, float]
    read_at: float


def all_genres() -> list[str]:
    """Every genre's name, in alphabetical order."""
    return [name for (name,) in read("SELECT name FROM genres ORDER BY lower(name), name")]


def folded(name: str) -> str:
    """What tells one genre from another: its name, case aside.

    Source: Unicode Standard, section 3.13, "canonical caseless matching".
    """
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def genre_ids(names: Iterable[str]) -> list[int] | None:
    """The ids of the genres with these names, case aside, rarest first; None if one of them is unknown."""
    wanted = {folded(name) for name in names}
    kept = _kept()
    if not wanted <= kept.of_name.keys():
        kept = _read_again()
        if not wanted <= kept.of_name.keys():
            return None
    ids = [kept.of_name[name] for name in wanted]
    return sorted(ids, key=lambda one: (kept.shares[one], one))


def genre_names(ids: Iterable[int]) -> dict[int, str]:
    """The names of at least these genres, by id."""
    known = _kept().of_id
    if not known.keys() >= set(ids):
        known = _read_again().of_id
    return known


def find_or_create(connection: Connection, names: Sequence[str]) -> list[int]:
    """The ids of the genres with these names, each once, in this order; those that are new are made.

    Case does not tell two genres apart, in any script. The unique index knows the case of ASCII letters only
    (the column compares by COLLATE "C"), so writers that make a genre wait for each other.
    """
    wanted = {folded(name): name for name in reversed(names)}
    known = _of_name(connection)
    if not wanted.keys() <= known.keys():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        known = _of_name(connection)
        missing = [{"name": name} for key, name in wanted.items() if key not in known]
        if missing:
            # A load, which does not take this lock, may have made the same one meanwhile.
            connection.execute(insert(Genre).on_conflict_do_nothing(), missing)
            known = _of_name(connection)
    return [known[key] for key in dict.fromkeys(folded(name) for name in names)]


def _of_name(connection: Connection) -> dict[str, int]:
    return {folded(name): one for one, name in connection.execute(select(Genre.id, Genre.name))}


def _kept() -> GenreNames:
    kept: GenreNames | None = current_app.extensions.get(_KEPT_AT)
    if kept is None or monotonic() - kept.read_at > _KEPT_SECONDS:
        return _read_again()
    return kept


def _read_again() -> GenreNames:
    rows = read(_NAMES_AND_SHARES)
    names = GenreNames(
        of_id={one: name for one, name, _ in rows},
        of_name={folded(name): one for one, name, _ in rows},
        shares={one: share for one, _, share in rows},
        read_at=monotonic(),
    )
    current_app.extensions[_KEPT_AT] = names
    return names
