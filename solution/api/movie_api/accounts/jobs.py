"""The work of accounts that no request waits for. Thin: what is done is elsewhere."""

from movie_database.settings import Settings
from movie_jobs.tasks import Run, Task

from movie_api.accounts.queries import export
from movie_api.work import app_context


def tasks(_settings: Settings) -> list[Task]:
    """What the worker does for accounts."""
    return [Task("prune", prune, schedule="23 * * * *", runs_at_start=True, is_quiet=True)]


def prune(run: Run) -> None:
    """Sessions, mails, tokens and counters that are over are gone."""
    with app_context(run):
        export.prune(run.settings.refresh_token_lifetime.total_seconds())
