"""What ends a load."""


class LoadError(Exception):
    """The load can't go on; the database is as it was.

    Attributes:
        code: a word for machines, the same for the same cause.
        is_transient: whether trying again may help (a network that failed); else the input is
            wrong, and would be wrong again.
    """

    def __init__(self, message: str, *, code: str, is_transient: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.is_transient = is_transient


class SourceChangedError(LoadError):
    """The file was replaced at its source while it was read: what was read of it is void."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="source_changed", is_transient=True)


class RunningLoadError(LoadError):
    """Another load is at work."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="load_running", is_transient=True)


class RefusedLoadError(LoadError):
    """The dumps can be read, and look wrong: nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="refused")


class InterruptedLoadError(Exception):
    """The load was asked to stop; the message says what became of the database."""

    def __init__(self, message: str = "the database is as it was") -> None:
        super().__init__(message)
