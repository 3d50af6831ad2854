"""The schema's scripts: plain SQL files, applied in the order of their numbers."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from movie_database.errors import MigrationError

_NAME: Final = re.compile(r"(\d{4})_\w+\.sql", re.ASCII)
# At the start of a line: comments speak of it too.
_EXTENSION: Final = re.compile(
    r'^[ \t]*CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)', re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True)
class Script:
    """A file of the schema.

    Attributes:
        path: Where it lies.
        sql: Its text.
        checksum: SHA-256 of the text, whatever its line ends.
    """

    path: Path
    sql: str
    checksum: str

    @property
    def name(self) -> str:
        """The file's name, by which a database remembers it."""
        return self.path.name

    @property
    def extensions(self) -> set[str]:
        """The extensions that the script creates."""
        return set(_EXTENSION.findall(self.sql))

    def line_of(self, position: int | None) -> str:
        """Where an error is that PostgreSQL counts in characters from the script's begin."""
        return f"{self.name}:{self.sql.count(chr(10), 0, position - 1) + 1}" if position else self.name


def read_scripts(folder: Path) -> list[Script]:
    """The scripts of a folder, in the order in which they apply.

    Raises:
        MigrationError: There is no script, or one has a name or a number that puts it in no order.
    """
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        raise MigrationError(f"{folder} holds no .sql files; SQL_SCRIPTS names the folder of the schema")
    numbers: dict[str, Path] = {}
    for path in paths:
        named = _NAME.fullmatch(path.name)
        if named is None:
            raise MigrationError(f"{path} must have a name such as 0001_catalogue.sql")
        if numbers.setdefault(named[1], path) is not path:
            raise MigrationError(
                f"{numbers[named[1]].name} and {path.name} have one number: give each its own"
            )
    return [_read_script(path) for path in paths]


def schema_checksum(scripts: list[Script]) -> str:
    """One checksum of all scripts, their names and their order."""
    return hashlib.sha256("\n".join(f"{one.name} {one.checksum}" for one in scripts).encode()).hexdigest()


def _read_script(path: Path) -> Script:
    try:
        # Universal newlines: a checkout on Windows holds other line ends, but no other script.
        sql = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"{path} can't be read: {error}") from error
    return Script(path, sql, hashlib.sha256(sql.encode()).hexdigest())
