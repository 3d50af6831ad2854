"""A dump's bytes, wherever they are: unpacked and verified, in chunks."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from isal import igzip, isal_zlib

from movie_loader.datasets import Dataset
from movie_loader.errors import LoadError

CHUNK_BYTES: Final = 2**20
"""What is unpacked at a time: it stays in the processor's cache until it is filtered."""


@dataclass(frozen=True)
class DumpFile:
    """A dump that can be read.

    Attributes:
        name: its file's name.
        address: where it is: a path or a URL.
        size_bytes: as it is stored, packed.
    """

    name: str
    address: str
    size_bytes: int

    def description(self) -> dict[str, Any]:
        """What `dataset_loads.files` keeps of it."""
        return {"name": self.name, "address": self.address, "bytes": self.size_bytes}


def local_file(folder: Path, dataset: Dataset) -> DumpFile:
    """Find a dump in a folder, packed or plain.

    Raises:
        LoadError: if it is not there.
    """
    for name in (f"{dataset.name}.tsv.gz", f"{dataset.name}.tsv"):
        path = folder / name
        if path.is_file():
            return DumpFile(name, str(path), path.stat().st_size)
    where = "does not exist" if not folder.exists() else "has no such file"
    raise LoadError(f"{dataset.name}.tsv.gz: the folder {folder} {where}", code="source_missing")


def unpacked(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield a file's bytes, unpacked if its name ends in `.gz`, in chunks.

    Raises:
        LoadError: if the stream is empty, is no gzip, ends too early, or fails its checksum.
    """
    stream: Any = igzip.IGzipFile(fileobj=file, mode="rb") if name.endswith(".gz") else file
    is_empty = True
    try:
        while chunk := stream.read(CHUNK_BYTES):
            is_empty = False
            yield chunk
    except EOFError:
        raise LoadError(f"{name}: is cut off: the gzip stream ends too early", code="truncated") from None
    except (igzip.BadGzipFile, zlib.error, isal_zlib.IsalError) as error:
        raise LoadError(f"{name}: is no whole gzip file: {error}", code="not_gzip") from None
    if is_empty:
        raise LoadError(f"{name}: is empty", code="source_empty")
