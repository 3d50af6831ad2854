"""The command line of all benchmarks: `python -m benchmarks COMMAND`."""

import click

from benchmarks.dumps import dumps

# A further benchmark is a line here: the click command of its module.
COMMANDS = (dumps,)


@click.group(commands=COMMANDS)
def main() -> None:
    """Measures the product on full-size dumps. None of this is a test: nothing fails by being slow."""


if __name__ == "__main__":
    main(prog_name="bench")
