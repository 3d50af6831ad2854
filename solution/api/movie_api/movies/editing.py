"""Movies that editors make, change, delete and bring back.

A movie that was made through the API is what editors say. One from the dumps follows them in all fields but
those that an editor changed: these are overrides, which loads leave alone. A deletion is one, too. The row of
the movie has the editor's values; `movie_overrides` keeps what the dumps say meanwhile.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from movie_database.sort_keys import sort_key
from sqlalchemy import Connection, func, insert, text, update

from movie_api import audit, first_answers
from movie_api.catalogue import Change, change
from movie_api.genres.queries import names_in
from movie_api.http.access import Caller
from movie_api.http.conditional import Precondition, Version
from movie_api.http.idempotency import Once
from movie_api.http.problems import (
    DUMPED_ID,
    MOVIE_RETIRED,
    NO_SUCH_MOVIE,
    NO_SUCH_OVERRIDE,
    NOT_DELETED,
    Fault,
    Problem,
)
from movie_api.movies.models import Movie
from movie_api.movies.overriding import (
    COLUMNS_OF_FIELDS,
    DELETED,
    Held,
    drop_overrides,
    dumped_values,
    keep_overrides,
    override,
    stored_values,
)
from movie_api.movies.queries import COLUMNS, ONE, credited, found, version_of
from movie_api.movies.schemas import IMDB_TITLE_ADDRESS, MoviePatch, NewMovie, imdb_id_of, movie
from movie_api.people.queries import people_in

_LOCK: Final = "SELECT id, source FROM movies WHERE {column} = %s FOR NO KEY UPDATE"
_OVERRIDDEN: Final = text(
    "(SELECT array_agg(field::text ORDER BY field) FROM movie_overrides WHERE movie_id = movies.id)"
)


class Edited(NamedTuple):
    """A movie, as it is after a change, and the version that it then has."""

    movie: dict[str, Any]
    version: Version


def create_movie(new: NewMovie, creator: Caller | None, once: Once | None) -> dict[str, Any]:
    """The new movie, as it is in the database from now on.

    Args:
        new: What it is.
        creator: Who makes it; None: nobody that is known.
        once: By what the request is known if it comes again; then it is the movie that was made first.

    Raises:
        Problem: If a movie with its IMDb id exists.
    """
    with change() as making:
        connection = making.connection
        made_before = first_answers.claim(connection, creator, once)
        if made_before is not None:
            making.is_void = True
            return dict(made_before)
        values = stored_values(connection, new.model_dump())
        row = connection.execute(
            insert(Movie)
            .values(
                source="api",
                title_type="movie",
                appeared_in=making.id,
                changed_in=making.id,
                **_columns_of(values),
                imdb_id=imdb_id_of(new.imdb_link),
            )
            .returning(text(COLUMNS))
        ).one()
        made = _shown(connection, tuple(row))
        audit.record(connection, creator, "movie.create", made["id"], {"before": None, "after": made})
        first_answers.keep(connection, creator, once, made)
    return made


def replace_movie(movie_id: str, new: NewMovie, precondition: Precondition, editor: Caller) -> Edited:
    """The movie is as it is said here; what is left out is not known.

    Raises:
        Problem: If there is no such movie, it was changed meanwhile, or can't be that.
    """
    return _edit(movie_id, new.model_dump(), precondition, editor)


def change_movie(movie_id: str, patch: MoviePatch, precondition: Precondition, editor: Caller) -> Edited:
    """The movie has the values that are said here, and otherwise those that it had.

    Raises:
        Problem: If there is no such movie, it was changed meanwhile, or can't be that.
    """
    return _edit(movie_id, patch.model_dump(exclude_unset=True), precondition, editor)


def delete_movie(movie_id: str, precondition: Precondition, editor: Caller) -> None:
    """The movie is retired, and stays so whatever the dumps say.

    Raises:
        Problem: If there is no such movie, or it was changed meanwhile.
    """
    with change() as making:
        held = _hold(making.connection, movie_id, precondition)
        override(making.connection, held, DELETED, None, editor)
        _write(making, held, {"retired_at": func.now()})
        audit.record(making.connection, editor, "movie.delete", held.id, _of_deletion(was=False))


def restore_movie(movie_id: str, editor: Caller) -> Edited:
    """The movie that an editor deleted is back, as it was.

    Raises:
        Problem: If there is no such movie, or no editor deleted it.
    """
    with change() as making:
        connection = making.connection
        held = _hold(connection, movie_id)
        if DELETED not in (held.columns["overrides"] or ()):
            raise Problem(NOT_DELETED, "No editor deleted this movie, so none can restore it.")
        drop_overrides(connection, held, [DELETED])
        edited = _write(making, held, {"retired_at": None, "appeared_in": making.id})
        audit.record(connection, editor, "movie.restore", held.id, _of_deletion(was=True))
    return _edited(edited, held, making)


def drop_override(movie_id: str, field: str, precondition: Precondition, editor: Caller) -> None:
    """The field says again what the dumps say.

    Raises:
        Problem: If there is no such movie or override, or the movie was changed meanwhile.
    """
    with change() as making:
        connection = making.connection
        held = _hold(connection, movie_id)
        if held.is_retired:
            raise _retired(movie_id)
        dumped = dumped_values(connection, held, [field])
        if field not in dumped:
            raise Problem(NO_SUCH_OVERRIDE, "This field of the movie follows the dumps already.")
        precondition.check(held.version)
        before = _shown(connection, held.row)
        drop_overrides(connection, held, [field])
        after = _write(making, held, _columns_of({field: dumped[field]}))
        audit.record(connection, editor, "movie.override.drop", held.id, _difference(before, after))


def _edit(movie_id: str, given: Mapping[str, Any], precondition: Precondition, editor: Caller) -> Edited:
    with change() as making:
        connection = making.connection
        held = _hold(connection, movie_id, precondition)
        before = _shown(connection, held.row)
        wanted = stored_values(connection, given)
        columns = _columns_of(wanted)
        if "imdb_link" in wanted:
            columns |= _links(held, wanted)
        values = {field: columns[COLUMNS_OF_FIELDS[field]] for field in wanted}
        is_overridden_otherwise = keep_overrides(connection, held, values, editor)
        if not is_overridden_otherwise and all(
            held.columns[COLUMNS_OF_FIELDS[field]] == value for field, value in values.items()
        ):
            # Nobody has to hear of what changes nothing, and the version stays.
            making.is_void = True
            return Edited(before, held.version)
        after = _write(making, held, columns)
        audit.record(connection, editor, "movie.edit", held.id, _difference(before, after))
    return _edited(after, held, making)


def _hold(connection: Connection, movie_id: str, precondition: Precondition | None = None) -> Held:
    """The movie, which waits for nobody from now on and for whom others wait.

    Args:
        connection: Of the transaction.
        movie_id: Ours or IMDb's.
        precondition: What the writer has seen; the movie must not be retired, then.
    """
    column = "imdb_id" if movie_id.startswith("tt") else "id"
    locked = connection.exec_driver_sql(_LOCK.format(column=column), (movie_id,)).one_or_none()
    if locked is None:
        raise Problem(NO_SUCH_MOVIE, f"There is no movie with the id {movie_id}.")
    # Read once it is held: a statement that waits for a row sees the others as they were before.
    row = connection.exec_driver_sql(ONE.format(column="id"), (str(locked.id),)).one()
    it = found(tuple(row))
    if precondition is not None:
        if it.is_retired:
            raise _retired(movie_id)
        precondition.check(it.version)
    columns = dict(row._mapping)  # noqa: SLF001  its public name
    return Held(str(locked.id), locked.source == "imdb", columns, it.row, it.is_retired, it.version)


def _retired(movie_id: str) -> Problem:
    return Problem(MOVIE_RETIRED, f"The movie with the id {movie_id} was retired.")


def _columns_of(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that these fields are kept in."""
    columns = {COLUMNS_OF_FIELDS[field]: value for field, value in stored.items()}
    if "title" in columns:
        columns["title_key"] = sort_key(columns["title"])
    return columns


