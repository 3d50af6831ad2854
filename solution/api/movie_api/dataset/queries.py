"""What is known of the data that is served, and of every load."""

from typing import Any, Final

from movie_api.database import read, read_one
from movie_api.http.cursors import Place, Side
from movie_api.http.pages import Page, PageAsked
from movie_api.http.problems import UNKNOWN_AFTER_ID, Fault, Problem
from movie_api.keyset import beyond_sign, page_of

_SERVED: Final = (
    "id",
    "source",
    "is_sample",
    "finished_at",
    "title_types",
    "movie_rows",
    "genre_rows",
    "rating_rows",
    "checked_at",
    "age_seconds",
    "generation",
)
# A load that found the dumps unchanged says that the data are of today. The last one is told by the id: the
# clock may have been moved back between two loads, and may be behind the last of them now.
_LATEST: Final = """
SELECT load.id, load.source, load.is_sample, load.finished_at, load.title_types, load.movie_rows,
    load.genre_rows, load.rating_rows, checked.finished_at AS checked_at,
    greatest(0, extract(epoch FROM now() - checked.finished_at))::float8,
    (SELECT generation FROM catalogue_state)
FROM (SELECT * FROM dataset_loads WHERE state = 'done' ORDER BY id DESC LIMIT 1) AS load
CROSS JOIN (
    SELECT finished_at FROM dataset_loads WHERE state IN ('done', 'unchanged') ORDER BY id DESC LIMIT 1
) AS checked
"""
_READINESS: Final = f"""
SELECT EXISTS (SELECT FROM movies WHERE retired_at IS NULL), latest.*
FROM (SELECT) AS one LEFT JOIN ({_LATEST}) AS latest ON true
"""  # noqa: S608
_LOAD: Final = (
    "id",
    "state",
    "started_at",
    "finished_at",
    "source",
    "is_sample",
    "title_types",
    "files",
    "movie_rows",
    "genre_rows",
    "rating_rows",
    "rejected",
    "inserted",
    "updated",
    "retired",
    "phases",
    "error_code",
    "error",
)
_LOADS: Final = f"SELECT {', '.join(_LOAD)} FROM dataset_loads"  # noqa: S608


def served_load() -> dict[str, Any] | None:
    """The load whose data is served, by column; None if nothing was loaded yet.

    With it: `checked_at`, when its data were last known to be current, the `age_seconds` since then, and the
    catalogue's `generation`.
    """
    rows = read(_LATEST)
    return dict(zip(_SERVED, rows[0], strict=True)) if rows else None


def readiness() -> tuple[bool, dict[str, Any] | None]:
    """Whether there is any movie to serve, and what `served_load` gives."""
    (row,) = read(_READINESS)
    has_movies, *load = row
    return has_movies, dict(zip(_SERVED, load, strict=True)) if load[0] is not None else None


def load_page(asked: PageAsked) -> Page:
    """One page of all loads, newest first, each by column.

    Raises:
        Problem: If there is no load with the id of `after_id`.
    """
    place = asked.place
    if asked.after_id is not None:
        if find_load(asked.after_id) is None:
            raise Problem(
                UNKNOWN_AFTER_ID,
                f"There is no load with the id {asked.after_id}.",
                [Fault("query", "after_id", "is not the id of a load")],
            )
        place = Place(Side.AFTER, asked.after_id, str(asked.after_id))
    is_backward = place is not None and place.side.is_backward
    # Ids fall: what is further on is less.
    condition = "true" if place is None else f"%s {beyond_sign(place)} id"
    rows = read(
        f"{_LOADS} WHERE {condition} ORDER BY id {'ASC' if is_backward else 'DESC'} LIMIT %s",
        (*(() if place is None else (place.value,)), asked.size + 1),
    )
    page = page_of(rows, place, asked.size, lambda row: (row[0], str(row[0])))
    return page._replace(items=[dict(zip(_LOAD, row, strict=True)) for row in page.items])


def find_load(load_id: int) -> dict[str, Any] | None:
    """The load with this id, by column; None if there is none."""
    row = read_one(f"{_LOADS} WHERE id = %s", load_id)
    return dict(zip(_LOAD, row, strict=True)) if row else None
