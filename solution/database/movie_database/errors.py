"""What can go wrong on the way to a database; each message is one plain line that says what to do."""


class DatabaseError(Exception):
    """There is no database to work with."""


class DatabaseUnavailable(DatabaseError):  # noqa: N818 - named for what it says
    """No server answers, or none can be started."""


class UnsuitableDatabase(DatabaseError):  # noqa: N818 - named for what it says
    """A server answers, but the product can't work on it."""


class MigrationError(DatabaseError):
    """The schema can't be brought to the scripts' state; it is as it was before the script named."""
