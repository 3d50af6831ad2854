"""What the dataset looks like to callers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, Final

# Source: https://developer.imdb.com/non-commercial-datasets/, which asks for this line.
ATTRIBUTION: Final = "Information courtesy of IMDb (https://www.imdb.com). Used with permission."
SAMPLE_NOTE: Final = (
    "This is the bundled sample of well-known films, not IMDb's data: load the dumps with ./run.sh load."
)


def dataset(load: Mapping[str, Any] | None) -> dict[str, Any]:
    """The dataset as callers see it; all is null when nothing was loaded yet."""
    known = load or {}
    is_sample = known.get("is_sample")
    return {
        "source": _public(known["source"]) if load else None,
        "sample": is_sample,
        "note": SAMPLE_NOTE if is_sample else None,
        "loaded_at": _moment(known["finished_at"]) if load else None,
        "age_seconds": known.get("age_seconds"),
        "title_types": known.get("title_types"),
        "movies": known.get("movie_rows"),
        "genres": known.get("genre_rows"),
        "rated_movies": known.get("rating_rows"),
        "attribution": ATTRIBUTION if load and not is_sample else None,
    }


def _public(source: str) -> str:
    """The source, without where a folder of this machine lies."""
    return source if "://" in source else PurePath(source).name


def _moment(moment: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
