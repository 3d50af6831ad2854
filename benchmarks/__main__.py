"""The command line of all benchmarks: `python -m benchmarks COMMAND`."""

import click

from benchmarks.auth import auth
from benchmarks.dumps import dumps
from benchmarks.http import http
from benchmarks.load import load
from benchmarks.queries import bench_queries
from benchmarks.reload import reload
from benchmarks.search import bench_search

# A further benchmark is a line here: the click command of its module.
COMMANDS = (dumps, load, bench_queries, bench_search, http, auth, reload)


@click.group(commands=COMMANDS)
def main() -> None:
    """Measures the product on full-size dumps. None of this is a test: nothing fails by being slow."""


if __name__ == "__main__":
    main(prog_name="bench")
