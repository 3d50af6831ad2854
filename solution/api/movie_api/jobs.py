"""What the worker does for the API: the jobs of all features."""

from movie_database.settings import Settings
from movie_jobs.tasks import Run, Task

from movie_api import first_answers
from movie_api.accounts import jobs as accounts
from movie_api.work import app_context


def tasks(settings: Settings) -> list[Task]:
    """The API's tasks."""
    return [
        *accounts.tasks(settings),
        Task("forget", forget, schedule="53 * * * *", runs_at_start=True, is_quiet=True),
    ]


def forget(run: Run) -> None:
    """Answers that are not given again any more are gone."""
    with app_context(run):
        first_answers.prune()
