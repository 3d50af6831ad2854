"""Links for people, in mails and in a terminal: built from settings, never from a request."""

from typing import Final, Literal
from urllib.parse import quote, urlsplit

from movie_database.settings import Settings

from movie_api.http.addresses import is_loopback

Page = Literal["reset", "verify", "sign-in", "register", "forgot"]

ACCOUNT_PATH: Final = "/account"

# Where a server listens that a browser on its machine finds as localhost.
_HERE: Final = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::"}  # noqa: S104 - compared


def account_link(settings: Settings, page: Page, token: str | None = None) -> str:
    """The whole address of one of the account's pages.

    Args:
        settings: Whose `PUBLIC_URL` the address begins with.
        page: Which page.
        token: Goes into the fragment, which reaches no server, no log and no other site.
    """
    fragment = "" if token is None else f"#token={quote(token, safe='')}"
    return f"{own_address(settings)}{ACCOUNT_PATH}/{page}{fragment}"


def serves_this_machine(settings: Settings) -> bool:
    """Whether all who are served sit at this machine, and can look into a folder of it.

    A server that listens on loopback serves others all the same where a proxy stands before it.
    """
    return (
        is_loopback(settings.host)
        and not settings.trusted_proxies
        and is_loopback(urlsplit(own_address(settings)).hostname or "")
    )


def own_address(settings: Settings) -> str:
    """Where people reach us: `PUBLIC_URL`; without it, where a browser on this machine does."""
    if settings.public_url is not None:
        return settings.public_url
    host = "localhost" if settings.host in _HERE else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
