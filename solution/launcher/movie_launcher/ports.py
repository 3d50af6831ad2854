"""Whether the API's port is free, and else by whom it is taken."""

import errno
import socket
from typing import Any, Final

import psutil
from movie_database.settings import Settings

from movie_launcher.errors import LauncherError

_TRIES: Final = 100


def need_free_port(settings: Settings) -> None:
    """Makes sure that the API can listen where it is to.

    Raises:
        LauncherError: It can't; says why, by whom the port is taken, and what to do.
    """
    error = _trouble(settings.host, settings.port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        free = next(
            (
                port
                for port in range(settings.port + 1, min(settings.port + _TRIES, 65536))
                if _trouble(settings.host, port) is None
            ),
            None,
        )
        other = f"PORT={free}" if free else "PORT=…"
        raise LauncherError(
            f"Port {settings.port} is taken{_by_whom(settings.port)}. "
            f"Stop that, or take another port: {other} ./run.sh"
        )
    if error.errno == errno.EACCES:
        raise LauncherError(
            f"Port {settings.port} is for root alone here. Take one from 1024 on: PORT=5000 ./run.sh"
        )
    raise LauncherError(
        f"HOST is {settings.host!r}, which is no address of this machine ({error.strerror or error}). "
        "Take 127.0.0.1 for this machine alone, or 0.0.0.0 for all its addresses."
    )


def _trouble(host: str, port: int) -> OSError | None:
    """Why one can't listen there; None if one can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As Gunicorn does it: connections that are closing are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        return error
    return None


def _by_whom(port: int) -> str:
    """Name and id of the process that listens at the port, where this account may know it."""
    try:
        holder = psutil.Process(min(filter(None, (one.pid for one in _listening(psutil, port)))))
        # Workers share the socket that their parent opened: that one is to be told.
        while (parent := holder.parent()) is not None and _listening(parent, port):
            holder = parent
    except (psutil.Error, ValueError, OSError):
        return ""
    return f" by {holder.name()} (process {holder.pid})"


def _listening(whose: Any, port: int) -> list[Any]:
    """The listening sockets at the port, of a process or, asked of psutil itself, of all."""
    return [
        one
        for one in whose.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr.port == port
    ]
