"""What a setting can be: its type, and how its text is read. Whoever raises ValueError says why, in words."""

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

from croniter import croniter
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from movie_database import addresses, secret_keys

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

OFF: Final = "off"
"""The limit of what is not limited."""
LIMIT_ALLOWED: Final = "a number and a time, such as 10/15m, or off"

_LIMIT: Final = re.compile(r"(\d{1,9})\s*/\s*(\d{1,6}\s*[smhd])", re.ASCII)
# No more than a local part and a host: what else an address may be, whoever registers with it is asked.
_EMAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@]{1,189}", re.ASCII)
_OIDC_NAME: Final = re.compile(r"[a-z0-9]{1,30}", re.ASCII)
_OIDC_PART: Final = re.compile(r"OIDC_([A-Z0-9]+)_(ISSUER|CLIENT_ID|CLIENT_SECRET)", re.ASCII | re.IGNORECASE)

SECRET_KEY_CHARACTERS: Final = secret_keys.CHARACTERS


class Rate(NamedTuple):
    """So many times in so long."""

    times: int
    period: timedelta


class OidcClient(NamedTuple):
    """Us, as a client of an OpenID Connect provider.

    Attributes:
        name: In our own addresses: /auth/oidc/NAME.
        issuer: The provider.
        client_id: Who we are to it.
        client_secret: What proves that; None: nothing does (a public client).
    """

    name: str
    issuer: str
    client_id: str
    client_secret: SecretStr | None


def checkout_root() -> Path:
    """The folder that relative paths and `.env` belong to: the checkout; without one, the current folder."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "sql-scripts").is_dir() else Path.cwd()


def _database_address(value: SecretStr) -> SecretStr:
    return SecretStr(addresses.sqlalchemy_address(value.get_secret_value()))


def _secret_key(value: SecretStr) -> SecretStr:
    if secret_keys.is_guessable(value.get_secret_value()):
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


def _limit(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.strip().lower() == OFF:
        return None
    match = _LIMIT.fullmatch(value.strip().lower())
    period = _duration(match[2]) if match else None
    if match is None or int(match[1]) < 1 or not isinstance(period, timedelta) or not period:
        raise ValueError("is no limit")
    return Rate(int(match[1]), period)


def _email_address(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise ValueError("is no e-mail address")
    return value


def _origins(value: object) -> tuple[str, ...]:
    """What a browser calls `Origin`: scheme, host and port, and nothing else."""
    words = _words(value)
    for word in words:
        parts = _web_parts(word)
        if parts.path or parts.query or parts.fragment:
            raise ValueError("holds what is no origin")
    return tuple(word.lower() for word in words)


def _pem_text(value: SecretStr) -> SecretStr:
    """The key itself, if it was its file's path."""
    text = value.get_secret_value().replace("\\n", "\n").strip()
    if "-----BEGIN" not in text:
        try:
            text = _folder(Path(text)).read_text("ascii")
        except (OSError, UnicodeDecodeError, ValueError):
            raise ValueError("is neither a key nor the path of one") from None
    if "PRIVATE KEY-----" not in text:
        raise ValueError("holds no private key")
    return SecretStr(text)


def _provider_address(value: str) -> str:
    """The address of a provider, whose word is taken: on the way to us, nobody may change it."""
    parts = _web_parts(value)
    is_loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.query or parts.fragment or (parts.scheme != "https" and not is_loopback):
        raise ValueError("is no https:// address")
    return value


def oidc_values(variables: Mapping[str, str | None]) -> dict[str, dict[str, str]]:
    """What `OIDC_<NAME>_…` of these variables say, by name in lower case and part in lower case."""
    found: dict[str, dict[str, str]] = {}
    for name, value in variables.items():
        match = _OIDC_PART.fullmatch(name)
        if match and value:
            found.setdefault(match[1].lower(), {})[match[2].lower()] = value
    return found


def is_oidc_name(name: str) -> bool:
    """Whether a variable is a part of `OIDC_<NAME>_…`."""
    return _OIDC_PART.fullmatch(name) is not None


def _oidc_clients(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    clients = []
    for name, parts in sorted(value.items()):
        if not _OIDC_NAME.fullmatch(name) or "issuer" not in parts or "client_id" not in parts:
            raise ValueError(f"needs OIDC_{name.upper()}_ISSUER and OIDC_{name.upper()}_CLIENT_ID")
        secret = parts.get("client_secret")
        clients.append(
            OidcClient(
                name,
                _provider_address(parts["issuer"]),
                parts["client_id"],
                SecretStr(secret) if secret else None,
            )
        )
    return tuple(clients)


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
ProviderAddress = Annotated[str, AfterValidator(_provider_address)]
PublicAddress = Annotated[str, AfterValidator(_public_address)]
Host = Annotated[str, AfterValidator(_host)]
TitleTypes = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_title_types)]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
Schedule = Annotated[str, AfterValidator(_schedule)]
"""When something is done: five fields of cron in UTC, or `NEVER`."""
Duration = Annotated[timedelta, BeforeValidator(_duration)]
AlertAddresses = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_addresses)]
Limit = Annotated[Rate | None, NoDecode, BeforeValidator(_limit)]
"""So many in so long; None: no limit."""
EmailAddress = Annotated[str, AfterValidator(_email_address)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_origins)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(lambda value: tuple(_words(value)))]
PemText = Annotated[SecretStr, AfterValidator(_pem_text)]
OidcClients = Annotated[tuple[OidcClient, ...], NoDecode, BeforeValidator(_oidc_clients)]
SmtpSecurity = Annotated[Literal["starttls", "tls", "none"], BeforeValidator(_lower)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
LogFormat = Annotated[Literal["text", "json"], BeforeValidator(_lower)]
