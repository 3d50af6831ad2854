"""Links for people, in mails and in a terminal: built from settings, never from a request."""

import ipaddress
from contextlib import suppress
from typing import Final, Literal
from urllib.parse import quote

from movie_database.settings import Settings

Page = Literal["reset", "verify", "sign-in", "register", "forgot"]

ACCOUNT_PATH: Final = "/account"


def account_link(settings: Settings, page: Page, token: str | None = None) -> str:
    """The whole address of one of the account's pages.

    Args:
        settings: Whose `PUBLIC_URL` the address begins with.
        page: Which page.
        token: Goes into the fragment, which reaches no server, no log and no other site.
    """
    fragment = "" if token is None else f"#token={quote(token, safe='')}"
    return f"{own_address(settings)}{ACCOUNT_PATH}/{page}{fragment}"


def own_address(settings: Settings) -> str:
    """Where people reach us: `PUBLIC_URL`; without it, where a browser on this machine does."""
    if settings.public_url is not None:
        return settings.public_url
    host = "localhost"
    with suppress(ValueError):
        address = ipaddress.ip_address(settings.host)
        if not address.is_loopback and not address.is_unspecified:
            host = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - IPv6
    return f"http://{host}:{settings.port}"
