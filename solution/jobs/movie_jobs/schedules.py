"""When something is due: ticks of cron's notation, in UTC whatever the machine's time zone."""

from datetime import UTC, datetime
from typing import Final

from croniter import croniter
from croniter.croniter import CroniterBadDateError
from movie_database.setting_types import NEVER

_DAILY_FIELDS: Final = ["*", "*", "*"]


def next_tick(schedule: str, after: datetime | None = None) -> datetime | None:
    """The first tick after a moment, now by default; None if there is none, as on a 30th of February."""
    return _tick(schedule, after, "get_next")


def latest_tick(schedule: str, before: datetime | None = None) -> datetime | None:
    """The last tick before a moment, now by default; None if there was none."""
    return _tick(schedule, before, "get_prev")


def describe(schedule: str) -> str:
    """The schedule for people: daily ones as such, others by their next tick."""
    due = next_tick(schedule)
    if due is None:
        return NEVER
    minute, hour, *rest = schedule.split()
    if rest == _DAILY_FIELDS and minute.isdecimal() and hour.isdecimal():
        return f"daily at {due:%H:%M} UTC"
    return f"next on {due:%Y-%m-%d at %H:%M} UTC"


def _tick(schedule: str, moment: datetime | None, direction: str) -> datetime | None:
    if schedule == NEVER:
        return None
    try:
        ticks = croniter(schedule, (moment or datetime.now(UTC)).astimezone(UTC))
        found: datetime = getattr(ticks, direction)(datetime)
    except CroniterBadDateError:
        return None
    return found
