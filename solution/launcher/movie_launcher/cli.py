"""`./run.sh COMMAND`: what is asked for on the command line, and the exit code."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from movie_database import exits, server
from movie_database.errors import DatabaseError
from movie_database.logs import configure_logging
from movie_database.migrate import migrate
from movie_database.settings import Settings, SettingsError, checkout_root, read_settings

from movie_launcher import backups, checks, loading, ports, processes, programs, pytests, serving, working
from movie_launcher.clients import client, connection_words
from movie_launcher.environment import EnvironmentUnfitError, say
from movie_launcher.errors import LauncherError
from movie_launcher.signals import Interrupted, take_signals

Words = tuple[str, ...]

_NAME: Final = "./run.sh"
_HELP: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
# Words after such a command are those of the program that it runs, options too.
_PASSED_ON: Final[dict[str, Any]] = {
    "context_settings": {"ignore_unknown_options": True, "allow_interspersed_args": False, **_HELP}
}
_WORDS: Final = click.argument("words", nargs=-1, type=click.UNPROCESSED)


class _Commands(click.Group):
    """Shows the whole help where a word is unknown."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            click.echo(f"{ctx.get_help()}\n", err=True)
            click.echo(f"run.sh: {error.format_message()}", err=True)
            ctx.exit(exits.WRONG_USAGE)


@click.group(cls=_Commands, invoke_without_command=True, context_settings=_HELP)
@click.pass_context
def commands(context: click.Context) -> None:
    """A self-hosted movie API over IMDb's daily dumps.

    Without a command: start everything, load IMDb's dumps if the database never had a load, and
    serve until Ctrl-C. Settings are environment variables or lines of .env; README lists them.

    Exit codes: 0 done (a server that SIGTERM ended is done, too), 1 failed, 2 wrong usage or setting,
    3 another load is running, 4 refused: the dumps look wrong, 130 interrupted.
    """
    if context.invoked_subcommand is None:
        context.invoke(up)


@commands.command()
def up() -> None:
    """Load what is missing, then serve. The same as no command at all."""
    _serve(loading_first=True)


@commands.command()
def serve() -> None:
    """Serve the data that is there, without loading; an empty database serves empty lists."""
    _serve(loading_first=False)


@commands.command(add_help_option=False, **_PASSED_ON)
@_WORDS
def load(words: Words) -> int:
    """Load the dumps anew: load [--source URL_OR_FOLDER] …; load --help tells all options."""
    if {"-h", "--help"} & set(words):
        return processes.run([*programs.installed(programs.LOAD_COMMAND), *words])
    settings = _settings()
    if not any(word.partition("=")[0] in {"--source", "--sample"} for word in words):
        loading.need_room_for_dumps(settings)
    with _database(settings) as address:
        return processes.run(
            [*programs.installed(programs.LOAD_COMMAND), *words],
            environment=programs.database_variables(settings, address),
        )


@commands.command()
def worker() -> int:
    """Run the worker alone: the daily reload and other jobs, for an API that runs elsewhere."""
    settings = _settings()
    with _database(settings) as address:
        try:
            return processes.run(
                programs.installed(programs.WORKER_COMMAND),
                environment=programs.database_variables(settings, address),
            )
        except Interrupted as interrupted:
            if interrupted.number != signal.SIGTERM:
                raise
    return exits.DONE


@commands.command(add_help_option=False, **_PASSED_ON)
@_WORDS
def jobs(words: Words) -> int:
    """List jobs, run them or try them again: jobs list; jobs --help tells all."""
    return _run_on_database(programs.JOBS_COMMAND, words)


@commands.command("loader", add_help_option=False, **_PASSED_ON)
@_WORDS
def loader(words: Words) -> int:
    """Ask the loader: loader history; loader --help tells all."""
    return _run_on_database(programs.LOADER_COMMAND, words)


@commands.command("users", add_help_option=False, **_PASSED_ON)
@_WORDS
def users(words: Words) -> int:
    """List accounts, make and change them: users list; users --help tells all."""
    variables = programs.flask_variables()
    if _is_help(words):
        # Flask makes the whole program for it, which wants to know of a database, and asks it nothing.
        variables |= programs.database_variables(read_settings(), programs.NO_DATABASE)
    # Flask looks for modules in the current folder first.
    return _run_on_database(programs.USERS_COMMAND, words, variables=variables, folder=programs.api_folder())


@commands.command(**_PASSED_ON)
@_WORDS
def test(words: Words) -> int:
    """Run every test against a real PostgreSQL; WORDS go to pytest."""
    return pytests.run_tests(words)


@commands.command()
def check() -> int:
    """Run the linters, the type checker and all other checks of the code."""
    return checks.run_checks()


@commands.command(add_help_option=False, **_PASSED_ON)
@_WORDS
def bench(words: Words) -> int:
    """Measure: bench COMMAND …; bench --help tells the benchmarks."""
    # They lie beside the packages, in no package of their own.
    variables = {"PYTHONPATH": os.fspath(checkout_root())}
    return processes.run(programs.module("benchmarks", *words), environment=variables)


