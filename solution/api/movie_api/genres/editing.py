"""Genres that editors make, rename, merge and delete.

A name that a genre loses is its alias: the dumps go on using it, and mean this genre. All movies of a genre
change with its name, for they are shown with it.
"""

from typing import Any, Final, NamedTuple

from flask import current_app
from sqlalchemy import Connection, Row, text

from movie_api import audit, first_answers
from movie_api.catalogue import Change, change
from movie_api.genres.queries import LOCK, ONE, folded, found
from movie_api.http.access import Caller
from movie_api.http.conditional import Precondition, Version
from movie_api.http.idempotency import Once
from movie_api.http.problems import GENRE_EXISTS, GENRE_IN_USE, NO_SUCH_GENRE, SAME_GENRE, Fault, Problem

# Of a genre that a third of all movies have, each is written anew; and who reloads holds them all.
_PATIENCE_SECONDS: Final = 15

_HOLD: Final = text("SELECT id, name FROM genres WHERE id = :id FOR UPDATE")
_MEANT: Final = text("SELECT id, name FROM genres UNION ALL SELECT genre_id, name FROM genre_aliases")
_INSERT: Final = text("INSERT INTO genres (name, changed_in) VALUES (:name, :change) RETURNING id")
_RENAME: Final = text("UPDATE genres SET name = :name, changed_in = :change WHERE id = :id")
_TOUCH: Final = text("UPDATE genres SET changed_in = :change WHERE id = :id")
_DELETE: Final = text("DELETE FROM genres WHERE id = :id")
_ADD_ALIAS: Final = text("INSERT INTO genre_aliases (name_key, name, genre_id) VALUES (:key, :name, :id)")
_DROP_ALIAS: Final = text("DELETE FROM genre_aliases WHERE name_key = :key")
_HAND_ALIASES_OVER: Final = text("UPDATE genre_aliases SET genre_id = :into WHERE genre_id = :id")
# Retired movies are shown to nobody; one that comes back changes by that.
_TOUCH_MOVIES: Final = text(
    "UPDATE movies SET changed_in = :change"
    " WHERE id IN (SELECT movie_id FROM movie_genres WHERE genre_id = :id)"
)
_COUNT: Final = text("SELECT count(*) FROM movies WHERE genre_ids @> ARRAY[:id]")
_MOVE_MOVIES: Final = text("""
    UPDATE movies SET changed_in = :change, genre_ids = ARRAY(
        SELECT one
        FROM unnest(array_replace(genre_ids, :id, :into)) WITH ORDINALITY AS each_one (one, position)
        GROUP BY one ORDER BY min(position)
    )
    WHERE genre_ids @> ARRAY[:id]
""")


class Edited(NamedTuple):
    """A genre, as it is after a change, and the version that it then has."""

    genre: dict[str, Any]
    version: Version


def create_genre(name: str, creator: Caller, once: Once | None) -> dict[str, Any]:
    """The new genre.

    Args:
        name: What it is called.
        creator: Who makes it.
        once: By what the request is known if it comes again; then it is the genre that was made first.

    Raises:
        Problem: If there is a genre with this name, or it is another name of one.
    """
    with change() as making:
        connection = making.connection
        made_before = first_answers.claim(connection, creator, once)
        if made_before is not None:
            making.is_void = True
            return dict(made_before)
        _must_be_free(connection, name)
        genre_id = connection.execute(_INSERT, {"name": name, "change": making.id}).scalar_one()
        made = {"id": genre_id, "name": name}
        _record(making, creator, "genre.create", genre_id, before=None, after=made)
        first_answers.keep(connection, creator, once, made)
    return made


def rename_genre(genre_id: int, name: str, precondition: Precondition, editor: Caller) -> Edited:
    """The genre has this name, and its old one is an alias.

    Raises:
        Problem: If there is no such genre, it was changed meanwhile, or the name is another's.
    """
    with change() as making:
        connection = making.connection
        _be_patient(connection)
        held, version = _hold(connection, genre_id)
        precondition.check(version)
        if held.name == name:
            making.is_void = True
            return Edited({"id": genre_id, "name": name}, version)
        _must_be_free(connection, name, but_for=genre_id)
        connection.execute(_DROP_ALIAS, {"key": folded(name)})
        connection.execute(_RENAME, {"id": genre_id, "name": name, "change": making.id})
        if folded(held.name) != folded(name):
            _add_alias(connection, held.name, genre_id)
        connection.execute(_TOUCH_MOVIES, {"id": genre_id, "change": making.id})
        _record(making, editor, "genre.rename", genre_id, before={"name": held.name}, after={"name": name})
    return _edited(genre_id, name, making)


