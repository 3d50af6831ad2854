"""What a start loads: nothing, IMDb's dumps, or the sample where IMDb can't be reached."""

import fcntl
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from movie_database import exits
from movie_database.settings import Settings

from movie_launcher import processes, programs, reachability
from movie_launcher.environment import need_room, say
from movie_launcher.errors import LauncherError

# Measured with dumps of full size: 205 MB of downloads, and 1.6 GB of database at its largest.
DOWNLOAD_BYTES: Final = 300_000_000
DATABASE_BYTES: Final = 2_000_000_000

_HOW_LOADS_END: Final = {
    exits.BUSY: "Another load is running",
    exits.REFUSED: "The load was refused, as said above",
    exits.INTERRUPTED: "The load was interrupted",
}

DEFAULT_SOURCE: Final = Settings.model_fields["dataset_source"].default


@dataclass(frozen=True)
class LastLoad:
    """What the database holds.

    Attributes:
        is_sample: Whether it is the bundled sample.
        report: All that the loader tells of it.
    """

    is_sample: bool
    report: dict[str, Any]


def last_load(variables: dict[str, str]) -> LastLoad | None:
    """What was loaded last; None: the database never had a load.

    Raises:
        LauncherError: The loader can't tell.
    """
    asked = subprocess.run(  # noqa: S603 - our own loader
        programs.installed(programs.STATUS_COMMAND),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=processes.environment_with(variables),
        check=False,
    )
    if asked.returncode != exits.DONE:
        raise LauncherError("The loader can't tell what the database holds; its own words are above.")
    report = json.loads(asked.stdout)
    return None if report is None else LastLoad(bool(report["is_sample"]), report)


def load_what_is_missing(settings: Settings, variables: dict[str, str]) -> None:
    """The database holds the source's data, or that of an earlier load, or the sample.

    Real data is never touched by a start. The sample stands in for IMDb's dumps alone, and gives
    way to them at the first start that reaches IMDb.

    Raises:
        LauncherError: There is no data, and none could be loaded.
    """
    if settings.skip_load_data:
        return
    with _one_at_a_time(settings):
        _load_what_is_missing(settings, variables)


def _load_what_is_missing(settings: Settings, variables: dict[str, str]) -> None:
    last = last_load(variables)
    if last is not None and not last.is_sample:
        return
    is_default = settings.dataset_source == DEFAULT_SOURCE
    reason = reachability.why_unreachable(settings.dataset_source) if is_default else None
    if reason is not None:
        say(f"IMDb can't be reached ({settings.dataset_source}: {reason}).")
        if last is None:
            say("Loading the bundled sample in its place; a start that reaches IMDb replaces it.")
            _load(variables, "--sample")
        else:
            say("Serving the bundled sample on; a start that reaches IMDb replaces it.")
        return
    need_room_for_dumps(settings)
    say(f"Loading {settings.dataset_source}: a few minutes, once …")
    try:
        _load(variables)
    except LauncherError as error:
        if last is None or not is_default:
            raise
        say(f"{error} Serving the bundled sample on.")


def need_room_for_dumps(settings: Settings) -> None:
    """Makes sure that the disk has room for IMDb's dumps, if they are to come.

    Raises:
        EnvironmentUnfitError: It has not.
    """
    if settings.dataset_source != DEFAULT_SOURCE:
        return
    folder = next(one for one in (settings.data_dir, *settings.data_dir.parents) if one.exists())
    need_room(folder, DOWNLOAD_BYTES + (DATABASE_BYTES if settings.server_address is None else 0))


@contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    """No other start on this DATA_DIR loads meanwhile: of two first ones, the second finds data there."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / "loading.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start is loading: waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _load(variables: dict[str, str], *arguments: str) -> None:
    code = processes.run([*programs.installed(programs.LOAD_COMMAND), *arguments], environment=variables)
    if code != exits.DONE:
        how = _HOW_LOADS_END.get(code, "The load failed, as said above")
        raise LauncherError(f"{how}; the database is as it was.", code)
