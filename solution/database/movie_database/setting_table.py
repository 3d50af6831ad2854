"""The table of all settings of the product.

A new one is a row here, one in README's table and one in `.env.example`: `python -m movie_database
settings` prints the rows of the former, `settings --env` the whole of the latter.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.config import JsonDict
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from movie_database import addresses, setting_types
from movie_database.tuning import machine_cores

UNSET: Final = "unset"
_DB_PARTS: Final = ("db_host", "db_port", "db_user", "db_password", "db_name")
_SECRETS: Final = {
    "alert_urls",
    "apple_private_key",
    "database_url",
    "db_password",
    "google_client_secret",
    "oidc",
    "secret_key",
    "smtp_password",
    "test_database_url",
}


class SettingsError(Exception):
    """Settings are wrong; the message names each of them, what it was and what is allowed.

    Attributes:
        faults: One line a fault.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _setting(default: Any, meaning: str, *, allowed: str, shown: str | None = None, **limits: Any) -> Any:
    """A field: its default (`shown` where it is computed), its meaning, and what is allowed."""
    value: dict[str, Any] = {"default_factory": default} if callable(default) else {"default": default}
    extra: JsonDict = {"allowed": allowed, "shown": shown}
    return Field(**value, description=meaning, json_schema_extra=extra, **limits)


