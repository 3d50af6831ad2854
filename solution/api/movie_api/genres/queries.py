"""The genres in the database, and a short-lived copy of their names."""

import unicodedata
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any, Final, NamedTuple

from flask import current_app
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from movie_api.catalogue import genres_seen_changed_in, note_genres
from movie_api.database import read, read_one
from movie_api.genres.models import Genre
from movie_api.http.conditional import Version
from movie_api.reader import Row

# A genre's id is for ever, so an old copy is wrong only about genres that are new or changed. A new one is
# missed by its name or id and looked up at once; that an editor changed one, each request sees by
# catalogue_state. What is old after this time are the shares.
_KEPT_SECONDS: Final = 10.0
_KEPT_AT: Final = "genre_names"
LOCK: Final = 0x67656E7265  # "genre"


# Counting a million rows every few seconds would cost more than it saves: the planner's own figures will do.
_NAMES_AND_SHARES: Final = """
SELECT genres.id, genres.name, coalesce(shares.share, 0), catalogue_state.genres_changed_in,
    ARRAY(SELECT name FROM genre_aliases WHERE genre_id = genres.id)
FROM catalogue_state LEFT JOIN genres ON true LEFT JOIN (
    SELECT unnest(most_common_vals::text::integer[]) AS id, unnest(most_common_freqs) AS share
    FROM pg_stats
    WHERE schemaname = current_schema() AND tablename = 'movie_genres' AND attname = 'genre_id'
) AS shares ON shares.id = genres.id
"""


_NAMES: Final = text("SELECT id, name FROM genres UNION ALL SELECT genre_id, name FROM genre_aliases")
# Who deletes a genre waits for this, and then counts the movies that were made meanwhile.
_HOLD: Final = text("SELECT id FROM genres WHERE id = ANY(:ids) FOR KEY SHARE")


# The genre and its version in one look, so that they are of one moment.
ONE: Final = """
SELECT genres.id, genres.name, genres.changed_in, latest.generation,
    (extract(epoch FROM change.changed_at) * 1000000)::bigint, latest.genres_changed_in
FROM genres
JOIN catalogue_changes AS change ON change.id = genres.changed_in
CROSS JOIN catalogue_state AS latest
WHERE genres.id = %s
"""


class GenreNames(NamedTuple):
    """Names by id, ids by folded name, as they were at `read_at` (the monotonic clock, in seconds).

    `of_name` has the names, too, that genres had before. `changed_in` is the last change of an editor's that
    is in it. `shares` is the part of all pairs of movie and genre that is each genre's,
    as of the last ANALYZE.
    """

    of_id: dict[int, str]
    of_name: dict[str, int]
    shares: dict[int, float]
    changed_in: int
    read_at: float


class Found(NamedTuple):
    """A genre that is there, as callers see it."""

    genre: dict[str, Any]
    version: Version


def all_genres() -> list[dict[str, Any]]:
    """Every genre as callers see it, in alphabetical order."""
    rows = read("SELECT id, name FROM genres ORDER BY lower(name), name")
    return [{"id": one, "name": name} for one, name in rows]


def find_genre(genre_id: int) -> Found | None:
    """The genre with this id; None if there is none."""
    row = read_one(ONE, genre_id)
    return None if row is None else found(row)


def found(row: Row) -> Found:
    """What a row of `ONE` says."""
    genre_id, name, changed_in, generation, changed_at, genres_changed_in = row
    note_genres(genres_changed_in)
    version = Version(("genre", genre_id, name, changed_in, changed_at), generation, changed_at)
    return Found({"id": genre_id, "name": name}, version)


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
    (the column compares by COLLATE "C"), so writers that make a genre wait for each other. A name that a
    genre had before is that genre's. None of them is deleted before the end of the transaction.
    """
    wanted = {folded(name): name for name in reversed(names)}
    known = _of_name(connection)
    if not wanted.keys() <= known.keys():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        known = _of_name(connection)
        missing = [{"name": name} for key, name in wanted.items() if key not in known]
        if missing:
            # A load, which does not take this lock, may have made the same one meanwhile.
            connection.execute(insert(Genre).on_conflict_do_nothing(), missing)
            known = _of_name(connection)
    ids = list(dict.fromkeys(known[key] for key in dict.fromkeys(folded(name) for name in names)))
    if len(connection.execute(_HOLD, {"ids": ids}).all()) < len(ids):
        # One was deleted between the two statements: it is made anew, or is now another's.
        return find_or_create(connection, names)
    return ids


def names_in(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """The names of these genres, by id, as this transaction sees them."""
    query = select(Genre.id, Genre.name).where(Genre.id.in_(ids))
    return dict(connection.execute(query).all())


def _of_name(connection: Connection) -> dict[str, int]:
    return {folded(name): one for one, name in connection.execute(_NAMES)}


def _kept() -> GenreNames:
    kept: GenreNames | None = current_app.extensions.get(_KEPT_AT)
    if (
        kept is None
        or monotonic() - kept.read_at > _KEPT_SECONDS
        or kept.changed_in < genres_seen_changed_in()
    ):
        return _read_again()
    return kept


def _read_again() -> GenreNames:
    rows = read(_NAMES_AND_SHARES)
    genres = [row for row in rows if row[0] is not None]
    names = GenreNames(
        of_id={one: name for one, name, *_ in genres},
        of_name={folded(name): one for one, name, _, _, aliases in genres for name in (name, *aliases)},
        shares={one: share for one, _, share, *_ in genres},
        changed_in=rows[0][3],
        read_at=monotonic(),
    )
    current_app.extensions[_KEPT_AT] = names
    return names
