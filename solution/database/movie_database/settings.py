"""Every setting of the product: name, type, default and one line of meaning.

The environment is read here and nowhere else. README's table and `.env.example` are checked
against `describe_settings`; `python -m movie_database settings` prints both.
"""

import difflib
import ipaddress
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

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

SECRET_KEY_CHARACTERS: Final = 32
_SECRET_KEY_VARIETY: Final = 8
_UNSET: Final = "unset"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """Settings are wrong; the message names each of them, what it was and what is allowed.

    Attributes:
        faults: One line a fault.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class SettingRow(NamedTuple):
    """A setting as the README's table and `.env.example` show it."""

    name: str
    default: str
    meaning: str


def checkout_root() -> Path:
    """The folder that relative paths and `.env` belong to: the checkout, elsewhere the current folder."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "sql-scripts").is_dir() and (root / "run.sh").parent.is_dir() else Path.cwd()


def _setting(default: Any, meaning: str, *, allowed: str, shown: str | None = None, **limits: Any) -> Any:
    """A field: its default (`shown` where it is computed), its meaning, and what is allowed."""
    value: dict[str, Any] = {"default_factory": default} if callable(default) else {"default": default}
    extra: JsonDict = {"allowed": allowed, "shown": shown}
    return Field(**value, description=meaning, json_schema_extra=extra, **limits)


def _workers() -> int:
    return 2 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2 * (os.cpu_count() or 1)


_SWITCH: Final = "true or false"


class Settings(BaseSettings):
    """All settings, frozen, checked. Made once by `read_settings`, then handed on.

    Raises:
        SettingsError: For any wrong value.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, validate_default=True, hide_input_in_errors=True
    )

    # ── Where the database is ──
    database_url: SecretStr | None = _setting(
        None,
        "Address of a PostgreSQL 15 or newer; without it and `DB_*`, an embedded server is started",
        allowed="postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
    )
    db_host: str | None = _setting(
        None,
        "In place of `DATABASE_URL`: the server's host (localhost, if another `DB_*` is set)",
        allowed="a host name, an address, or the folder of a socket",
    )
    db_port: int | None = _setting(
        None,
        "In place of `DATABASE_URL`: the server's port (5432, if another `DB_*` is set)",
        allowed="a whole number from 1 to 65535",
        ge=1,
        le=65535,
    )
    db_user: str | None = _setting(
        None,
        "In place of `DATABASE_URL`: the user (postgres, if another `DB_*` is set)",
        allowed="a name",
    )
    db_password: SecretStr | None = _setting(
        None, "In place of `DATABASE_URL`: the user's password", allowed="any text"
    )
    db_name: str | None = _setting(
        None,
        "In place of `DATABASE_URL`: the database (movies, if another `DB_*` is set)",
        allowed="a name",
    )
    pg_bindir: Path | None = _setting(
        None,
        "Folder of the PostgreSQL programs for the embedded server; unset: those installed from PyPI",
        allowed="a folder that holds postgres and initdb",
    )
    database_pool_size: int = _setting(
        2,
        "Connections that each worker of the API keeps",
        allowed="a whole number from 1 to 100",
        ge=1,
        le=100,
    )
    statement_timeout_seconds: float = _setting(
        10.0,
        "Longest time that one query of the API may take",
        allowed="a number over 0, up to 3600",
        gt=0,
        le=3600,
    )
    sql_scripts: Path = _setting(
        Path("sql-scripts"), "Folder of the schema's migrations", allowed="a folder of .sql files"
    )

    # ── What is kept, and what is loaded ──
    data_dir: Path = _setting(
        Path(".data"),
        "Folder of all that is kept: the embedded database, downloads, the secret key",
        allowed="a folder",
    )
    dataset_source: str = _setting(
        "https://datasets.imdbws.com/",
        "Where the dumps are: an http(s) address or a folder",
        allowed="an http:// or https:// address without user and password, or a folder",
    )
    title_types: Annotated[tuple[str, ...], NoDecode] = _setting(
        ("movie",),
        "IMDb's titleTypes to load, separated by commas",
        allowed="one or more of " + ", ".join(TITLE_TYPES),
        shown="movie",
        min_length=1,
    )
    skip_load_data: bool = _setting(
        False,  # noqa: FBT003 - a default, not an argument
        "Start without loading, even if the database is empty",
        allowed=_SWITCH,
    )
    download_timeout_seconds: float = _setting(
        10.0,
        "How long a download may wait for a connection or for its next bytes",
        allowed="a number over 0, up to 3600",
        gt=0,
        le=3600,
    )
    download_retries: int = _setting(
        5,
        "How often a failed download is taken up again",
        allowed="a whole number from 0 to 100",
        ge=0,
        le=100,
    )

    # ── The API ──
    host: str = _setting(
        "127.0.0.1", "Address that the API listens at", allowed="an IP address or a host name"
    )
    port: int = _setting(
        5000,
        "Port that the API listens at",
        allowed="a whole number from 1 to 65535",
        ge=1,
        le=65535,
    )
    web_concurrency: int = _setting(
        _workers,
        "Worker processes of the API",
        allowed="a whole number from 1 to 256",
        shown="2 per core",
        ge=1,
        le=256,
    )
    develop_server: bool = _setting(
        False,  # noqa: FBT003 - a default, not an argument
        "Run Flask's reloading server in place of Gunicorn",
        allowed=_SWITCH,
    )
    anonymous_writes: bool | None = _setting(
        None,
        "Whether anybody may write; unset: only callers on this machine, with no proxy between",
        allowed=_SWITCH,
    )
    max_body_bytes: int = _setting(
        65_536,
        "Largest body of a request",
        allowed="a whole number from 1024 to 1073741824",
        ge=1024,
        le=1 << 30,
    )
    secret_key: SecretStr | None = _setting(
        None,
        "Signs cursors; unset: made once and kept in `DATA_DIR`",
        allowed=f"at least {SECRET_KEY_CHARACTERS} random characters",
    )
    public_url: str | None = _setting(
        None,
        "Address that callers reach the API at, for links; unset: the address asked for, if it is ours",
        allowed="an http:// or https:// address without user, query and fragment",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = _setting(
        (),
        "Proxies whose `X-Forwarded-*` headers are believed, separated by commas",
        allowed="IP addresses and networks, such as 10.0.0.0/8",
        shown=_UNSET,
    )

    # ── What is told ──
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting(
        "INFO", "Least level that is logged", allowed="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Literal["text", "json"] = _setting("text", "Form of the log's lines", allowed="text or json")

    # ── For those who change the product ──
    test_database_url: SecretStr | None = _setting(
        None,
        "Server that the tests make their databases on; unset: `DATABASE_URL`, Docker, or an embedded one",
        allowed="postgresql://USER:PASSWORD@HOST:PORT/DATABASE, its user one that may create databases",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given is all there is: only `read_settings` looks at the environment."""
        return (init_settings,)

    @property
    def server_address(self) -> str | None:
        """SQLAlchemy's address of the server given by `DATABASE_URL` or `DB_*`; None: embedded."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        if all(getattr(self, name) is None for name in _DB_PARTS):
            return None
        return addresses.make_address(
            host=self.db_host or "localhost",
            port=self.db_port or 5432,
            user=self.db_user or "postgres",
            password=self.db_password.get_secret_value() if self.db_password else None,
            database=self.db_name or "movies",
        )

    @field_validator("database_url", "test_database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        return value and SecretStr(addresses.sqlalchemy_address(value.get_secret_value()))

    @field_validator("data_dir", "sql_scripts", "pg_bindir")
    @classmethod
    def _below_the_checkout(cls, value: Path | None) -> Path | None:
        # normpath and not resolve: a folder that is a link stays what the user called it.
        return value and Path(os.path.normpath(checkout_root() / value.expanduser()))

    @field_validator("dataset_source")
    @classmethod
    def _is_address_or_folder(cls, value: str) -> str:
        if "://" not in value:
            return os.path.normpath(checkout_root() / Path(value).expanduser())
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError
        return value

    @field_validator("title_types", mode="before")
    @classmethod
    def _are_title_types(cls, value: object) -> object:
        names = _words(value)
        unknown = [name for name in names if name not in TITLE_TYPES]
        if unknown:
            raise ValueError
        return tuple(dict.fromkeys(names))

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _are_networks(cls, value: object) -> object:
        return tuple(ipaddress.ip_network(word) for word in _words(value))

    @field_validator("host")
    @classmethod
    def _is_host(cls, value: str) -> str:
        if ":" in value:
            ipaddress.ip_address(value)
        elif not value.replace("-", "").replace(".", "").replace("_", "").isalnum():
            raise ValueError
        return value

    @field_validator("public_url")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        parts.port  # noqa: B018 - reading it is what checks it
        wrong = parts.query or parts.fragment or "@" in parts.netloc or any(map(str.isspace, value))
        if parts.scheme not in {"http", "https"} or not parts.hostname or wrong:
            raise ValueError
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _is_hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        text = value.get_secret_value()
        if len(text) < SECRET_KEY_CHARACTERS or len(set(text)) < _SECRET_KEY_VARIETY:
            raise ValueError("is too easy to guess")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_any_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("log_format", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="wrap")
    @classmethod
    def _tell_every_fault(cls, data: Any, handler: ModelWrapValidatorHandler["Settings"]) -> "Settings":
        """Collects the faults of all fields, and those between fields, which pydantic tells one by one."""
        faults = []
        parts = [name.upper() for name in _DB_PARTS if data.get(name) is not None]
        if data.get("database_url") is not None and parts:
            faults.append(f"DATABASE_URL and {', '.join(parts)} are both set: allowed is one or the other")
        settings = None
        try:
            settings = handler(data)
        except ValidationError as error:
            faults = [_fault(dict(detail), data) for detail in error.errors()] + faults
        if settings is None or faults:
            # Without "from": the chained error would show what was there, secrets too.
            raise SettingsError(faults) from None
        return settings


class _ReadSettings(Settings):
    """Settings of the values given, then of the environment, then of `.env`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - its path is fixed too early
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - there are none
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, DotEnvSettingsSource(settings_cls, checkout_root() / ".env")


_DB_PARTS: Final = ("db_host", "db_port", "db_user", "db_password", "db_name")
_SECRETS: Final = {"database_url", "test_database_url", "db_password", "secret_key"}


def read_settings(**overrides: Any) -> Settings:
    """The settings of the environment, then of `.env`, then the defaults.

    Args:
        **overrides: Values by field name that beat all of these; None overrides nothing.

    Raises:
        SettingsError: Names every wrong value, and every name in `.env` that is nearly a setting's.
    """
    env_file = checkout_root() / ".env"
    try:
        names = dotenv_values(env_file, interpolate=False) if env_file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{env_file} can't be read: {error}"]) from None
    faults = list(_misspelt(names))
    try:
        given = {name: value for name, value in overrides.items() if value is not None}
        settings = _ReadSettings(**given)
    except SettingsError as error:
        raise SettingsError(error.faults + faults) from None
    if faults:
        raise SettingsError(faults)
    return settings


def given_settings(**values: Any) -> Settings:
    """Settings of these values and the defaults, whatever the environment and `.env` hold.

    Raises:
        SettingsError: Names every wrong value.
    """
    return Settings(**values)


def describe_settings() -> Iterator[SettingRow]:
    """Name, default and meaning of every setting, in the order they are documented."""
    for name, field in Settings.model_fields.items():
        yield SettingRow(name.upper(), _shown_default(field), field.description or "")


def secret_key(settings: Settings) -> str:
    """The key that signs: the one given, or one made once and kept in `DATA_DIR`, for its owner alone.

    Raises:
        SettingsError: The file that keeps it can't be read or written.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.data_dir / "secret_key"
    try:
        if not path.exists():
            _keep_once(path, secrets.token_urlsafe(48))
        return path.read_text("ascii").strip()
    except OSError as error:
        raise SettingsError(
            [f"SECRET_KEY is not set, and can't be kept in {path}: {error.strerror}"]
        ) from None


def _keep_once(path: Path, text: str) -> None:
    """Writes a file that is there whole or not at all; of several processes the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            # A link, not a rename: it fails if another process was faster.
            os.link(draft, path)
    finally:
        draft.unlink()


def _words(value: object) -> list[str]:
    """The words of a text that commas separate, or of a sequence."""
    words = value.split(",") if isinstance(value, str) else list(value)  # type: ignore[call-overload]
    return [word for word in (str(word).strip() for word in words) if word]


def _shown_default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    shown = extra.get("shown") if isinstance(extra, dict) else None
    if shown is not None:
        return str(shown)
    if field.default is None:
        return _UNSET
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def _fault(detail: dict[str, Any], given: dict[str, Any]) -> str:
    """What is wrong with a field: its name, what was there unless it is secret, what is allowed."""
    name = str(detail["loc"][0])
    extra = Settings.model_fields[name].json_schema_extra
    allowed = extra.get("allowed") if isinstance(extra, dict) else ""
    reason = str(detail.get("ctx", {}).get("error", ""))
    if name in _SECRETS:
        return f"{name.upper()} {reason or 'is wrong'}; allowed: {allowed}"
    return f"{name.upper()} is {given.get(name)!r}; allowed: {allowed}"


def _misspelt(names: dict[str, str | None]) -> Iterator[str]:
    """A fault for each name in `.env` that is nearly a setting's.

    Other names are none of our business: Compose and the shell read the same file.
    """
    known = [name.upper() for name in Settings.model_fields]
    for name in names:
        nearest = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.8)
        if nearest and name.upper() not in known:
            yield f"{name} in .env is no setting; the nearest is {nearest[0]}"
