"""A dump's bytes, wherever they are: from a folder or the web, unpacked and verified, in chunks."""

import fcntl
import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol, cast

from isal import igzip, igzip_lib

from movie_loader.datasets import Dataset
from movie_loader.downloads import Download
from movie_loader.errors import LoadError, RunningLoadError
from movie_loader.patience import Patience
from movie_loader.pipes import Stopper

CHUNK_BYTES: Final = 2**20
"""What is unpacked at a time: it stays in the processor's cache until it is filtered."""

SUFFIXES: Final = (".tsv.gz", ".tsv")
"""A dump is looked for under these, in this order."""

# Its own type information has an instance here.
_ISAL_ERROR: Final = cast("type[Exception]", igzip_lib.IsalError)

Checksum: Final = hashlib.sha256

OnBytes = Callable[[str, int, int | None], None]


class ByteStream(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes, none at the end."""

    def close(self) -> None:
        """Free what it holds."""


class Dump(Protocol):
    """A dump that can be read.

    Attributes:
        address: a path or a URL.
        total_bytes: its size as it is stored, as far as it is known.
        was_kept: whether it was downloaded by an earlier load, and is still current.
    """

    @property
    def address(self) -> str: ...  # noqa: D102 - above

    @property
    def total_bytes(self) -> int | None: ...  # noqa: D102 - above

    @property
    def was_kept(self) -> bool: ...  # noqa: D102 - above

    def open(self) -> ByteStream:
        """Open it at its first byte."""

    def discard(self) -> None:
        """Forget a copy that turned out to be unusable."""

    def stored_checksum(self) -> str | None:
        """Return the SHA-256 of its bytes, if all of them are on this disk."""

    def description(self) -> dict[str, Any]:
        """Return what `dataset_loads.files` keeps of it."""


class LocalDump:
    """A dump in a folder."""

    was_kept = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self.address = str(path)
        self.total_bytes: int | None = path.stat().st_size

    def open(self) -> ByteStream:
        """Open the file."""
        return self._path.open("rb")

    def discard(self) -> None:
        """Leave the file alone: it is not ours."""

    def stored_checksum(self) -> str | None:
        """Read the whole file."""
        return _checksum_of(self._path)

    def description(self) -> dict[str, Any]:
        """Return address and size."""
        return {"address": self.address, "bytes": self.total_bytes, "etag": None, "last_modified": None}


class WebDump:
    """A dump that is being downloaded, or was."""

    def __init__(self, download: Download) -> None:
        self._download = download
        self.address = download.address

    @property
    def total_bytes(self) -> int | None:
        """As the server says."""
        return self._download.total_bytes

    @property
    def was_kept(self) -> bool:
        """Whether the server said that the kept file is the current one."""
        return self._download.was_kept

    def open(self) -> ByteStream:
        """Open the file, however much of it is there yet."""
        return self._download.open()

    def discard(self) -> None:
        """Remove the kept file."""
        self._download.discard()

    def stored_checksum(self) -> str | None:
        """Read the kept file, if it is the current one."""
        return _checksum_of(self._download.kept_path) if self.was_kept else None

    def description(self) -> dict[str, Any]:
        """Return address, size, and what the server calls this version."""
        version = self._download.version
        return {
            "address": self.address,
            "bytes": self.total_bytes,
            "etag": version.etag,
            "last_modified": version.last_modified,
        }


def _checksum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, Checksum).hexdigest()


@contextmanager
def opened(
    source: str,
    datasets: tuple[Dataset, ...],
    *,
    folder: Path,
    patience: Patience,
    on_bytes: OnBytes,
    stopper: Stopper,
) -> Iterator[dict[str, Dump]]:
    """Find dumps at an address or in a folder; downloads begin at once and go on while the block runs.

    Args:
        source: an http(s) address, or the path of a folder.
        datasets: which dumps.
        folder: where downloads are kept.
        patience: of downloads.
        on_bytes: is told a download's name, how many bytes are there, and of how many.
        stopper: ends downloads, and readers that wait for them.

    Yields:
        Dumps by the datasets' names.

    Raises:
        LoadError: if one is not there, or its server can't be reached.
    """
    if not source.startswith(("http://", "https://")):
        yield {dataset.name: _local(Path(source), dataset) for dataset in datasets}
        return
    with ExitStack() as stack:
        stack.enter_context(_alone(folder))

        def begin(dataset: Dataset, suffix: str) -> Download:
            address = f"{source.rstrip('/')}/{dataset.name}{suffix}"
            download = Download(
                address, folder, patience, lambda done, total: on_bytes(dataset.name, done, total)
            )
            stack.callback(download.stop)
            stopper.on_stop(download.stop)
            download.start()
            return download

        first = {dataset.name: begin(dataset, SUFFIXES[0]) for dataset in datasets}
        yield {dataset.name: WebDump(_answered(first[dataset.name], dataset, begin)) for dataset in datasets}


def _local(folder: Path, dataset: Dataset) -> Dump:
    for suffix in SUFFIXES:
        path = folder / f"{dataset.name}{suffix}"
        if path.is_file():
            return LocalDump(path)
    where = "has no such file" if folder.is_dir() else "is not there"
    raise LoadError(f"{dataset.name}{SUFFIXES[0]}: the folder {folder} {where}", code="source_missing")


def _answered(download: Download, dataset: Dataset, begin: Callable[[Dataset, str], Download]) -> Download:
    """Return the download that its server answers with the file: the packed one, or else the plain one."""
    try:
        download.wait_for_answer()
    except LoadError as error:
        if error.code != "source_missing":
            raise
        with suppress(LoadError):
            plain = begin(dataset, SUFFIXES[1])
            plain.wait_for_answer()
            return plain
        raise
    return download


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Make the folder of downloads, and keep other loads out of it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("ab")
    except OSError as error:
        raise LoadError(f"{error.filename}: {error.strerror}", code="disk") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunningLoadError(f"another load is downloading into {folder}") from None
        yield


class _Counted(io.RawIOBase):
    """Passes bytes on, tells how many they are by now and their checksum, and remembers the first few."""

    def __init__(
        self, stream: ByteStream, on_position: Callable[[int], None], checksum: "hashlib._Hash"
    ) -> None:
        self._stream = stream
        self._on_position = on_position
        self._checksum = checksum
        self._position = 0
        self.first_bytes = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._stream.read(len(buffer))
        self.first_bytes = self.first_bytes or data[:32]
        self._position += len(data)
        self._on_position(self._position)
        self._checksum.update(data)
        buffer[: len(data)] = data
        return len(data)


def unpacked(dump: Dump, on_position: Callable[[int], None], checksum: "hashlib._Hash") -> Iterator[bytes]:
    """Yield a dump's bytes, unpacked if its name ends in `.gz`, in chunks.

    Args:
        dump: where from.
        on_position: is told how many stored bytes were read.
        checksum: is updated with them.

    Raises:
        LoadError: if the stream is empty, is no gzip, ends too early, or fails its checksum. A copy
            that was downloaded is gone then.
    """
    name = dump.address.rsplit("/", 1)[-1]
    stream = dump.open()
    counted = _Counted(stream, on_position, checksum)
    packed: Any = igzip.open(counted, "rb") if name.endswith(".gz") else counted  # type: ignore[no-untyped-call]
    is_empty = True
    try:
        while chunk := packed.read(CHUNK_BYTES):
            is_empty = False
            yield chunk
        if is_empty:
            raise LoadError(f"{dump.address}: is empty", code="source_empty")
    except EOFError:
        dump.discard()
        raise LoadError(f"{dump.address}: is cut off: gzip's end is missing", code="cut_off") from None
    except (gzip.BadGzipFile, zlib.error, _ISAL_ERROR) as error:
        dump.discard()
        found = f"it begins with {counted.first_bytes!r}"
        what = (
            "is no gzip file" if not counted.first_bytes.startswith(b"\x1f\x8b") else f"is damaged ({error})"
        )
        raise LoadError(f"{dump.address}: {what}; {found}", code="not_gzip") from None
    finally:
        stream.close()
