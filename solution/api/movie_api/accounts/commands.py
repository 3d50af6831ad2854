"""`flask --app movie_api users`: accounts, from the command line of who runs the server."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import click
import orjson
from flask import current_app
from flask.cli import AppGroup
from movie_database import exits
from movie_database.errors import DatabaseError
from movie_database.migrate import migrate
from movie_database.settings import Settings
from pydantic import TypeAdapter, ValidationError

from movie_api.accounts import schemas
from movie_api.accounts.first_admin import FirstAdminError, make_first_admin
from movie_api.accounts.links import account_link
from movie_api.accounts.queries import administration
from movie_api.accounts.queries.administration import Made
from movie_api.accounts.queries.mails import TOKEN_HOURS
from movie_api.http.access import ROLES, Role
from movie_api.http.problems import Problem

_HELP: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_LOCAL: Final = "@localhost"
_WHO: Final = click.argument("who", metavar="EMAIL_OR_ID")
_PIPE_COLUMNS: Final = 200

Command = Callable[..., None]


class _Email(click.ParamType[str]):
    name = "email"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            # One that only this machine knows is as good: ADMIN_EMAIL's default is such a one.
            checked = value.removesuffix(_LOCAL) + "@example.com" if value.endswith(_LOCAL) else value
            found: str = TypeAdapter(schemas.Email).validate_python(checked)
        except ValidationError:
            self.fail(f"{value!r} is no e-mail address.", param, ctx)
        return value if value.endswith(_LOCAL) else found


class _Name(click.ParamType[str]):
    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return TypeAdapter[str](schemas.Name).validate_python(value)
        except ValidationError:
            self.fail(
                f"must have 1 to {schemas.MAXIMUM_NAME_CHARACTERS} characters, no control character,"
                " and no blank at either end.",
                param,
                ctx,
            )


def _on_database(command: Command) -> Command:
    """The command has the database, at this version's schema; what goes wrong is told in one plain line."""

    @wraps(command)
    def run(*arguments: Any, **named: Any) -> None:
        settings = _settings()
        try:
            migrate(settings.server_address or "", settings.sql_scripts)
            command(*arguments, **named)
        except Problem as problem:
            _fail(problem.detail)
        except (DatabaseError, FirstAdminError) as error:
            _fail(str(error))
        except KeyboardInterrupt:
            sys.exit(exits.INTERRUPTED)

    return run


@click.group("users", cls=AppGroup, context_settings=_HELP)
def users() -> None:
    """Accounts: who may sign in, and what they may do.

    A user is named by e-mail address or id. Roles: user; editor, who may add movies; admin, who may do
    everything. What is changed holds at once, for those who are signed in too, and is on record (audit).

    Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
    """


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@_on_database
def list_users(*, as_json: bool) -> None:
    """List all accounts, the oldest first."""
    rows = administration.all_users()
    if as_json:
        click.echo(orjson.dumps([_described(row) for row in rows]).decode())
    elif not rows:
        click.echo("There are no accounts.")
    else:
        _print_table(rows)


@users.command()
@click.argument("email", type=_Email())
@click.option(
    "--name", type=_Name(), help="What others may see; if none is given, the address without its host."
)
@click.option("--role", type=click.Choice(ROLES), default=ROLES[0], show_default=True, help="What it may do.")
@_on_database
def create(email: str, name: str | None, role: Role) -> None:
    """Make an account, and print a link to set its password.

    The link is good once, for an hour; no mail is sent.
    """
    made = administration.create(email, name or email.partition("@")[0], role)
    click.echo(f"Made {email} with the role {role}, id {made.user.id}.")
    _print_link(made)


@users.command()
@_WHO
@click.argument("role", type=click.Choice(ROLES))
@_on_database
def promote(who: str, role: Role) -> None:
    """Give an account another role, higher or lower. One admin must be left."""
    _set_role(who, role)


@users.command()
@_WHO
@click.argument("role", type=click.Choice(ROLES[:-1]), default=ROLES[0])
@_on_database
def demote(who: str, role: Role) -> None:
    """Take a role from an account: it is a user from now on, or what ROLE says. One admin must be left."""
    _set_role(who, role)


@users.command()
@_WHO
@_on_database
def disable(who: str) -> None:
    """End all sessions of an account, and let nobody in by it: no password, no provider, no API key."""
    row, is_new = administration.disable(who)
    click.echo(f"{_called(row)} is disabled{'' if is_new else ' already'}.")


@users.command()
@_WHO
@_on_database
def enable(who: str) -> None:
    """Let an account in again; its API keys work again too."""
    row, is_new = administration.enable(who)
    click.echo(f"{_called(row)} is enabled{'' if is_new else ' already'}.")


@users.command()
@_WHO
@_on_database
def link(who: str) -> None:
    """Print a new link to set an account's password. Those before are good no more; no mail is sent."""
    _print_link(administration.make_link(who))


@users.command("first-admin")
@click.option("--quiet", is_flag=True, help="Print nothing; the log tells where the file is.")
@_on_database
def first_admin(*, quiet: bool) -> None:
    """Make the first admin, if there is no account at all; every start of the server does it."""
    settings = _settings()
    path = make_first_admin(settings, settings.server_address or "")
    if not quiet:
        click.echo("There are accounts already." if path is None else f"The first admin's file: {path}")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _fail(reason: str) -> None:
    click.echo(reason, err=True)
    sys.exit(exits.FAILED)


def _set_role(who: str, role: Role) -> None:
    row, is_new = administration.set_role(who, role)
    click.echo(f"{_called(row)} has the role {role}{'' if is_new else ' already'}.")


def _print_link(made: Made) -> None:
    click.echo(f"Sets the password, once, within {TOKEN_HOURS} hour:")
    click.echo(account_link(_settings(), "reset", made.token))


def _called(row: Any) -> str:
    """What a user is called in a line."""
    return str(row.email or row.id)


def _described(row: Any) -> dict[str, Any]:
    """A user as JSON: as its owner sees it, and since when it is disabled."""
    disabled_at = None if row.disabled_at is None else schemas.moment_of(int(row.disabled_at.timestamp()))
    return schemas.user(row) | {"disabled_at": disabled_at}


def _print_table(rows: list[Any]) -> None:
    from rich import box  # noqa: PLC0415 - a server does without
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table("E-mail", "Name", "Role", "State", "Since (UTC)", "ID", box=box.SIMPLE)
    for row in rows:
        cells = (
            row.email or "",
            row.display_name,
            row.role,
            _state(row),
            f"{row.created_at:%Y-%m-%d}",
            str(row.id),
        )
        # Not as they are: a name may hold what rich takes for a colour.
        table.add_row(*map(Text, cells))
    console = Console()
    # Where nobody looks, lines are as long as they are: a pipe has no width.
    console.print(table) if console.is_terminal else Console(width=_PIPE_COLUMNS).print(table)


def _state(row: Any) -> str:
    if row.disabled_at is not None:
        return "disabled"
    return "" if row.has_password else "no password"