def _workers() -> int:
    return 2 * machine_cores()


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
    database_url: setting_types.DatabaseAddress | None = _setting(
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
    pg_bindir: setting_types.Folder | None = _setting(
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
    sql_scripts: setting_types.Folder = _setting(
        Path("sql-scripts"), "Folder of the schema's migrations", allowed="a folder of .sql files"
    )

    # ── What is kept, and what is loaded ──
    data_dir: setting_types.Folder = _setting(
        Path(".data"),
        "Folder of all that is kept: the embedded database, downloads, the secret key",
        allowed="a folder",
    )
    dataset_source: setting_types.Source = _setting(
        "https://datasets.imdbws.com/",
        "Where the dumps are: an http(s) address or a folder",
        allowed="an http:// or https:// address without user and password, or a folder",
    )
    title_types: setting_types.TitleTypes = _setting(
        ("movie",),
        "IMDb's titleTypes to load, separated by commas",
        allowed="one or more of " + ", ".join(setting_types.TITLE_TYPES),
        shown="movie",
        min_length=1,
    )
    with_cast: bool = _setting(
        False,  # noqa: FBT003 - a default, not an argument
        "Whether the movies' billed cast is loaded too, from `title.principals`",
        allowed=_SWITCH,
    )
    with_akas: bool = _setting(
        False,  # noqa: FBT003 - likewise
        "Whether their titles in other countries and languages are loaded too, from `title.akas`",
        allowed=_SWITCH,
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

    # ── What a reload refuses ──
    max_shrink_percent: float = _setting(
        5.0,
        "How many percent fewer movies, genres or ratings than the last load a load may bring",
        allowed="a number from 0 to 100",
        ge=0,
        le=100,
    )
    max_rejected_percent: float = _setting(
        1.0,
        "How many percent of a file's wanted rows may be malformed, beyond `MAX_REJECTED_ROWS`",
        allowed="a number from 0 to 100",
        ge=0,
        le=100,
    )
    max_rejected_rows: int = _setting(
        100,
        "How many of a file's wanted rows may be malformed, whatever share of them that is",
        allowed="a whole number from 0 to 1000000000",
        ge=0,
        le=1_000_000_000,
    )
    max_rating_shift: float = _setting(
        0.5,
        "How far the mean rating may be from that of the last load",
        allowed="a number from 0 to 9",
        ge=0,
        le=9,
    )

    # ── When, and who is told ──
    reload_cron: setting_types.Schedule = _setting(
        "0 2 * * *",
        "When the worker reloads the dumps, in UTC",
        allowed="five fields of cron, such as 0 2 * * *, or never",
    )
    reload_time_limit: setting_types.Duration = _setting(
        timedelta(hours=1),
        "How long a reload by the worker may take before it is ended",
        allowed="a number and s, m, h or d, such as 1h, from 1s to 7d",
        shown="1h",
        ge=timedelta(seconds=1),
        le=timedelta(days=7),
    )
    stale_after: setting_types.Duration = _setting(
        timedelta(hours=36),
        "How old the data may be before `/readyz` and an alert say so",
        allowed="a number and s, m, h or d, such as 36h, from 1s to 3650d",
        shown="36h",
        ge=timedelta(seconds=1),
        le=timedelta(days=3650),
    )
    alert_urls: setting_types.AlertAddresses = _setting(
        (),
        "Where alerts go, separated by spaces: e-mail, chat, webhook … in Apprise's notation",
        allowed="addresses of Apprise, such as mailtos://USER:PASSWORD@HOST?to=NAME@HOST",
        shown=UNSET,
    )

    # ── The API ──
    host: setting_types.Host = _setting(
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
    anonymous_writes: bool = _setting(
        False,  # noqa: FBT003 - a default, not an argument
        "Whether anybody may add movies, without an account: for demonstrations",
        allowed=_SWITCH,
    )
    max_body_bytes: int = _setting(
        65_536,
        "Largest body of a request",
        allowed="a whole number from 1024 to 1073741824",
        ge=1024,
        le=1 << 30,
    )
    secret_key: setting_types.SecretKey | None = _setting(
        None,
        "Signs cursors and tokens; unset: made once and kept in `DATA_DIR`",
        allowed=f"at least {setting_types.SECRET_KEY_CHARACTERS} random characters",
    )
    public_url: setting_types.PublicAddress | None = _setting(
        None,
        "Address that callers reach the API at, for links; unset: the address asked for, if it is ours",
        allowed="an http:// or https:// address without user, query and fragment",
    )
    trusted_proxies: setting_types.Networks = _setting(
        (),
        "Proxies whose `X-Forwarded-*` headers are believed, separated by commas",
        allowed="IP addresses and networks, such as 10.0.0.0/8",
        shown=UNSET,
    )

    cors_origins: setting_types.Origins = _setting(
        (),
        "Web sites whose scripts may call the API, separated by commas",
        allowed="origins, such as https://app.example.com, separated by commas",
        shown=UNSET,
    )

    # ── Accounts ──
    admin_email: setting_types.EmailAddress = _setting(
        "admin@localhost",
        "E-mail address that the first admin signs in with; the first start makes the account",
        allowed="an e-mail address",
    )
    registration: bool = _setting(
        True,  # noqa: FBT003 - likewise
        "Whether people may register themselves; it needs mails",
        allowed=_SWITCH,
    )
    access_token_lifetime: setting_types.Duration = _setting(
        timedelta(minutes=15),
        "How long an access token is good",
        allowed="a number and s, m, h or d, such as 15m, from 10s to 1d",
        shown="15m",
        ge=timedelta(seconds=10),
        le=timedelta(days=1),
    )
    refresh_token_lifetime: setting_types.Duration = _setting(
        timedelta(days=30),
        "How long a refresh token is good, and so a session that nobody uses",
        allowed="a number and s, m, h or d, such as 30d, from 1m to 365d",
        shown="30d",
        ge=timedelta(minutes=1),
        le=timedelta(days=365),
    )
    sign_in_limit: setting_types.Limit = _setting(
        setting_types.Rate(10, timedelta(minutes=15)),
        "Failed sign-ins to one account from one address",
        allowed=setting_types.LIMIT_ALLOWED,
        shown="10/15m",
    )
    sign_in_address_limit: setting_types.Limit = _setting(
        setting_types.Rate(50, timedelta(minutes=15)),
        "Failed sign-ins from one address, whatever the account",
        allowed=setting_types.LIMIT_ALLOWED,
        shown="50/15m",
    )
    registration_limit: setting_types.Limit = _setting(
        setting_types.Rate(5, timedelta(hours=1)),
        "Registrations from one address",
        allowed=setting_types.LIMIT_ALLOWED,
        shown="5/1h",
    )
    reset_limit: setting_types.Limit = _setting(
        setting_types.Rate(3, timedelta(hours=1)),
        "Mails with a link to set a password, or to change the address, for one account from one address",
        allowed=setting_types.LIMIT_ALLOWED,
        shown="3/1h",
    )
    reset_address_limit: setting_types.Limit = _setting(
        setting_types.Rate(30, timedelta(hours=1)),
        "Such mails from one address, whatever the account",
        allowed=setting_types.LIMIT_ALLOWED,
        shown="30/1h",
    )
    anonymous_limit: setting_types.Limit = _setting(
        None,
        "Requests without an account from one address",
        allowed=setting_types.LIMIT_ALLOWED,
        shown=setting_types.OFF,
    )
    signed_in_limit: setting_types.Limit = _setting(
        None,
        "Requests of one account",
        allowed=setting_types.LIMIT_ALLOWED,
        shown=setting_types.OFF,
    )

    # ── Mails ──
    smtp_host: setting_types.Host | None = _setting(
        None,
        "Server that takes our mails; unset: they are written to `DATA_DIR`/mails, on loopback alone",
        allowed="an IP address or a host name",
    )
    smtp_port: int = _setting(587, "Its port", allowed="a whole number from 1 to 65535", ge=1, le=65535)
    smtp_security: setting_types.SmtpSecurity = _setting(
        "starttls", "How the way to it is kept secret", allowed="starttls, tls or none"
    )
    smtp_user: str | None = _setting(None, "Who we are to it", allowed="a name")
    smtp_password: SecretStr | None = _setting(None, "Our password there", allowed="any text")
    mail_from: setting_types.EmailAddress | None = _setting(
        None, "Sender of our mails; unset: `SMTP_USER`, or movies@localhost", allowed="an e-mail address"
    )

    # ── Signing in through others ──
    google_client_ids: setting_types.Words = _setting(
        (),
        "Our clients at Google, separated by commas: the web's first, then those of apps",
        allowed="client ids, separated by commas",
        shown=UNSET,
    )
    google_client_secret: SecretStr | None = _setting(
        None, "The secret of the first of them", allowed="any text"
    )
    google_issuer: setting_types.ProviderAddress = _setting(
        "https://accounts.google.com",
        "Whose tokens are taken as Google's",
        allowed="an https:// address, or an http:// one on loopback",
    )
    apple_client_ids: setting_types.Words = _setting(
        (),
        "Our clients at Apple, separated by commas: the Services ID first, then the apps' bundle ids",
        allowed="client ids, separated by commas",
        shown=UNSET,
    )
    apple_team_id: str | None = _setting(None, "Our team at Apple", allowed="ten characters")
    apple_key_id: str | None = _setting(None, "The key that Apple knows us by", allowed="ten characters")
    apple_private_key: setting_types.PemText | None = _setting(
        None,
        "That key, in PEM format with its line ends as \\n, or the path of its .p8 file",
        allowed="a private key in PEM format, or the path of one",
    )
    apple_issuer: setting_types.ProviderAddress = _setting(
        "https://appleid.apple.com",
        "Whose tokens are taken as Apple's",
        allowed="an https:// address, or an http:// one on loopback",
    )
    oidc: setting_types.OidcClients = _setting(
        (),
        "A further OpenID Connect provider: its issuer; likewise `OIDC_<NAME>_CLIENT_ID` and"
        " `OIDC_<NAME>_CLIENT_SECRET`",
        allowed="OIDC_<NAME>_ISSUER an https:// address (or http:// on loopback), with OIDC_<NAME>_CLIENT_ID",
        shown=UNSET,
    )
    oauth_redirect_uris: setting_types.Words = _setting(
        (),
        "Addresses that clients of their own may have codes sent to, separated by commas",
        allowed="addresses, separated by commas",
        shown=UNSET,
    )

    # ── What is told ──
    log_level: setting_types.LogLevel = _setting(
        "INFO", "Least level that is logged", allowed="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: setting_types.LogFormat = _setting("text", "Form of the log's lines", allowed="text or json")

    # ── For those who change the product ──
    test_database_url: setting_types.DatabaseAddress | None = _setting(
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


def _fault(detail: dict[str, Any], given: dict[str, Any]) -> str:
    """What is wrong with a field: its name, what was there unless it is secret, what is allowed."""
    name = str(detail["loc"][0])
    extra = Settings.model_fields[name].json_schema_extra
    allowed = extra.get("allowed") if isinstance(extra, dict) else ""
    reason = str(detail.get("ctx", {}).get("error", ""))
    if name in _SECRETS:
        return f"{name.upper()} {reason or 'is wrong'}; allowed: {allowed}"
    return f"{name.upper()} is {given.get(name)!r}; allowed: {allowed}"
