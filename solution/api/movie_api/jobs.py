"""What the worker does for the API: the jobs of all features."""

from movie_database.settings import Settings
from movie_jobs.tasks import Task

from movie_api.accounts import jobs as accounts


def tasks(settings: Settings) -> list[Task]:
    """The API's tasks."""
    return [*accounts.tasks(settings)]
