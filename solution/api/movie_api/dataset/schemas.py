"""What the dataset looks like to callers."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, Final

from werkzeug.http import parse_date

# Source: https://developer.imdb.com/non-commercial-datasets/, which asks for this line.
ATTRIBUTION: Final = "Information courtesy of IMDb (https://www.imdb.com). Used with permission."
SAMPLE_NOTE: Final = (
    "This is the bundled sample of well-known films, not IMDb's data: load the dumps with ./run.sh load."
)
# A path of this machine with at least one folder in it; not the path of an address, and no fraction.
_PATH: Final = re.compile(r"(?<![\w:/.~-])(?:~|\.{1,2})?(?:/[^\s/:;,'\"()<>]+)*/(?=[^\s/:;,'\"()<>])")


def dataset(load: Mapping[str, Any] | None, stale_after_seconds: float) -> dict[str, Any]:
    """The dataset as callers see it; all is null when nothing was loaded yet."""
    known = load or {}
    is_sample = known.get("is_sample")
    return {
        "generation": known.get("generation"),
        "load": known.get("id"),
        "source": _public(known["source"]) if load else None,
        "sample": is_sample,
        "note": SAMPLE_NOTE if is_sample else None,
        "loaded_at": _moment(known.get("finished_at")),
        "checked_at": _moment(known.get("checked_at")),
        "age_seconds": int(known["age_seconds"]) if load else None,
        "stale": is_stale(load, stale_after_seconds) if load else None,
        "title_types": known.get("title_types"),
        "movies": known.get("movie_rows"),
        "genres": known.get("genre_rows"),
        "rated_movies": known.get("rating_rows"),
        "attribution": ATTRIBUTION if load and not is_sample else None,
    }


def is_stale(load: Mapping[str, Any] | None, stale_after_seconds: float) -> bool:
    """Whether the data are older than they may be; the sample is as old as it should be."""
    return load is not None and not load["is_sample"] and load["age_seconds"] > stale_after_seconds


def load(row: Mapping[str, Any]) -> dict[str, Any]:
    """A load as callers see it."""
    source = row["source"]
    return {
        "id": row["id"],
        "state": row["state"],
        "started_at": _moment(row["started_at"]),
        "finished_at": _moment(row["finished_at"]),
        "source": _public(source),
        "sample": row["is_sample"],
        "title_types": row["title_types"],
        "files": [_file(one) for one in row["files"] or ()],
        "movies": row["movie_rows"],
        "genres": row["genre_rows"],
        "rated_movies": row["rating_rows"],
        "rejected": row["rejected"],
        "inserted": row["inserted"],
        "updated": row["updated"],
        "retired": row["retired"],
        "phases": [
            {"name": one.get("name"), "seconds": one.get("seconds"), "rows": one.get("rows")}
            for one in row["phases"]
        ],
        "error": None
        if row["error"] is None
        else {"code": row["error_code"], "message": _without_folders(row["error"], source)},
    }


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    address = file.get("address")
    return {
        "name": file.get("name"),
        "address": None if address is None else _public(address),
        "bytes": file.get("bytes"),
        "etag": file.get("etag"),
        "last_modified": _date(file.get("last_modified")),
        "rows": file.get("rows"),
    }


def _public(source: str) -> str:
    """The source, without where a folder of this machine lies."""
    is_address = "://" in source and not source.lower().startswith("file:")
    return source if is_address else PurePath(source).name


def _without_folders(text: str, source: str) -> str:
    """The text, with no more of each path than its last part.

    The source's own folder comes first: only there is it known that a blank belongs to the name.
    """
    folder = str(PurePath(source).parent)
    if "://" not in source and len(folder) > 1:
        text = text.replace(f"{folder}/", "")
    return _PATH.sub("", text)


def _date(text: str | None) -> str | None:
    """RFC 3339 in UTC of a `Last-Modified` header; null if it is none."""
    moment = parse_date(text)
    return None if moment is None else _moment(moment)


def _moment(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
