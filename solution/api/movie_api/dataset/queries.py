"""What is known of the data that is served."""

from typing import Any, Final

from movie_api.database import read

_COLUMNS: Final = (
    "source, is_sample, started_at, finished_at, title_types, movie_rows, genre_rows, rating_rows"
)


def latest_load() -> dict[str, Any] | None:
    """The load whose data is served, by column, with its age in seconds; None if nothing was loaded yet."""
    rows = read(
        f"SELECT {_COLUMNS}, extract(epoch FROM now() - finished_at)::bigint FROM dataset_loads"  # noqa: S608
        " ORDER BY id DESC LIMIT 1"
    )
    return dict(zip([*_COLUMNS.split(", "), "age_seconds"], rows[0], strict=True)) if rows else None


def has_movies() -> bool:
    """Whether there is any movie to serve."""
    return bool(read("SELECT EXISTS (SELECT FROM movies)")[0][0])
