"""The queue as programs and people see it: put a job there, list jobs, have one run again, tidy up.

Procrastinate's own tables and functions; what it only lists, such as jobs of dead workers, is acted on
here. A job has a queueing lock while nobody ran it yet: another of its kind is then not put there. Once
it was begun the lock is gone, or a job could not be tried again while a newer one waits.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

import psycopg2.errors
from movie_database.connections import connected
from psycopg2.extras import Json, RealDictCursor

from movie_jobs.tasks import ERROR, FAILURES, component_of

Result = TypeVar("Result")

STALLED_SECONDS: Final = 30.0
"""A worker that gave no sign of life for so long is dead; it gives one every third of it."""
KEPT_DAYS: Final = 30
"""How long a job that is over can be seen."""
_DEAD_WORKER: Final = "the worker died while it ran"

# A job that runs has a worker; one whose worker is dead is not running, whatever its status says.
_IS_STALLED: Final = """
    (status = 'doing' AND NOT EXISTS (
        SELECT FROM procrastinate_workers AS worker
        WHERE worker.id = job.worker_id
            AND worker.last_heartbeat > now() - %(stalled_seconds)s * interval '1 s'
    ))
"""
_LIST: Final = f"""
    SELECT
        job.id, task_name AS task, CASE WHEN {_IS_STALLED} THEN 'stalled' ELSE status::text END AS status,
        attempts, scheduled_at, (
            SELECT max(at) FROM procrastinate_events WHERE job_id = job.id AND type = 'started'
        ) AS started_at, (
            SELECT max(at) FROM procrastinate_events WHERE job_id = job.id
        ) AS changed_at, args ->> '{ERROR}' AS error
    FROM procrastinate_jobs AS job
    WHERE %(failed)s IS NOT TRUE OR status = 'failed' OR {_IS_STALLED}
    ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608 - our own words
_DEFER: Final = """
    SELECT unnest(procrastinate_defer_jobs_v1(
        ARRAY[ROW(%(queue)s, %(task)s, 0, %(task)s, %(task)s, '{}', NULL)]::procrastinate_job_to_defer_v1[]
    ))
"""
_HURRY: Final = """
    UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE id = (
        SELECT min(id) FROM procrastinate_jobs WHERE task_name = %(task)s AND status = 'todo'
    ) RETURNING id
"""
_RETRY: Final = f"""
    UPDATE procrastinate_jobs AS job
    SET status = 'todo', scheduled_at = NULL, queueing_lock = NULL, abort_requested = false, worker_id = NULL,
        args = args - '{FAILURES}'
    WHERE id = %(id)s AND (status IN ('todo', 'failed', 'cancelled', 'aborted') OR {_IS_STALLED})
"""  # noqa: S608 - likewise
_TAKE_UP: Final = f"""
    UPDATE procrastinate_jobs AS job
    SET status = (
            CASE WHEN failures < (%(retries)s::jsonb -> task_name)::integer THEN 'todo' ELSE 'failed' END
        )::procrastinate_job_status,
        queueing_lock = NULL, worker_id = NULL, scheduled_at = NULL, attempts = attempts + 1,
        args = args || jsonb_build_object('{FAILURES}', failures + 1, '{ERROR}', %(error)s)
    FROM (
        SELECT id AS stalled_id, coalesce((args ->> '{FAILURES}')::integer, 0) AS failures
        FROM procrastinate_jobs AS job
        WHERE %(retries)s::jsonb ? task_name AND CASE
            -- One of our own that we don't run: the database was away when its end was to be noted.
            WHEN worker_id = %(own_worker)s THEN
                status = 'doing' AND id <> ALL(%(own_jobs)s::bigint[]) AND NOT EXISTS (
                    SELECT FROM procrastinate_events
                    WHERE job_id = job.id AND at > now() - %(stalled_seconds)s * interval '1 s'
                )
            ELSE {_IS_STALLED}
        END
        FOR UPDATE SKIP LOCKED
    ) AS stalled
    WHERE id = stalled_id
    RETURNING id, task_name AS task, status::text, %(error)s AS error
"""  # noqa: S608 - likewise
_PRUNE: Final = """
    DELETE FROM procrastinate_jobs AS job
    WHERE status NOT IN ('todo', 'doing') AND NOT EXISTS (
        SELECT FROM procrastinate_events WHERE job_id = job.id AND at > now() - %(days)s * interval '1 day'
    )
"""


class Waiting(NamedTuple):
    """A job that a worker takes as soon as it can.

    Attributes:
        id: Its number.
        is_new: Whether it was put there just now.
    """

    id: int
    is_new: bool


