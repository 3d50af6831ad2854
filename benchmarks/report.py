"""How every benchmark shows its result: one table, and the same as JSON, with the machine."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

Value = str | int | float | None
_THREE_DIGITS = 100
_WIDTH_OFF_A_TERMINAL = 120


def machine(postgresql_version: str | None = None) -> dict[str, Value]:
    """What the figures were measured on.

    Args:
        postgresql_version: Of the server that took part, if one did.
    """
    facts: dict[str, Value] = {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
    if postgresql_version is not None:
        facts["postgresql"] = postgresql_version
    return facts


def print_and_save(
    name: str,
    rows: Sequence[Mapping[str, Value]],
    columns: Mapping[str, str],
    json_path: Path | None = None,
    *,
    postgresql_version: str | None = None,
) -> None:
    """Prints the rows as a table and, if a path is given, writes them as JSON.

    Args:
        name: The benchmark's, as on the command line.
        rows: The figures; a row may lack some of the columns, and the JSON holds what it has more.
        columns: What the table shows, in order: key of the rows, and heading with the unit.
        json_path: Where the JSON goes; folders that are not there are made.
        postgresql_version: Of the server that took part, if one did.
    """
    facts = machine(postgresql_version)
    table = Table(title=name, caption=", ".join(f"{key} {value}" for key, value in facts.items()))
    for key, heading in columns.items():
        is_text = any(isinstance(row.get(key), str) for row in rows)
        table.add_column(heading, justify="left" if is_text else "right")
    for row in rows:
        table.add_row(*(_shown(row.get(key)) for key in columns))
    console = Console()
    if not console.is_terminal:
        # Written to a file or a pipe, rich would fold the table into 80 columns.
        console = Console(width=_WIDTH_OFF_A_TERMINAL)
    console.print(table)
    if json_path is not None:
        result = {
            "benchmark": name,
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": facts,
            "rows": [dict(row) for row in rows],
        }
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        # Three digits say enough, but a large number must not become 1.2e+03.
        return f"{value:,.0f}" if abs(value) >= _THREE_DIGITS else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value


def _cpu_model() -> str:
    """The processor's name as Linux tells it, elsewhere what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
