"""Linters, types, and the rules that are checked without running anything."""

import time
from pathlib import Path
from typing import Final

import click
from movie_database import exits
from movie_database.settings import checkout_root

from movie_launcher import processes, programs

CONTRACT: Final = "solution/api/movie_api/openapi.yaml"
SHELL_SCRIPTS: Final = ("run.sh", ".ci/run", "locks/update.sh")
DOCKERFILES: Final = tuple(f"solution/{name}/Dockerfile" for name in ("api", "data-loader", "jobs"))

CHECKS: Final = {
    "rules (ruff)": ("ruff", "check"),
    "format (ruff)": ("ruff", "format", "--check"),
    "types (mypy)": ("mypy",),
    "imports (import-linter)": ("lint-imports",),
    "shell (shellcheck)": ("shellcheck", *SHELL_SCRIPTS),
    "images (hadolint)": ("hadolint", *DOCKERFILES),
    "contract (openapi-spec-validator)": ("openapi-spec-validator", CONTRACT),
}


def run_checks() -> int:
    """Runs every check, whatever the others find; `FAILED` if any found something."""
    root = checkout_root()
    failed = []
    for name, command in CHECKS.items():
        click.secho(f"── {name}", bold=True)
        started = time.monotonic()
        code = _run(command, root)
        if code == exits.INTERRUPTED:
            return code
        if code != exits.DONE:
            failed.append(name)
        click.echo(f"   {'FAILED' if code else 'ok'}, {time.monotonic() - started:.1f} s")
    if failed:
        click.secho(f"{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}", fg="red")
        return exits.FAILED
    click.secho(f"All {len(CHECKS)} checks passed.", fg="green")
    return exits.DONE


def _run(command: tuple[str, ...], root: Path) -> int:
    return processes.run(programs.installed(command), folder=root)
