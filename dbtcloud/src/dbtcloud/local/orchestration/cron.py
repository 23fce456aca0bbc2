"""Cron lines: when a job's schedule starts its next run, and the line in words."""

from datetime import UTC, datetime

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import as_datetime, iso_timestamp, parse_instant
from dbtcloud.local.model.durations import humanise_duration
from dbtcloud.local.model.records import ACTIVE, JobRecord
from dbtcloud.local.orchestration.schedule import normal_schedule

_FIELDS = 5


def next_firing(job: JobRecord, after: int) -> int | None:
    """Return when a job's schedule starts its next run (microseconds); None where it has none that is on."""
    cron = _cron(job) if job.triggers.get("schedule") and job.state == ACTIVE else None
    if cron is None or not is_cron(cron):
        return None
    from croniter import CroniterError, croniter

    try:
        found = croniter(cron, as_datetime(after)).get_next(datetime)
    except CroniterError:  # a line that no day ever fits
        return None
    return parse_instant(found.astimezone(UTC).isoformat())


def is_cron(text: str) -> bool:
    """Return whether a text is a cron line of five fields."""
    from croniter import croniter

    return len(text.split()) == _FIELDS and bool(croniter.is_valid(text))


def _cron(job: JobRecord) -> str | None:
    try:
        return str(normal_schedule(job.schedule)["cron"])
    except ApiException:
        return None


def next_run(job: JobRecord, now: int) -> dict[str, str | None]:
    """Write when a job's schedule starts its next run, as `jobs/` tells it."""
    instant = next_firing(job, now)
    ahead = None if instant is None else f"{humanise_duration(instant - now)} from now"
    return {"next_run": iso_timestamp(instant), "next_run_humanized": ahead}


def cron_humanized(cron: str) -> str:
    """Write a cron line in words; as it is where it is none, or without the library for that."""
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
