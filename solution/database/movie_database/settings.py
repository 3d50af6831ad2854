"""The settings of this process: read once, from the environment and `.env`, then handed on.

The environment is read here and nowhere else. What settings there are is `setting_table`'s.
"""

import difflib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource

from movie_database.setting_table import UNSET, Settings, SettingsError
from movie_database.setting_types import SECRET_KEY_CHARACTERS, checkout_root, is_oidc_name, oidc_values

__all__ = [
    "SettingRow",
    "Settings",
    "SettingsError",
    "checkout_root",
    "describe_settings",
    "example_env",
    "given_settings",
    "read_settings",
    "secret_key",
]


# Names of settings that are not their fields'.
_DOCUMENTED: Final = {"oidc": "OIDC_<NAME>_ISSUER"}


class SettingRow(NamedTuple):
    """A setting as the README's table and `.env.example` show it."""

    name: str
    default: str
    meaning: str


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
        # Their names are not known before.
        if providers := oidc_values({**names, **os.environ}):
            given.setdefault("oidc", providers)
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
        yield SettingRow(_DOCUMENTED.get(name, name.upper()), _shown_default(field), field.description or "")


def example_env() -> str:
    """The whole of `.env.example`: each setting with its meaning, commented out."""
    lines = ["# Copy to .env, and take the # from what you set. The environment beats this file.", ""]
    computed = {name.upper() for name, field in Settings.model_fields.items() if _shown(field) is not None}
    for name, default, meaning in describe_settings():
        is_value = default != UNSET and not (name in computed and " " in default)
        lines += [f"# {meaning.replace('`', '')}.", f"#{name}={default if is_value else ''}", ""]
    return "\n".join(lines)


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
        key = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"SECRET_KEY is not set, and can't be kept in {path}: {error}"]) from None
    if len(key) < SECRET_KEY_CHARACTERS:
        raise SettingsError([f"{path} does not hold a whole key: remove it, and a new one is made"])
    return key


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


def _shown(field: FieldInfo) -> str | None:
    """What stands for a default that is computed."""
    extra = field.json_schema_extra
    return str(extra["shown"]) if isinstance(extra, dict) and extra["shown"] is not None else None


def _shown_default(field: FieldInfo) -> str:
    shown = _shown(field)
    if shown is not None:
        return shown
    if field.default is None:
        return UNSET
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def _misspelt(names: dict[str, str | None]) -> Iterator[str]:
    """A fault for each name in `.env` that is nearly a setting's.

    Other names are none of our business: Compose and the shell read the same file.
    """
    known = [name.upper() for name in Settings.model_fields]
    for name in names:
        # In four letters, two that changed places are half of the name.
        cutoff = 0.75 if len(name) <= len("PORT") else 0.8
        nearest = difflib.get_close_matches(name.upper(), known, n=1, cutoff=cutoff)
        if nearest and name.upper() not in known and not is_oidc_name(name):
            yield f"{name} in .env is no setting; the nearest is {nearest[0]}"