def put(url: str, task: str, *, in_hurry: bool = False) -> Waiting:
    """One job of this task waits, and no other was put there if one waited already.

    Args:
        url: SQLAlchemy's address of the database.
        task: Its full name.
        in_hurry: One that waits for its next try is due at once.
    """
    values = {"queue": component_of(task), "task": task}
    if in_hurry and (rows := _run(url, _HURRY, values)):
        return Waiting(rows[0]["id"], is_new=False)
    try:
        return Waiting(_run(url, _DEFER, values)[0]["unnest"], is_new=True)
    except psycopg2.errors.UniqueViolation:
        rows = _run(
            url, "SELECT min(id) AS id FROM procrastinate_jobs WHERE queueing_lock = %(task)s", values
        )
        return Waiting(rows[0]["id"], is_new=False)


def jobs(
    url: str, *, only_failed: bool = False, limit: int = 50, stalled_seconds: float = STALLED_SECONDS
) -> list[dict[str, Any]]:
    """The latest jobs, the newest first; a failed or stalled one can be had run again by `retry`."""
    return _run(url, _LIST, {"failed": only_failed, "limit": limit, "stalled_seconds": stalled_seconds})


def retry(url: str, job: int, *, stalled_seconds: float = STALLED_SECONDS) -> bool:
    """Whether the job waits for a worker now, its failures forgotten; one that runs or succeeded does not."""
    return _changed(url, _RETRY, {"id": job, "stalled_seconds": stalled_seconds}) > 0


def status(url: str, job: int) -> str | None:
    """The job's status; None: there is no such job."""
    rows = _run(url, "SELECT status::text FROM procrastinate_jobs WHERE id = %(id)s", {"id": job})
    return str(rows[0]["status"]) if rows else None


def take_up_stalled(
    url: str, retries: dict[str, int], own_worker: int | None, own_jobs: list[int], stalled_seconds: float
) -> list[dict[str, Any]]:
    """Jobs of dead workers wait again, or failed if that is what they do to every worker.

    Args:
        url: SQLAlchemy's address of the database.
        retries: By the tasks' full names, how often each may fail or lose its worker.
        own_worker: The worker that asks: it is alive, whatever its heartbeat says.
        own_jobs: Those that it runs.
        stalled_seconds: For how long a dead worker gave no sign of life.

    Returns:
        Number, task, new status and error of each.
    """
    values = {
        "retries": Json(retries),
        "own_worker": own_worker,
        "own_jobs": own_jobs,
        "stalled_seconds": stalled_seconds,
        "error": _DEAD_WORKER,
    }
    return _run(url, _TAKE_UP, values)


def note_begin(url: str, job: int) -> None:
    """The job is one that was begun."""
    _changed(url, "UPDATE procrastinate_jobs SET queueing_lock = NULL WHERE id = %(id)s", {"id": job})


def note_failure(url: str, job: int, failures: int, error: str) -> None:
    """The job remembers how often it failed, and why."""
    _changed(
        url,
        f"UPDATE procrastinate_jobs SET args = args || jsonb_build_object('{FAILURES}', %(failures)s,"  # noqa: S608
        f" '{ERROR}', %(error)s) WHERE id = %(id)s",
        {"id": job, "failures": failures, "error": error},
    )


def prune(url: str, days: float = KEPT_DAYS) -> int:
    """How many jobs were removed because they are over for so many days."""
    return _changed(url, _PRUNE, {"days": days})


def had_job_since(url: str, task: str, moment: datetime) -> bool:
    """Whether a job of this task was put there or did anything at or after the moment, or still waits."""
    statement = """
        SELECT FROM procrastinate_jobs AS job WHERE task_name = %(task)s AND (
            status IN ('todo', 'doing')
            OR EXISTS (SELECT FROM procrastinate_events WHERE job_id = job.id AND at >= %(moment)s)
        ) LIMIT 1
    """
    return bool(_run(url, statement, {"task": task, "moment": moment}))


def living_workers(url: str, stalled_seconds: float = STALLED_SECONDS) -> int:
    """How many workers gave a sign of life of late."""
    statement = """
        SELECT count(*) FROM procrastinate_workers
        WHERE last_heartbeat > now() - %(stalled_seconds)s * interval '1 s'
    """
    return int(_run(url, statement, {"stalled_seconds": stalled_seconds})[0]["count"])


def _run(url: str, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    return _execute(url, statement, values, lambda cursor: [dict(row) for row in cursor])


def _changed(url: str, statement: str, values: dict[str, Any]) -> int:
    return _execute(url, statement, values, lambda cursor: int(cursor.rowcount))


def _execute(url: str, statement: str, values: dict[str, Any], read: Callable[[Any], Result]) -> Result:
    with connected(url) as connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(statement, values)
        return read(cursor)