def delete_genre(genre_id: int, precondition: Precondition, editor: Caller) -> None:
    """There is no such genre any more.

    Raises:
        Problem: If there is none, it was changed meanwhile, or movies have it.
    """
    with change() as making:
        connection = making.connection
        held, version = _hold(connection, genre_id)
        precondition.check(version)
        # Who gave it to a movie meanwhile has waited, or is waited for.
        count = connection.execute(_COUNT, {"id": genre_id}).scalar_one()
        if count:
            movies = "1 movie has" if count == 1 else f"{count} movies have"
            raise Problem(
                GENRE_IN_USE,
                f"{movies} the genre {held.name}, retired ones included.",
                [Fault("path", "id", f"is in use: {movies} it")],
            )
        connection.execute(_DELETE, {"id": genre_id})
        _record(making, editor, "genre.delete", genre_id, before={"name": held.name}, after=None)


def merge_genres(genre_id: int, into_id: int, editor: Caller) -> Edited:
    """Movies of the one genre have the other one instead, and its names are aliases of the other.

    Raises:
        Problem: If one of them is not there, or they are the same.
    """
    if genre_id == into_id:
        raise Problem(
            SAME_GENRE,
            "A genre can't be merged into itself.",
            [Fault("body", "into", "must be another genre than the one in the path")],
        )
    with change() as making:
        connection = making.connection
        _be_patient(connection)
        # In the order of their ids, or two merges might wait for each other.
        held = {one: _hold(connection, one)[0] for one in sorted((genre_id, into_id))}
        name, into_name = held[genre_id].name, held[into_id].name
        values = {"id": genre_id, "into": into_id, "change": making.id}
        connection.execute(_MOVE_MOVIES, values)
        connection.execute(_HAND_ALIASES_OVER, values)
        connection.execute(_DELETE, values)
        _add_alias(connection, name, into_id)
        connection.execute(_TOUCH, {"id": into_id, "change": making.id})
        after = {"into": {"id": into_id, "name": into_name}}
        _record(making, editor, "genre.merge", genre_id, before={"name": name}, after=after)
    return _edited(into_id, into_name, making)


def _hold(connection: Connection, genre_id: int) -> tuple[Row[Any], Version]:
    """The genre, which nobody else changes or gives to a movie before the end of the transaction."""
    # Names are given by one transaction at a time: see `find_or_create`.
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    held = connection.execute(_HOLD, {"id": genre_id}).one_or_none()
    if held is None:
        raise Problem(NO_SUCH_GENRE, f"There is no genre with the id {genre_id}.")
    return held, found(tuple(connection.exec_driver_sql(ONE, (genre_id,)).one())).version


def _must_be_free(connection: Connection, name: str, but_for: int | None = None) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    for one, other in connection.execute(_MEANT):
        if folded(other) == folded(name) and one != but_for:
            raise Problem(
                GENRE_EXISTS,
                f"{other} is a name of the genre with the id {one}.",
                [Fault("body", "name", f"is a name of the genre with the id {one}")],
            )


def _add_alias(connection: Connection, name: str, genre_id: int) -> None:
    connection.execute(_ADD_ALIAS, {"key": folded(name), "name": name, "id": genre_id})


def _be_patient(connection: Connection) -> None:
    seconds = current_app.extensions["settings"].statement_timeout_seconds + _PATIENCE_SECONDS
    connection.execute(
        text("SELECT set_config('statement_timeout', :timeout, true)"), {"timeout": f"{seconds:.0f}s"}
    )


def _record(making: Change, editor: Caller, action: str, genre_id: int, *, before: Any, after: Any) -> None:
    making.has_genres = True
    audit.record(making.connection, editor, action, str(genre_id), {"before": before, "after": after})


def _edited(genre_id: int, name: str, making: Change) -> Edited:
    row = (genre_id, name, making.id, making.generation, making.changed_at_microseconds, making.id)
    return Edited({"id": genre_id, "name": name}, found(row).version)
