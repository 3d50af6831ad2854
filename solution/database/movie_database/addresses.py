"""Addresses of databases: SQLAlchemy's form for the programs, libpq's for psql and psycopg2."""

from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

SQLALCHEMY_SCHEME: Final = "postgresql+psycopg2"
_SCHEMES: Final = {"postgres", "postgresql", SQLALCHEMY_SCHEME}


def sqlalchemy_address(address: str) -> str:
    """The address with its driver named, as SQLAlchemy wants it.

    Raises:
        ValueError: The address is of another scheme, can't be read or names no database. The
            message never holds the address, which has a password.
    """
    scheme, separator, rest = address.partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        named = f"its scheme is {scheme!r}" if separator else "it has no scheme"
        raise ValueError(f"must begin with postgresql://, {named}")
    normalised = f"{SQLALCHEMY_SCHEME}://{rest}"
    try:
        parts = urlsplit(normalised)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        raise ValueError("can't be read: percent-encode @ : / ? # in its user and password") from None
    if not parts.path.strip("/"):
        raise ValueError("names no database: postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    return normalised


def libpq_address(address: str) -> str:
    """The same address for libpq: psycopg2's `connect`, `psql`, `pg_dump`."""
    return "postgresql" + address.removeprefix(SQLALCHEMY_SCHEME).removeprefix("postgresql")


def make_address(*, host: str, port: int, user: str, password: str | None, database: str) -> str:
    """An address of these parts, each percent-encoded; a host that is a folder is that of a socket."""
    credentials = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    if host.startswith("/"):
        place = f"{credentials}@/{quote(database, safe='')}?{urlencode({'host': host, 'port': port})}"
    else:
        bracketed = f"[{host}]" if ":" in host else host
        place = f"{credentials}@{bracketed}:{port}/{quote(database, safe='')}"
    return f"{SQLALCHEMY_SCHEME}://{place}"


def with_database(address: str, database: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(address)._replace(path=f"/{quote(database, safe='')}"))


def database_name(address: str) -> str:
    """The database that the address names."""
    return unquote(urlsplit(address).path.removeprefix("/"))


def without_password(address: str) -> str:
    """Where the address leads, fit to be shown and logged: host, port and database alone."""
    parts = urlsplit(address)
    host = parts.hostname or "the local socket"
    return f"{host}{f':{parts.port}' if parts.port else ''}/{database_name(address)}"
