"""The first start: an account that may do everything, and a file that lets its owner in."""

import os
import re
import secrets
import shlex
from pathlib import Path
from typing import Final

import structlog
from movie_database.settings import Settings

from movie_api.accounts.links import account_link
from movie_api.accounts.queries import administration
from movie_api.accounts.queries.administration import FirstAdmin
from movie_api.accounts.queries.mails import TOKEN_HOURS

FILE_NAME: Final = "first-admin.env"

# What a shell takes as it stands, also after an equals sign.
_PLAIN: Final = re.compile(r"[A-Za-z0-9@%+=:,./_#-]+")

_log = structlog.get_logger(__name__)


class FirstAdminError(Exception):
    """The first admin can't be let in, so it was not made; the message is one plain line."""


def make_first_admin(settings: Settings, address: str) -> Path | None:
    """There is an admin, or other users; gives the file that lets the first admin in, if it was made now.

    Nothing secret is logged: whoever can read the file runs the server.

    Args:
        settings: Say who it is, and where the file is kept.
        address: SQLAlchemy's, of the database, at this version's schema.

    Raises:
        FirstAdminError: The file can't be written; no account was made.
        DatabaseError: The database refuses; likewise.
    """
    path = settings.data_dir / FILE_NAME
    made = administration.make_first_admin(
        address, settings.admin_email, lambda admin: _keep(path, _text(settings, admin))
    )
    if not made:
        return None
    _log.info("Made the first admin: the file lets its owner in", file=str(path))
    return path


def _text(settings: Settings, admin: FirstAdmin) -> str:
    email = _quoted(admin.email)
    return f"""\
# The first admin of this server. Whoever reads this file may do what it may: keep it to yourself, and
# remove it when the password is set and the key is elsewhere, or not needed.

# Signs in with this address, and with the password that you set by the link below.
ADMIN_EMAIL={email}

# Opens the page that sets the password: once, within {TOKEN_HOURS} hour of the first start. For another link:
# ./run.sh users link {email}     (in a container: flask --app movie_api users link {email})
ADMIN_LINK={_quoted(account_link(settings, "reset", admin.token))}

# For scripts, for {admin.key_days} days: may add movies. curl -H "Authorization: Bearer $API_KEY" …
API_KEY={admin.api_key}
"""


def _quoted(value: str) -> str:
    """A value as a shell reads it, which may source the file."""
    return value if _PLAIN.fullmatch(value) else shlex.quote(value)


def _keep(path: Path, text: str) -> None:
    """The file is there, whole, for its owner alone; one that was there before is replaced.

    Called amid the transaction that makes the account. If that is not committed after all, a file is
    left that opens nothing, and that the next start replaces.

    Raises:
        FirstAdminError: It can't be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise FirstAdminError(
            f"The first admin was not made: {path} can't be written: {error.strerror or error};"
            " DATA_DIR= names another folder"
        ) from error


def _sync_folder(folder: Path) -> None:
    """The folder's names are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
