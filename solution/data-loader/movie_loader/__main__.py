"""`movie-loader`, and `python -m movie_loader`."""

import os
import signal
from types import FrameType
from typing import NoReturn


def main() -> NoReturn:
    """Import the program and run it; Ctrl-C during the half second that this takes ends in one line too."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_at_once)
    from movie_loader.cli import main as run  # noqa: PLC0415 - the handlers come first

    run()


def _end_at_once(_number: int, _frame: FrameType | None) -> NoReturn:
    os.write(2, b"interrupted: nothing was done yet\n")
    os._exit(130)


if __name__ == "__main__":
    main()