def _links(held: Held, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that a link to IMDb decides on."""
    link = wanted["imdb_link"]
    imdb_id = imdb_id_of(link)
    if not held.is_dumped:
        return {"imdb_link": link, "imdb_id": imdb_id}
    own_id = held.columns["imdb_id"]
    if link is None or link == f"{IMDB_TITLE_ADDRESS}{own_id}/":
        # As it is without a word of anybody.
        return {"imdb_link": None}
    if imdb_id != own_id:
        raise Problem(
            DUMPED_ID,
            f"The movie is from the dumps, where its id is {own_id}; the link names {imdb_id}.",
            [Fault("body", "imdb_link", f"must name {own_id}, or be left out")],
        )
    return {"imdb_link": link}


def _write(making: Change, held: Held, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The movie has these values, and its overrides by name; gives it as callers see it."""
    connection = making.connection
    row = connection.execute(
        update(Movie)
        .where(Movie.id == held.id)
        .values(changed_in=making.id, overrides=_OVERRIDDEN, **columns)
        .returning(text(COLUMNS))
    ).one()
    return _shown(connection, tuple(row))


def _edited(shown: dict[str, Any], held: Held, making: Change) -> Edited:
    version = version_of(held.id, making.id, making.generation, making.changed_at_microseconds)
    return Edited(shown, version)


def _shown(connection: Connection, row: tuple[Any, ...]) -> dict[str, Any]:
    """The movie as callers see it, with genres that nobody else sees yet."""
    people = people_in(connection, credited([row]))
    return movie((str(row[0]), *row[1:]), names_in(connection, row[7]), people)


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    changed = [field for field in after if after[field] != before[field]]
    return {
        "before": {field: before[field] for field in changed},
        "after": {field: after[field] for field in changed},
    }


def _of_deletion(*, was: bool) -> dict[str, Any]:
    return {"before": {DELETED: was}, "after": {DELETED: not was}}
