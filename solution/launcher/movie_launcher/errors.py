"""What ends a command."""

from movie_database import exits


class LauncherError(Exception):
    """A command can't go on; the message is one plain line that says what to do.

    Attributes:
        code: The exit code.
    """

    def __init__(self, message: str, code: int = exits.FAILED) -> None:
        super().__init__(message)
        self.code = code
