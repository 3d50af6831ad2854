"""What a movie looks like to callers."""

from collections.abc import Mapping
from typing import Any, Final

IMDB_TITLE_ADDRESS: Final = "https://www.imdb.com/title/"


def movie(row: Any, genre_names: Mapping[int, str]) -> dict[str, Any]:
    """A movie as callers see it.

    Args:
        row: id, title, original_title, year, rating_tenths, votes, runtime_minutes, genre_ids, imdb_id,
            imdb_link.
        genre_names: Names of at least this row's genres.
    """
    rating, imdb_id = row[4], row[8]
    return {
        "id": row[0],
        "title": row[1],
        "original_title": row[2],
        "year": row[3],
        "rating": None if rating is None else rating / 10,
        "votes": row[5],
        "runtime": row[6],
        "genres": [{"name": genre_names[one]} for one in row[7]],
        "imdb_link": row[9] or (f"{IMDB_TITLE_ADDRESS}{imdb_id}/" if imdb_id else None),
    }
