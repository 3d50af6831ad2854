"""What became of loads, for people."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

NOTHING_YET: Final = "nothing was loaded yet: `movie-loader load`"

_SINCE: Final = {
    "running": "is running",
    "unchanged": "found the same dumps",
    "refused": "was refused",
    "failed": "failed",
}
_COLOURS: Final = {
    "done": "green",
    "unchanged": "cyan",
    "running": "blue",
    "refused": "yellow",
    "failed": "red",
}
_NUMBERS: Final = {"seconds", "movies", "new", "changed", "gone", "rejected"}
_HEADINGS: Final = (
    "load", "state", "started (UTC)", "seconds", "movies", "new", "changed", "gone", "rejected", "source",
)  # fmt: skip


def describe(served: dict[str, Any] | None, newest: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line about the load whose data is served, and one about the newest if that is another."""
    if served is None:
        yield NOTHING_YET
    else:
        sample = "the sample, " if served["is_sample"] else ""
        yield (
            f"{sample}{served['movie_rows']} movies, {served['genre_rows']} genres, {served['rating_rows']} "
            f"rated, from {served['source']}, {served['finished_at']:%Y-%m-%d %H:%M:%S %Z}"
        )
    for load in newest:
        if load["state"] != "done":
            reason = f": {load['error']}" if load["error"] else ""
            began = f"{load['started_at']:%Y-%m-%d %H:%M:%S %Z}"
            yield f"load {load['id']} of {began} {_SINCE[load['state']]}{reason}"


def print_table(loads: list[dict[str, Any]]) -> None:
    """Print a line a load, and below it why it did not come through."""
    console = Console()
    if not console.is_terminal:
        # There is no width to keep: what reads it can cut it.
        console = Console(width=200)
    table = Table(box=None, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(
            heading, justify="right" if heading in _NUMBERS else "left", no_wrap=heading != "source"
        )
    for load in loads:
        table.add_row(*_cells(load))
    console.print(table)
    for load in loads:
        if load["error"]:
            console.print(Text(f"load {load['id']} {load['state']}: {load['error']}"), soft_wrap=True)


def _cells(load: dict[str, Any]) -> list[Text]:
    rejected = sum(sum(kinds.values()) for kinds in load["rejected"].values())
    end = load["finished_at"] or datetime.now(UTC)
    source = "the sample" if load["is_sample"] else load["source"]
    return [
        Text(str(load["id"])),
        Text(load["state"], style=_COLOURS[load["state"]]),
        Text(f"{load['started_at'].astimezone(UTC):%Y-%m-%d %H:%M:%S}"),
        Text(f"{max(0.0, (end - load['started_at']).total_seconds()):.1f}"),
        *(Text(_number(load[name])) for name in ("movie_rows", "inserted", "updated", "retired")),
        Text(_number(rejected)),
        Text(source),
    ]


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"
