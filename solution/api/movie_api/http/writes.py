"""Who may write until there are accounts: callers on this machine, or everybody where a setting says so."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import current_app, request

from movie_api.http.addresses import FORWARDING_HEADERS, host_is_loopback, is_loopback
from movie_api.http.problems import WRITES_CLOSED, Problem


def writes(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view is for those who may write; others get a 403."""

    @wraps(view)
    def check_first(*arguments: Any, **named: Any) -> Any:
        anonymous_writes = current_app.extensions["settings"].anonymous_writes
        is_open = _is_local(request.environ) if anonymous_writes is None else anonymous_writes
        if not is_open:
            raise Problem(WRITES_CLOSED, "This server takes no writes from this caller.")
        return view(*arguments, **named)

    return check_first


def _is_local(environ: dict[str, Any]) -> bool:
    """Whether all of this stays on this machine.

    A reverse proxy on the same machine is a loopback peer too, and must not open writes to the world; a page
    in a browser can send its visitor to 127.0.0.1 under a name of its own (DNS rebinding). So the address
    that is listened at, the peer and the `Host` are all loopback, and nothing was forwarded.
    """
    return (
        current_app.extensions["listens_on_loopback"]
        and is_loopback(environ.get("REMOTE_ADDR", ""))
        and host_is_loopback(environ.get("HTTP_HOST"))
        and not any(header in environ for header in FORWARDING_HEADERS)
    )
