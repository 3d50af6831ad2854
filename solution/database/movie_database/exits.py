"""Exit codes of every command, the same through `run.sh`."""

from typing import Final

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
"""An unknown word, or a setting that is wrong."""
BUSY: Final = 3
"""Another load is running."""
REFUSED: Final = 4
"""The dumps look wrong; nothing was changed."""
INTERRUPTED: Final = 130
"""Ended by Ctrl-C, SIGINT or SIGTERM: 128 and SIGINT's number, as shells have it."""
