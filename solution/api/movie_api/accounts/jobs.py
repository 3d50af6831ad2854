"""The work of accounts that no request waits for. Thin: what is done is elsewhere."""

from datetime import timedelta

from movie_database.settings import Settings
from movie_jobs.tasks import Backoff, Run, Task

from movie_api.accounts import mail_transport
from movie_api.accounts.mailing import send_mail
from movie_api.accounts.queries import export
from movie_api.accounts.revoking import revoke
from movie_api.work import app_context


def tasks(_settings: Settings) -> list[Task]:
    """What the worker does for accounts."""
    return [
        Task("prune", prune, schedule="23 * * * *", runs_at_start=True, is_quiet=True),
        Task(
            "mail",
            send_mail,
            time_limit=timedelta(minutes=2),
            # A quarter of an hour in all: a server that defers mails of strangers does so for some minutes.
            backoff=Backoff(retries=5, first_seconds=30),
            is_quiet=True,
            takes_arguments=True,
        ),
        Task(
            "revoke",
            revoke,
            time_limit=timedelta(minutes=1),
            # For about three days: what a provider is not told, it goes on granting.
            backoff=Backoff(retries=20, first_seconds=30, longest_seconds=6 * 60 * 60),
            is_quiet=True,
            takes_arguments=True,
        ),
    ]


def prune(run: Run) -> None:
    """Sessions, mails, tokens and counters that are over are gone."""
    with app_context(run):
        export.prune(run.settings.refresh_token_lifetime.total_seconds())
    mail_transport.remove_old(run.settings)
