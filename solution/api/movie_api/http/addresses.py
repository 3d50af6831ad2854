"""Who asks, and under which address we are known: the caller's word is taken only from trusted proxies."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from flask import current_app, request

# What a reverse proxy adds. One of these, and the loopback peer may stand for the whole world.
FORWARDING_HEADERS: Final = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_ORIGINAL_FORWARDED_FOR",
    "HTTP_X_ORIGINAL_HOST",
    "HTTP_X_CLIENT_IP",
    "HTTP_X_CLUSTER_CLIENT_IP",
    "HTTP_X_REAL_IP",
    "HTTP_X_ENVOY_EXTERNAL_ADDRESS",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_CF_RAY",
    "HTTP_FASTLY_CLIENT_IP",
    "HTTP_FLY_CLIENT_IP",
    "HTTP_X_APPENGINE_USER_IP",
    "HTTP_X_AMZN_TRACE_ID",
    "HTTP_X_AZURE_CLIENTIP",
)

_HOST: Final = re.compile(
    r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE
)

# Of IPv6: who has one address of a /64 has all of them. Source: RFC 6177; RFC 7421, section 1.
_INTERFACE_BITS: Final = 64

Environ = dict[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether a host, without port, is this machine: localhost, 127.0.0.0/8 or ::1."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


@lru_cache(maxsize=1024)
def subscriber_of(address: str) -> str:
    """Whom an address is counted as: IPv6 by its /64, which one household has; IPv4 in IPv6 as IPv4."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    prefix = int(parsed) >> _INTERFACE_BITS << _INTERFACE_BITS
    return f"{ipaddress.IPv6Address(prefix)}/64"


def host_is_loopback(header: str | None) -> bool:
    """Whether a `Host` header, with or without port, names this machine."""
    match = _HOST.fullmatch(header or "")
    return bool(match) and is_loopback(match[1])  # type: ignore[index]


class Addresses:
    """The base of every address that we hand out, and the caller's own.

    Args:
        public_url: Where clients reach us, if it was said; beats all else.
        trusted_proxies: Addresses and networks whose `X-Forwarded-*` and `Host` headers are believed.
        host: The address that the server is bound to.
        port: The port that the server is bound to.
    """

    def __init__(
        self, public_url: str | None, trusted_proxies: Iterable[Network], host: str, port: int
    ) -> None:
        self._public_url = public_url
        self._trusted = tuple(trusted_proxies)
        self._port = port
        self._bound_to_all = host in ("0.0.0.0", "::")  # noqa: S104  compared, not bound
        self._bound = f"http://{_literal(host)}:{port}"
        # The names of this machine lead nobody astray, so a caller on it may use the one it likes.
        self._own_hosts = (
            {f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")}
            if self._bound_to_all or is_loopback(host)
            else set()
        )

    def base(self, environ: Environ) -> str:
        """Scheme, host and path prefix of our addresses for this caller, without a slash at the end."""
        if self._public_url is not None:
            return self._public_url
        if self._trusted and self._is_trusted(environ.get("REMOTE_ADDR", "")):
            host = _last(environ.get("HTTP_X_FORWARDED_HOST")) or environ.get("HTTP_HOST", "")
            if _HOST.fullmatch(host):
                scheme = (_last(environ.get("HTTP_X_FORWARDED_PROTO")) or "").lower()
                return f"{'https' if scheme == 'https' else 'http'}://{host}"
        if (host := environ.get("HTTP_HOST", "")) in self._own_hosts:
            return f"http://{host}"
        if self._bound_to_all:
            return f"http://{_literal(self._reached(environ))}:{self._port}"
        return self._bound

    def client(self, environ: Environ) -> str:
        """The caller's address: the peer, or whom the trusted proxies name."""
        peer: str = environ.get("REMOTE_ADDR", "")
        if not self._trusted:
            return peer
        for named in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            if not self._is_trusted(peer):
                break
            if not _is_address(named.strip()):
                break
            peer = named.strip()
        return peer

    def hides_callers(self, environ: Environ) -> bool:
        """Whether the peer seems to pass on what others ask, and is not trusted to say who they are."""
        return any(name in environ for name in FORWARDING_HEADERS) and not self._is_trusted(
            environ.get("REMOTE_ADDR", "")
        )

    def _is_trusted(self, peer: str) -> bool:
        if not _is_address(peer):
            return False
        address = ipaddress.ip_address(peer)
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._trusted)

    def _reached(self, environ: Environ) -> str:
        """The address of ours that the caller connected to, when we are bound to all."""
        connection: socket.socket | None = environ.get("gunicorn.socket")
        if connection is None:
            return "127.0.0.1"
        name = connection.getsockname()
        return str(name[0]) if isinstance(name, tuple) else "127.0.0.1"


def _literal(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets, IPv4 in IPv6 as itself."""
    bare = host.strip("[]").removeprefix("::ffff:")
    return f"[{bare}]" if ":" in bare else bare


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _last(header: str | None) -> str | None:
    """The last value of a list header: the one that the nearest proxy wrote."""
    return header.rpartition(",")[2].strip() if header else None


def whole(path: str) -> str:
    """The whole address of a path of ours, for this request's caller."""
    addresses: Addresses = current_app.extensions["addresses"]
    return addresses.base(request.environ) + path
