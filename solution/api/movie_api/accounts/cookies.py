"""Cookies of ours: where a browser sends them, and by which ways."""

from urllib.parse import urlsplit

from movie_api.http.addresses import is_loopback, whole


def path_of(path: str) -> str:
    """A path as the browser knows it: below the one at which a proxy has us, if it has.

    Args:
        path: Ours, such as `/auth`; empty for all of ours.
    """
    return urlsplit(whole("")).path.rstrip("/") + path or "/"


def must_be_secure() -> bool:
    """Whether they go by TLS alone: but on this machine, where not every browser keeps such a cookie."""
    base = urlsplit(whole(""))
    return not (base.scheme == "http" and is_loopback(base.hostname or ""))
