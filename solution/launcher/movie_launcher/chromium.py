"""The Chromium that the browser tests drive: the one that is here, or Debian's."""

import os
import shutil
from pathlib import Path
from typing import Final

from movie_launcher import processes
from movie_launcher.environment import say
from movie_launcher.errors import LauncherError

SETTING: Final = "CHROMIUM"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")


def find_or_install() -> str:
    """The path of a Chromium; Debian's package is installed if there is none and we may.

    Raises:
        LauncherError: There is none. The browser tests are never skipped in silence.
    """
    given = os.environ.get(SETTING)  # not a setting of the product: it means nothing to it
    if given:
        found = shutil.which(given)
        if found is None:
            raise LauncherError(f"{SETTING} is {given!r}, which is no program. Name a Chromium, or unset it.")
        return found
    found = _on_path()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        say("The browser tests need Chromium: installing Debian's package …")
        _install()
        found = _on_path()
    if found is None:
        raise LauncherError(
            "The browser tests need Chromium, and it is not here: install it (Debian: apt install chromium), "
            f"or name one: {SETTING}=/path/to/chrome ./run.sh test"
        )
    return found


def _on_path() -> str | None:
    return next((found for found in map(shutil.which, NAMES) if found), None)


def _install() -> None:
    variables = {"DEBIAN_FRONTEND": "noninteractive"}
    apt_get = str(Path(shutil.which("apt-get") or "apt-get"))
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        code = processes.run([apt_get, "--quiet", *arguments], environment=variables)
        if code != 0:
            raise LauncherError(
                f"The browser tests need Chromium, and apt-get {arguments[0]} failed (its words are above): "
                f"install it, or name one: {SETTING}=/path/to/chrome ./run.sh test"
            )
