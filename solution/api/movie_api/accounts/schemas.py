"""What comes in and goes out at /auth."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from movie_api.http.access import SCOPES
from movie_api.http.bodies import whole_number

MAXIMUM_EMAIL_CHARACTERS: Final = 254  # RFC 5321, less the angle brackets
MINIMUM_PASSWORD_CHARACTERS: Final = 10
MAXIMUM_PASSWORD_CHARACTERS: Final = 256
MAXIMUM_NAME_CHARACTERS: Final = 80
MAXIMUM_TOKEN_CHARACTERS: Final = 8_192
MAXIMUM_KEY_DAYS: Final = 366
DEFAULT_KEY_DAYS: Final = 90
NAME_PATTERN: Final = (
    r"^[^\u0000-\u0020\u007f-\u00a0]([^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0])?$"
)

_NAME: Final = re.compile(NAME_PATTERN[1:-1])


def email_key(email: str) -> str:
    """An address as it is compared: hosts that tell cases of a local part apart are not known."""
    return email.strip().lower()


def _email(text: str) -> str:
    try:
        # Of other scripts, hosts alone: not every server on the way takes them in a local part.
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise ValueError("must be an e-mail address") from None
    return found.ascii_email or text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must have no control character, and no blank at either end")
    return text


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a NUL character")
    return text


def _scopes(names: list[str]) -> list[str]:
    if not names or not set(names) <= set(SCOPES):
        raise ValueError(f"must be one or more of {', '.join(SCOPES)}")
    return list(dict.fromkeys(names))


Email = Annotated[str, Field(max_length=MAXIMUM_EMAIL_CHARACTERS), AfterValidator(_email)]
# What is looked up is not looked at: who mistypes an address is told so by what becomes of the sign-in.
KnownEmail = Annotated[
    str, Field(min_length=1, max_length=MAXIMUM_EMAIL_CHARACTERS), AfterValidator(_storable)
]
Password = Annotated[
    str, Field(min_length=MINIMUM_PASSWORD_CHARACTERS, max_length=MAXIMUM_PASSWORD_CHARACTERS)
]
KnownPassword = Annotated[str, Field(min_length=1, max_length=MAXIMUM_PASSWORD_CHARACTERS)]
Name = Annotated[str, Field(min_length=1, max_length=MAXIMUM_NAME_CHARACTERS), AfterValidator(_name)]
Token = Annotated[str, Field(min_length=1, max_length=MAXIMUM_TOKEN_CHARACTERS), AfterValidator(_storable)]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Registration(_Body):
    """Who wants an account."""

    email: Email
    password: Password
    display_name: Name


class Credentials(_Body):
    """Who signs in, and whether the tokens go into cookies."""

    email: KnownEmail
    password: KnownPassword
    cookies: bool = False


class UserChange(_Body):
    """What of an account is changed at once."""

    display_name: Name


class PasswordChange(_Body):
    """Another password; the current one is null where there is none yet."""

    current_password: KnownPassword | None = None
    new_password: Password
    cookies: bool = False


class ResetAsked(_Body):
    """Whose password is to be set anew."""

    email: KnownEmail


class ResetConfirmed(_Body):
    """The mail's token, and the new password."""

    token: Token
    password: Password


class TokenShown(_Body):
    """A token, of a mail or of ours."""

    token: Token


class EmailChange(_Body):
    """The address that the account is to have."""

    email: Email


class Refresh(_Body):
    """A refresh token; null where it is in a cookie."""

    refresh_token: Token | None = None


class NewKey(_Body):
    """A key for scripts."""

    name: Name
    scopes: Annotated[list[str], Field(max_length=20), AfterValidator(_scopes)]
    days: Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=MAXIMUM_KEY_DAYS)] = DEFAULT_KEY_DAYS


class ProviderSignIn(_Body):
    """What a client of its own got from a provider.

    Either an `id_token` with the `nonce` of ours that it was asked for with, or a `code` with the verifier
    and the address that it was asked for with, or both, as Apple gives them to apps.
    """

    id_token: Token | None = None
    nonce: Token | None = None
    code: Token | None = None
    code_verifier: Token | None = None
    redirect_uri: Annotated[str, Field(max_length=2_000)] | None = None
    client_id: Annotated[str, Field(max_length=300)] | None = None
    display_name: Name | None = None
    link: bool = False
    cookies: bool = False


def user(row: Any) -> dict[str, Any]:
    """An account as its owner sees it: see `queries.users.USER_COLUMNS`."""
    return {
        "id": str(row.id),
        "email": row.email,
        "email_verified": row.email_verified_at is not None,
        "display_name": row.display_name,
        "role": row.role,
        "has_password": row.has_password,
        "created_at": _moment(row.created_at),
    }


def session(row: Any, current_id: str | None) -> dict[str, Any]:
    """A session as its owner sees it."""
    return {
        "id": str(row.id),
        "is_current": str(row.id) == current_id,
        "method": row.method,
        "signed_in_at": _moment(row.signed_in_at),
        "refreshed_at": _moment(row.refreshed_at),
        "expires_at": _moment(row.expires_at),
        "address": row.address,
        "user_agent": row.user_agent,
    }


def api_key(row: Any, secret: str | None = None) -> dict[str, Any]:
    """An API key as its owner sees it; the key itself only when it is made."""
    shown = {
        "id": str(row.id),
        "name": row.name,
        "hint": row.hint,
        "scopes": list(row.scopes),
        "created_at": _moment(row.created_at),
        "expires_at": _moment(row.expires_at),
        "revoked_at": _moment(row.revoked_at),
    }
    return shown if secret is None else shown | {"key": secret}


def identity(row: Any) -> dict[str, Any]:
    """An account at a provider as its owner sees it."""
    return {
        "id": str(row.id),
        "provider": row.provider,
        "email": row.email,
        "linked_at": _moment(row.linked_at),
        "used_at": _moment(row.used_at),
    }


def moment_of(seconds: int) -> str | None:
    """A time, given in seconds since 1970."""
    return _moment(datetime.fromtimestamp(seconds, UTC))


def _moment(value: Any) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds").replace("+00:00", "Z")
