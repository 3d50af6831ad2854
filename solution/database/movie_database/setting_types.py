"""What a setting can be: its type, and how its text is read. Whoever raises ValueError says why, in words."""

import ipaddress
import os
import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

from croniter import croniter
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from movie_database import addresses

TITLE_TYPES: Final = (
    "movie",
    "short",
    "tvEpisode",
    "tvMiniSeries",
    "tvMovie",
    "tvPilot",
    "tvSeries",
    "tvShort",
    "tvSpecial",
    "video",
    "videoGame",
)
"""IMDb's titleTypes. Source: https://developer.imdb.com/non-commercial-datasets/ and the dumps."""

NEVER: Final = "never"
"""The schedule of what is not to be done by itself."""

_CRON_FIELDS: Final = 5
_DURATION: Final = re.compile(r"(\d{1,6})\s*([smhd])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

SECRET_KEY_CHARACTERS: Final = 32
_SECRET_KEY_VARIETY: Final = 8


def checkout_root() -> Path:
    """The folder that relative paths and `.env` belong to: the checkout; without one, the current folder."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "sql-scripts").is_dir() else Path.cwd()


def _database_address(value: SecretStr) -> SecretStr:
    return SecretStr(addresses.sqlalchemy_address(value.get_secret_value()))


def _secret_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < SECRET_KEY_CHARACTERS or len(set(text)) < _SECRET_KEY_VARIETY:
        raise ValueError("is too easy to guess")
    return value


def _folder(value: Path) -> Path:
    try:
        # normpath and not resolve: a folder that is a link stays what the user called it.
        return Path(os.path.normpath(checkout_root() / value.expanduser()))
    except RuntimeError as error:
        raise ValueError(str(error)) from None


def _source(value: str) -> str:
    if "://" not in value:
        return str(_folder(Path(value)))
    _web_parts(value)
    return value


def _public_address(value: str) -> str:
    parts = _web_parts(value)
    if parts.query or parts.fragment:
        raise ValueError("has a query or a fragment")
    return value.rstrip("/")


def _web_parts(value: str) -> SplitResult:
    """The parts of an address of the web that names a host and holds no password."""
    parts = urlsplit(value)
    parts.port  # noqa: B018 - reading it is what checks it
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or " " in value:
        raise ValueError("is no address of the web")
    return parts


def _host(value: str) -> str:
    if ":" in value:
        ipaddress.ip_address(value)
    elif not value.replace("-", "").replace(".", "").replace("_", "").isalnum():
        raise ValueError("is no host")
    return value


def _title_types(value: object) -> tuple[str, ...]:
    names = _words(value)
    if not set(names) <= set(TITLE_TYPES):
        raise ValueError("holds another word")
    return tuple(dict.fromkeys(names))


def _networks(value: object) -> tuple[Any, ...]:
    return tuple(ipaddress.ip_network(word) for word in _words(value))


def _schedule(value: str) -> str:
    words = value.split()
    if words == [NEVER]:
        return NEVER
    # A sixth field would be seconds, and names such as @daily have more to them than they show.
    if len(words) != _CRON_FIELDS or not croniter.is_valid(value):
        raise ValueError("is no schedule")
    return " ".join(words)


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip().lower())
    if match is None:
        raise ValueError("is no duration")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _addresses(value: object) -> tuple[SecretStr, ...]:
    """Addresses that spaces separate: commas have a meaning in them."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    words = value.split() if isinstance(value, str) else _words(value)
    if not all("://" in word for word in words):
        raise ValueError("holds what is no address")
    return tuple(SecretStr(word) for word in words)


def _words(value: object) -> list[str]:
    """The words of a text that commas separate, or of a sequence."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, Iterable):
        raise ValueError("is no list")  # noqa: TRY004 - pydantic wants ValueError
    return [word for word in (str(word).strip() for word in words) if word]


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


DatabaseAddress = Annotated[SecretStr, AfterValidator(_database_address)]
SecretKey = Annotated[SecretStr, AfterValidator(_secret_key)]
Folder = Annotated[Path, AfterValidator(_folder)]
"""Absolute; a relative one belongs to the checkout, whatever the current folder."""
Source = Annotated[str, AfterValidator(_source)]
PublicAddress = Annotated[str, AfterValidator(_public_address)]
Host = Annotated[str, AfterValidator(_host)]
TitleTypes = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_title_types)]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
Schedule = Annotated[str, AfterValidator(_schedule)]
"""When something is done: five fields of cron in UTC, or `NEVER`."""
Duration = Annotated[timedelta, BeforeValidator(_duration)]
AlertAddresses = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_addresses)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
LogFormat = Annotated[Literal["text", "json"], BeforeValidator(_lower)]
