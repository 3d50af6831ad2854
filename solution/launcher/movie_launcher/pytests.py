"""`./run.sh test`: pytest over every component, with what the tests need from outside."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from movie_database import exits
from movie_database.settings import checkout_root

from movie_launcher import chromium, processes

BROWSER_TESTS: Final = "solution/api/tests/browser"
# Debugging and a chosen number of processes rule out ours.
_OWN_PROCESSES: Final = ("-n", "--numprocesses", "--dist", "--pdb", "--trace", "no:xdist", "--collect-only")

# pytest's codes: 2 interrupted, 3 its own fault, 4 wrong usage, 5 no test ran.
_EXIT_CODES: Final = {0: exits.DONE, 2: exits.INTERRUPTED, 4: exits.WRONG_USAGE}


def run_tests(arguments: Sequence[str]) -> int:
    """Runs the tests named, or all; pytest's verdict as an exit code of ours."""
    root = checkout_root()
    words = [_from_root(word) for word in arguments]
    variables = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}
    if _may_need_browser(words, root):
        variables[chromium.SETTING] = chromium.find_or_install()
    # "logical": by default xdist counts cores, and takes a virtual machine's two for one.
    spread = [] if any(word.startswith(_OWN_PROCESSES) for word in words) else ["-n", "logical"]
    # Not -P: the benchmarks lie in no package, and are found from the checkout. SIGINT lets pytest end
    # what its fixtures started.
    code = processes.run(
        [sys.executable, "-m", "pytest", *spread, *words],
        environment=variables,
        folder=root,
        ending=signal.SIGINT,
    )
    return code if code == exits.INTERRUPTED else _EXIT_CODES.get(code, exits.FAILED)


def _from_root(word: str) -> str:
    """A path of the caller's current folder as an absolute one: pytest runs in the checkout."""
    path, separator, name = word.partition("::")
    return (
        f"{Path(path).absolute()}{separator}{name}"
        if not word.startswith("-") and Path(path).exists()
        else word
    )


def _may_need_browser(words: Sequence[str], root: Path) -> bool:
    """Whether the tests named hold those of the browser; all do."""
    browser = root / BROWSER_TESTS
    named = [Path(word.partition("::")[0]) for word in words if not word.startswith("-")]
    paths = [path for path in named if path.is_absolute() and path.exists()]
    return not paths or any(path in {browser, *browser.parents} or browser in path.parents for path in paths)
