"""Cron expressions: the next run of a schedule, and a description in words."""

from datetime import UTC, datetime

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import as_datetime, iso_timestamp, parse_instant
from dbtcloud.local.model.durations import humanise_duration
from dbtcloud.local.model.records import ACTIVE, JobRecord
from dbtcloud.local.orchestration.schedule import normalise_schedule

_FIELD_COUNT = 5


def next_scheduled_time(job: JobRecord, after: int) -> int | None:
    """Return the time of the next scheduled run in microseconds, or None without an active schedule."""
    cron = _cron(job) if job.triggers.get("schedule") and job.state == ACTIVE else None
    if cron is None or not is_cron_expression(cron):
        return None
    from croniter import CroniterError, croniter

    try:
        found = croniter(cron, as_datetime(after)).get_next(datetime)
    except CroniterError:  # for example the 30th of February
        return None
    return parse_instant(found.astimezone(UTC).isoformat())


def is_cron_expression(text: str) -> bool:
    """Return True if a text is a cron expression with five fields."""
    from croniter import croniter

    return len(text.split()) == _FIELD_COUNT and bool(croniter.is_valid(text))


def _cron(job: JobRecord) -> str | None:
    try:
        return str(normalise_schedule(job.schedule)["cron"])
    except ApiException:
        return None


def next_run_fields(job: JobRecord, now: int) -> dict[str, str | None]:
    """Return the fields `next_run` and `next_run_humanized` of a job."""
    instant = next_scheduled_time(job, now)
    ahead = None if instant is None else f"{humanise_duration(instant - now)} from now"
    return {"next_run": iso_timestamp(instant), "next_run_humanized": ahead}


def describe_cron(cron: str) -> str:
    """Return a cron expression in words, or unchanged if it is not valid or the library is missing."""
    try:
        from cron_descriptor import (
            FormatException,
            MissingFieldException,
            WrongArgumentException,
            get_description,
        )
    except ModuleNotFoundError:
        return cron
    try:
        return str(get_description(cron))
    except (FormatException, MissingFieldException, WrongArgumentException, ValueError):
        return cron
