"""The package's own command: `python -m movie_database`."""

import sys

import click

from movie_database import addresses, exits
from movie_database.errors import DatabaseError
from movie_database.logs import configure_logging
from movie_database.migrate import migrate
from movie_database.server import database
from movie_database.settings import SettingsError, describe_settings, example_env, read_settings


@click.group()
def commands() -> None:
    """What all programs of the movie API need of PostgreSQL."""


@commands.command("migrate")
def migrate_command() -> None:
    """Bring the database's schema up to date; start the embedded server for it, if that is used."""
    settings = read_settings()
    configure_logging(settings)
    with database(settings) as address:
        applied = migrate(address, settings.sql_scripts)
    print(f"{addresses.without_password(address)}: applied {', '.join(applied) or 'nothing, all was there'}")


@commands.command("settings")
@click.option("--env", "as_env", is_flag=True, help="As .env.example, in place of README's table.")
def settings_command(*, as_env: bool) -> None:
    """Print every setting with its default and meaning."""
    if as_env:
        print(example_env(), end="")
        return
    print("| setting | default | meaning |\n|---|---|---|")
    for name, default, meaning in describe_settings():
        print(f"| `{name}` | {default} | {meaning} |")


def main() -> None:
    """Runs the command that the arguments name; ends the process with its exit code."""
    try:
        commands(prog_name="python -m movie_database", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(exits.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(exits.WRONG_USAGE)
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(exits.WRONG_USAGE)
    except DatabaseError as error:
        print(error, file=sys.stderr)
        sys.exit(exits.FAILED)
    except KeyboardInterrupt:
        sys.exit(exits.INTERRUPTED)
