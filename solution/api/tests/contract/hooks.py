"""For schemathesis: cursor, after_id and since come from real answers; few that are made up are good.

Which text is a cursor is what its signature says, not its pattern; which id is in a list or a load's, the
database knows; which day is in the calendar, no pattern says.
"""

from urllib.parse import parse_qs, urlsplit

import httpx
import schemathesis
from schemathesis import GenerationMode

LISTS = ("/movies", "/movies/changes", "/dataset/loads")
FROM_ANSWERS = {"cursor", "after_id", "since"}


@schemathesis.hook
def before_call(_context, case, **_kwargs) -> None:
    """Puts a real cursor or id in the place of one that was made up to be valid."""
    query = dict(case.query or {})
    if case.path not in LISTS or case.method != "GET" or not FROM_ANSWERS & query.keys():
        return
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if "since" in query:
        query["since"] = "2026-11-24T02:00:00Z" if "-" in query["since"] else "1"
    cursor, after_id = query.pop("cursor", None), query.pop("after_id", None)
    base_url = case.operation.schema.get_base_url().removesuffix("..").rstrip("/")
    answer = httpx.get(f"{base_url}{case.path}", params={**query, "page_size": 1})
    answer.raise_for_status()
    following = answer.links.get("next")
    if cursor is not None and following is not None:
        query["cursor"] = parse_qs(urlsplit(following["url"]).query)["cursor"][0]
    elif after_id is not None and answer.json():
        query["after_id"] = answer.json()[0]["id"]
    case.query = query
