"""*The* test of a list endpoint: walked in pages of every size, both ways, it gives each row exactly once."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, Protocol

_LINK: Final = re.compile(r'<([^>]*)>; rel="([a-z]+)"')
_MOST_PAGES: Final = 10_000
PAGE_SIZES: Final = range(1, 12)


class Answer(Protocol):
    """What `Client.get` gives: httpx's and Flask's test responses both are one."""

    @property
    def status_code(self) -> int:
        """The status."""
        ...

    @property
    def headers(self) -> Any:
        """The headers."""
        ...

    @property
    def text(self) -> str:
        """The body."""
        ...


class Client(Protocol):
    """Asks the API: a path, or a whole address of a `Link` header."""

    def get(self, address: str) -> Any:
        """The answer."""
        ...


class Walk(NamedTuple):
    """A list as it was walked.

    Attributes:
        items: Rows of all pages, in the order they came; each page of a backward walk is turned round.
        sizes: Rows of each page.
        last_url: The address of the last page.
    """

    items: list[dict[str, Any]]
    sizes: list[int]
    last_url: str

    @property
    def ids(self) -> list[Any]:
        """The rows' ids."""
        return [item["id"] for item in self.items]


def links(header: str | None) -> dict[str, str]:
    """The addresses of a `Link` header by relation.

    Raises:
        AssertionError: If the header is not made as RFC 8288 says, and as naive clients read it.
    """
    found: dict[str, str] = {}
    for link in (header or "").split(", ") if header else []:
        match = _LINK.fullmatch(link)
        assert match is not None, f"not a link that every client can read: {link}"
        assert match[2] not in found, f"two links with rel={match[2]}"
        assert not set(match[1]) & set(",;"), f"a comma or semicolon in {match[1]}"
        found[match[2]] = match[1]
    return found


def walk(api: Client, address: str, rel: str = "next") -> Walk:
    """Follows the links with this relation to the end."""
    items: list[dict[str, Any]] = []
    sizes: list[int] = []
    for _ in range(_MOST_PAGES):
        answer = api.get(address)
        assert answer.status_code == 200, answer.text  # noqa: PLR2004
        page = list(answer.json() if callable(answer.json) else answer.json)
        items += page if rel == "next" else page[::-1]
        sizes.append(len(page))
        neighbours = links(answer.headers.get("Link"))
        assert "first" in neighbours, "no link to the first page"
        if rel not in neighbours:
            return Walk(items, sizes, address)
        assert page, "an empty page that leads on"
        address = neighbours[rel]
    raise AssertionError(f"the walk did not end after {_MOST_PAGES} pages")


def check_walks(
    api: Client, path: str, expected_ids: Sequence[Any], page_sizes: Iterable[int] = PAGE_SIZES
) -> None:
    """Walks the list in pages of each size, to its end and back again.

    Args:
        api: Who to ask.
        path: The list, without page_size: `/movies?sort=year`.
        expected_ids: Ids of the whole list in its order, found out in another way.
        page_sizes: Sizes to walk in.

    Raises:
        AssertionError: If a row is missing, doubled or out of order; or a page is short, or not linked.
    """
    for size in page_sizes:
        address = f"{path}{'&' if '?' in path else '?'}page_size={size}"
        forward = walk(api, address)
        assert forward.ids == list(expected_ids), f"forward, page_size={size}"
        assert all(rows == size for rows in forward.sizes[:-1]), f"a short page, page_size={size}"
        backward = walk(api, forward.last_url, rel="prev")
        assert backward.ids == list(expected_ids)[::-1], f"backward, page_size={size}"
        first = api.get(links(api.get(forward.last_url).headers["Link"])["first"])
        assert "prev" not in links(first.headers["Link"]), f"a page before the first, page_size={size}"
