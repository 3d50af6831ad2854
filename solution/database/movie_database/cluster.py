"""One PostgreSQL cluster below a DATA_DIR: made, started, found running, stopped.

Nothing here is safe from another process doing the same: the caller holds the DATA_DIR's lock.
"""

import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import structlog

from movie_database import addresses, ports, postmaster
from movie_database.accounts import Account, server_account
from movie_database.binaries import SHARED_FOLDER, Binaries, find_binaries, make_shared_folder
from movie_database.connections import connected
from movie_database.errors import DatabaseUnavailable
from movie_database.sessions import undisturbed
from movie_database.tuning import machine_cores, machine_memory_bytes, server_options

USER: Final = "movies"
DATABASE: Final = "movies"
HOST: Final = "127.0.0.1"
FREE_BYTES_TO_CREATE: Final = 512 << 20
FREE_BYTES_TO_START: Final = 64 << 20
# Any locale of UTF-8 will do, since we sort by COLLATE "C": the first that the machine has.
_LOCALES: Final = ("C.UTF-8", "en_US.UTF-8")
_PORT_TRIES: Final = 5
_ANSWER_PATIENCE_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.1

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Cluster:
    """The cluster of a DATA_DIR.

    Attributes:
        folder: Where we keep what we know of it: its password, its port, its log.
        bindir: PG_BINDIR.
        options: Settings of PostgreSQL that beat ours.
    """

    folder: Path
    bindir: Path | None
    options: Mapping[str, str]

    def ensure_running(self) -> str:
        """The server runs, and has our database.

        Returns:
            SQLAlchemy's address of the database.

        Raises:
            DatabaseUnavailable: It can't be made or started.
        """
        give_up_at = time.monotonic() + _ANSWER_PATIENCE_SECONDS
        while True:
            try:
                found = postmaster.find(self.data)
                address = self._address_of(found or self._start())
                self._ensure_database(address)
            except OSError as error:
                place = error.filename or self.folder
                raise DatabaseUnavailable(
                    f"The embedded database can't be used: {place}: {error.strerror}"
                ) from error
            except DatabaseUnavailable:
                # A server that crashed a moment ago may look alive still, or recover by itself.
                if found is None or time.monotonic() > give_up_at:
                    raise
                time.sleep(_POLL_SECONDS)
            else:
                return address

    @property
    def is_running(self) -> bool:
        """Whether its server runs, as far as this machine's processes tell."""
        return postmaster.find(self.data) is not None

    def stop(self, in_hurry: Callable[[], bool] = lambda: False) -> None:
        """The server does not run; in a hurry it recovers at the next start, if its disk is slow."""
        process = postmaster.find(self.data)
        if process is not None:
            postmaster.stop(self.data, process, in_hurry)

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder: below ours, or where root had to put it for the server's account."""
        with suppress(FileNotFoundError):
            return Path((self.folder / "location").read_text("utf-8").rstrip("\n")) / "data"
        return self.folder / "cluster" / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def _start(self) -> psutil.Process:
        """A new server process, which has its port and is perhaps not ready yet."""
        self._make_folder()
        data = self.data
        account = server_account(data)
        binaries = find_binaries(self.bindir, account)
        if not (data / "PG_VERSION").exists():
            data = self._place(account)
            self._create(data, account, binaries)
        self._check_version(data, binaries)
        _require_space(data, FREE_BYTES_TO_START)
        postmaster.clear_leftovers(data)
        for _ in range(_PORT_TRIES):
            command = self._command(binaries, data, self._choose_port())
            # Until the server is on record, nobody could stop it after a Ctrl-C.
            with undisturbed():
                process = postmaster.bound(data, postmaster.spawn(command, account, self._log))
            if process is not None:
                return process
            if not postmaster.was_port_taken(self._log):
                break
        raise postmaster.failure(self._log)

    def _make_folder(self) -> None:
        """Our folder is there, and the server's account can pass through it; what is secret in it is 0600.

        Raises:
            DatabaseUnavailable: It can't be made.
        """
        try:
            for one in (self.folder.parent, self.folder):
                if not one.is_dir():
                    one.mkdir(parents=True)
                    one.chmod(0o755)  # whatever the umask
        except OSError as error:
            raise DatabaseUnavailable(f"DATA_DIR can't be used: {self.folder}: {error.strerror}") from error

    def _place(self, account: Account) -> Path:
        """The data folder to be, in a folder that the server's account owns and can reach."""
        (self.folder / "location").unlink(missing_ok=True)
        home = self.folder / "cluster"
        home.mkdir(exist_ok=True)
        account.own(home)
        if account.can_use(home):
            return home / "data"
        if account.uid is None:
            raise DatabaseUnavailable(f"DATA_DIR can't be used: {home} can't be written to")
        home.rmdir()
        self._tell_of_earlier_data()
        home = SHARED_FOLDER / f"data-{secrets.token_hex(6)}"
        try:
            make_shared_folder(home)
            _write(home / "of", f"{self.folder}\n")
        except OSError as error:
            raise DatabaseUnavailable(
                f"Account {account.name}, which runs the server, can't reach {self.folder}, and {home}"
                f" can't be made: {error.strerror}; DATA_DIR= names a folder that it can reach"
            ) from error
        account.own(home)
        if not account.can_use(home):
            raise DatabaseUnavailable(f"Account {account.name}, which runs the server, can't reach {home}")
        _log.warning(
            "The database is kept outside of DATA_DIR, which the account that runs it can't reach",
            account=account.name,
            folder=str(home),
        )
        _write(self.folder / "location", f"{home}\n")
        return home / "data"

    def _tell_of_earlier_data(self) -> None:
        """Says what a DATA_DIR of this name, removed since, left behind; it is not ours to remove."""
        for note in SHARED_FOLDER.glob("data-*/of"):
            with suppress(OSError, UnicodeDecodeError):
                if note.read_text("utf-8") == f"{self.folder}\n":
                    folder = str(note.parent)
                    _log.warning("An earlier database of this DATA_DIR is left; remove it", folder=folder)

    def _create(self, data: Path, account: Account, binaries: Binaries) -> None:
        """A new cluster is there, whole: what a killed start began is removed, and begun anew.

        Raises:
            DatabaseUnavailable: It can't be made.
        """
        _require_space(data.parent, FREE_BYTES_TO_CREATE)
        _log.info("Creating the database", folder=str(data), version=binaries.version)
        draft = data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        password_file = data.with_name("password.new")
        password_file.unlink(missing_ok=True)
        _write(password_file, self._password())
        account.own(password_file)
        try:
            for locale in _LOCALES:
                tried = account.run(
                    binaries.program("initdb"),
                    f"--pgdata={draft}",
                    f"--username={USER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    f"--locale={locale}",
                    "--no-instructions",
                    *(["--no-sync"] if self.options.get("fsync") == "off" else []),
                    capture_output=True,
                )
                if tried.returncode == 0 or "locale" not in tried.stderr:
                    break
        finally:
            password_file.unlink(missing_ok=True)
        if tried.returncode != 0:
            reason = " ".join(tried.stderr.split())
            raise DatabaseUnavailable(f"The database can't be created in {data}: {reason}")
        draft.rename(data)

    def _check_version(self, data: Path, binaries: Binaries) -> None:
        held = (data / "PG_VERSION").read_text("ascii").strip()
        if held != str(binaries.major):
            raise DatabaseUnavailable(
                f"{data} is of PostgreSQL {held}, the programs are {binaries.version}: set PG_BINDIR to those"
                f" of {held}; or back up with them, set another DATA_DIR, and restore or load anew"
            )

    def _command(self, binaries: Binaries, data: Path, port: int) -> list[str]:
        options = server_options(
            memory_bytes=machine_memory_bytes(),
            cores=machine_cores(),
            free_disk_bytes=shutil.disk_usage(data).free,
        )
        options |= {
            "listen_addresses": HOST,
            "port": str(port),
            # A socket's path may have 107 bytes, and a DATA_DIR's may have more.
            "unix_socket_directories": "",
            **self.options,
        }
        # By arguments, not by postgresql.conf: root writes nothing into a folder that another account owns.
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [str(binaries.program("postgres")), "-D", str(data), *settings]

    def _choose_port(self) -> int:
        """The port of the last time if it is free, so that others find the server again; else another."""
        kept = self.folder / "port"
        with suppress(OSError, ValueError):
            port = int(kept.read_text("ascii"))
            if ports.is_free(HOST, port):
                return port
        port = ports.find_free(HOST)
        _write(kept, f"{port}\n")
        return port

    def _password(self) -> str:
        kept = self.folder / "password"
        try:
            return kept.read_text("ascii").strip()
        except FileNotFoundError:
            password = secrets.token_urlsafe(24)
            _write(kept, f"{password}\n")
            return password

    def _address_of(self, process: psutil.Process) -> str:
        """The address of our database, once the server takes connections."""
        port = postmaster.wait_until_ready(self.data, process, self._log)
        try:
            password = (self.folder / "password").read_text("ascii").strip()
        except OSError as error:
            raise DatabaseUnavailable(
                f"{error.filename}, without which nobody can log in to {self.data}: {error.strerror}"
            ) from error
        return addresses.make_address(host=HOST, port=port, user=USER, password=password, database=DATABASE)

    def _ensure_database(self, address: str) -> None:
        with (
            connected(addresses.with_database(address, "postgres")) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")


def _require_space(folder: Path, least_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < least_bytes:
        raise DatabaseUnavailable(
            f"Too little disk space: {free_bytes >> 20} MB are free in {folder}, the database needs"
            f" {least_bytes >> 20} MB; make room, or set DATA_DIR to another disk"
        )


def _write(path: Path, text: str) -> None:
    """A file that its owner alone can read, there whole or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