@commands.command(**_PASSED_ON)
@_WORDS
def psql(words: Words) -> int:
    """Open a shell on the database; WORDS go to psql: psql -c 'SELECT …'."""
    settings = _settings()
    with _database(settings) as address:
        connection, variables = connection_words(address)
        command = [str(client(settings, "psql")), *connection, *words]
        return min(processes.run_in_foreground(command, environment=variables), exits.FAILED)


@commands.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Write over a FILE that is there.")
def backup(file: Path, *, force: bool) -> None:
    """Write the whole database to FILE, in pg_dump's custom format."""
    settings = _settings()
    say(f"Backing up to {file} …")
    with _database(settings) as address:
        backups.backup(settings, address, file.absolute(), force=force)
    click.echo(f"Wrote {file}: {file.stat().st_size:,} bytes.")


@commands.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--yes", is_flag=True, help="Don't ask.")
def restore(file: Path, *, yes: bool) -> None:
    """Put what FILE holds in the place of the whole database.

    The present data serves on until the restored database is whole, and stays if that fails.
    """
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("This replaces all data, and nobody can be asked here: say --yes")
    settings = _settings()
    with _database(settings) as address:
        if not yes:
            click.confirm(f"Replace all data by that of {file}?", abort=True, err=True)
        say(f"Restoring {file} …")
        backups.restore(settings, address, file.absolute())
    click.echo(f"Restored {file}.")


@commands.command()
def stop() -> None:
    """End everything that runs on this DATA_DIR, its embedded server too."""
    ended = server.stop(_settings())
    click.echo(
        f"Stopped {ended} running command{'' if ended == 1 else 's'}." if ended else "Nothing was running."
    )


@commands.command("help")
@click.argument("words", nargs=-1)
def help_command(words: Words) -> int:
    """Tell what there is, or about one command: help COMMAND."""
    return int(commands.main([*words[:1], "--help"], prog_name=_NAME, standalone_mode=False) or exits.DONE)


def _is_help(words: Words) -> bool:
    """Whether a program that is given these words tells what it does, and does nothing."""
    return not words or bool({"-h", "--help"} & set(words))


def _run_on_database(
    program: tuple[str, ...],
    words: Words,
    *,
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> int:
    """Runs one of our programs with these words, on the database; only for help, without."""
    command = [*programs.installed(program), *words]
    if _is_help(words):
        return processes.run(command, environment=variables, folder=folder)
    settings = _settings()
    with _database(settings) as address:
        reached = {**programs.database_variables(settings, address), **(variables or {})}
        return processes.run(command, environment=reached, folder=folder)


def _serve(*, loading_first: bool) -> None:
    settings = _settings()
    ports.need_free_port(settings)
    if settings.server_address is None:
        say(f"Starting PostgreSQL in {settings.data_dir} …")
    with _database(settings) as address:
        variables = programs.database_variables(settings, address)
        if loading_first:
            loading.load_what_is_missing(settings, variables)
            ports.need_free_port(settings)  # a load takes its time, in which another can take the port
        say("Starting the API …")
        with working.worker(variables) as worker, serving.api(settings, variables) as process:
            serving.announce(settings)
            try:
                serving.watch(process, worker)
            except Interrupted as interrupted:
                if interrupted.number != signal.SIGTERM:
                    raise
                # Asked to end, as a service manager asks: a server has then done all it was to do.
    say("Stopped.")


def _settings() -> Settings:
    settings = read_settings()
    configure_logging(settings)
    return settings


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """The database's address, at this version's schema."""
    with server.database(settings) as address:
        migrate(address, settings.sql_scripts)
        yield address


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Runs the command that the words name, and ends the process with its exit code."""
    take_signals()
    try:
        sys.exit(_run(lambda: commands.main(words, prog_name=_NAME, standalone_mode=False)))
    except Interrupted as interrupted:
        say(f"Interrupted ({interrupted}).")
        sys.exit(exits.INTERRUPTED)


def _run(command: Callable[[], object]) -> int:
    """The command's exit code; what went wrong is told in plain lines."""
    try:
        result = command()
    except click.exceptions.Abort:
        faults, code = ["left as it was"], exits.FAILED
    except click.ClickException as error:
        error.show()
        return exits.WRONG_USAGE
    except SettingsError as error:
        faults, code = error.faults, exits.WRONG_USAGE
    except LauncherError as error:
        faults, code = [str(error)], error.code
    except (DatabaseError, EnvironmentUnfitError) as error:
        faults, code = [str(error)], exits.FAILED
    except OSError as error:
        faults, code = [f"{error.filename or 'the system'}: {error.strerror or error}"], exits.FAILED
    else:
        return result if isinstance(result, int) else exits.DONE
    for fault in faults:
        say(f"run.sh: {fault}")
    return code
