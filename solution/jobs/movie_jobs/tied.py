"""Becomes another program that ends when the process that started it dies: tied.py PARENT PROGRAM WORD ….

It stands between the two because the worker has threads, and after a fork of such a process nothing
but exec is safe. Run as a file, without site packages: it costs 15 ms.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ties this process to its parent, and becomes the program."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):
            sys.exit(1)  # it died before we were tied to it
    os.execv(command[0], command)  # noqa: S606 - without a shell, as it should be


if __name__ == "__main__":
    main()
