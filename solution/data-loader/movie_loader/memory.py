"""What a load gives back of the memory that it took."""

import ctypes

import pyarrow as pa


def give_back_memory() -> None:
    """Return to the system what was freed, so that what one file took is not held beside the next one's.

    Each file is read by threads of its own, and glibc keeps what they freed for threads like them:
    200 MB by the end of a load with everything. Other C libraries have no such call, and no need.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
