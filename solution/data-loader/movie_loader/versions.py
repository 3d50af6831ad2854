"""Files on disk and the notes beside them: which version of a server's file they are."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Version:
    """What a server says of a file.

    Attributes:
        address: where it came from.
        etag: its ETag, if the server gave one.
        last_modified: its Last-Modified, if the server gave one.
    """

    address: str
    etag: str | None = None
    last_modified: str | None = None

    @property
    def validator(self) -> str | None:
        """What `If-Range` may hold: a strong ETag, else a date.

        Source: RFC 9110, section 13.1.5.
        """
        if self.etag:
            return None if self.etag.startswith("W/") else self.etag
        return self.last_modified

    def is_surely(self, other: "Version") -> bool:
        """Tell whether both are of the same bytes, for certain."""
        return self.validator is not None and self == other

    def may_be(self, other: "Version") -> bool:
        """Tell whether nothing that both say differs; a 206 need not say all that a 200 says.

        Source: RFC 9110, section 15.3.7.
        """
        pairs = ((self.etag, other.etag), (self.last_modified, other.last_modified))
        return all(mine == its for mine, its in pairs if mine and its)


@dataclass(frozen=True)
class NotedFile:
    """A file of which it is noted beside it what it is.

    A file without a note, or with the note of another address, counts as not there.

    Attributes:
        path: the file; its note is `<path>.json`.
    """

    path: Path

    def version(self, address: str) -> Version | None:
        """Which version it is, if it is there and came from this address."""
        with suppress(OSError, ValueError, TypeError):
            version = Version(**json.loads(self.note_path.read_text("utf-8")))
            if self.path.is_file() and version.address == address:
                return version
        return None

    def note(self, version: Version) -> None:
        """Note which version it is."""
        draft = self.path.with_name(f"{self.path.name}.draft")
        draft.write_text(json.dumps(asdict(version)), "utf-8")
        draft.replace(self.note_path)

    def become(self, other: "NotedFile") -> None:
        """Take another's place, and never have the one's note beside the other's bytes."""
        other.note_path.unlink(missing_ok=True)
        self.path.replace(other.path)
        self.note_path.replace(other.note_path)

    def remove(self) -> None:
        """Be gone, file and note."""
        self.note_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    @property
    def note_path(self) -> Path:
        """Where it is noted what the file is."""
        return self.path.with_name(f"{self.path.name}.json")
