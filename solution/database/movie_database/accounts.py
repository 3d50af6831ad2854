"""The account that the embedded server runs as: the caller's, or if that is root, an ordinary one."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from movie_database.errors import DatabaseUnavailable

_NAMES: Final = ("postgres", "nobody")
# Nothing of the caller's environment: PGDATA, PGPORT or a locale would steer the server's programs.
_ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Account:
    """An account of the operating system.

    Attributes:
        name: Its name; empty for the caller's own.
        uid: Its number; None for the caller's own.
        gid: Its group's number; None for the caller's own.
    """

    name: str
    uid: int | None = None
    gid: int | None = None

    def run(self, *command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs a command as this account, out of reach of the terminal's Ctrl-C.

        Raises:
            OSError: The account can't run the command.
        """
        if self.uid is not None:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(  # noqa: S603 - commands are ours
            [str(word) for word in command],
            cwd="/",
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            check=False,
            **options,
        )

    def can_use(self, folder: Path) -> bool:
        """Whether it can reach the folder, and write to it."""
        try:
            tried = self.run("/bin/sh", "-c", 'cd "$1" && test -w .', "sh", folder, capture_output=True)
        except OSError:
            return False
        return tried.returncode == 0

    def own(self, path: Path) -> None:
        """The path belongs to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_account(data: Path) -> Account:
    """The account to run the server of this data folder as; PostgreSQL refuses to run as root.

    Raises:
        DatabaseUnavailable: The caller is root, and there is no account to use.
    """
    if os.geteuid() != 0:
        return Account("")
    if data.is_dir() and data.stat().st_uid != 0:
        # PostgreSQL wants the folder's owner: it was made by an ordinary user's start, or by ours.
        owner = data.stat()
        return Account(f"of {data}", owner.st_uid, owner.st_gid)
    for name in _NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise DatabaseUnavailable(
        f"PostgreSQL does not run as root, and there is no account named {' or '.join(_NAMES)}:"
        " make one (useradd --system postgres), or start as an ordinary user"
    )
