"""The schedule of a job: its form in dbt Cloud's API, its cron expression, and the time of its next run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.clock import Timestamp
from dbtcloud.local.model.records import ACTIVE, JobRecord
from dbtcloud.local.model.request_body import RequestBody

HOURLY: dict[str, Any] = {
    "cron": "0 * * * *",
    "date": {"type": "every_day"},
    "time": {"type": "every_hour", "interval": 1},
}
"""The default schedule of a job. It starts no run unless `triggers.schedule` is true."""

_DATES = ("every_day", "days_of_week", "custom_cron", "interval_cron")
_TIMES = ("every_hour", "at_exact_hours")
_CRON_FIELD_COUNT = 5


@dataclass(frozen=True, slots=True)
class CronExpression:
    """A cron expression, which may be invalid."""

    text: str

    @property
    def is_valid(self) -> bool:
        """True if the text is a cron expression with five fields."""
        from croniter import croniter

        # croniter also accepts six and seven fields, which dbt Cloud does not.
        return len(self.text.split()) == _CRON_FIELD_COUNT and bool(croniter.is_valid(self.text))

    def next_time(self, after: int) -> int | None:
        """Return the next matching time in microseconds, or None if there is none."""
        from croniter import CroniterError, croniter

        if not self.is_valid:
            return None
        try:
            found = croniter(self.text, Timestamp.as_datetime(after)).get_next(datetime)
        except CroniterError:  # for example the 30th of February
            return None
        return Timestamp.parse(found.astimezone(UTC).isoformat())

    def describe(self) -> str:
        """Return the expression in words, or unchanged if it is not valid or the library is missing."""
        try:
            from cron_descriptor import (
                FormatException,
                MissingFieldException,
                WrongArgumentException,
                get_description,
            )
        except ModuleNotFoundError:
            return self.text
        try:
            return str(get_description(self.text))
        except (FormatException, MissingFieldException, WrongArgumentException, ValueError):
            return self.text


def next_scheduled_time(job: JobRecord, after: int) -> int | None:
    """Return the time of the next scheduled run in microseconds, or None without an active schedule."""
    if not job.triggers.get("schedule") or job.state != ACTIVE:
        return None
    try:
        cron = str(normalise_schedule(job.schedule)["cron"])
    except ApiException:
        return None
    return CronExpression(cron).next_time(after)


def normalise_schedule(schedule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schedule with `date`, `time`, and the cron expression for both.

    Args:
        schedule: `HumanReadableScheduleRequest` of the published specification: `date` (type, days, cron),
            `time` (type, interval, hours), `cron`.

    Raises:
        ApiException: 400 for an unknown type of date or time, or a day, hour or interval out of range.
    """
    RequestBody.check(schedule, {"date": "object", "time": "object", "cron": "string"})
    cron = schedule.get("cron")
    date = schedule.get("date") or ({"type": "custom_cron", "cron": cron} if cron else HOURLY["date"])
    time = schedule.get("time") or HOURLY["time"]
    RequestBody.check(date, {"type": "string", "days": "array of integer", "cron": "string"})
    RequestBody.check(time, {"type": "string", "interval": "integer", "hours": "array of integer"})
    _check_type("date", date.get("type"), _DATES)
    _check_type("time", time.get("type"), _TIMES)
    _check_range("days", date.get("days"), range(7))
    _check_range("hours", time.get("hours"), range(24))
    if time.get("interval") is not None:
        _check_range("interval", [time["interval"]], range(1, 24))
    return {"cron": _cron(date, time, cron), "date": dict(date), "time": dict(time)}


def _cron(date: Mapping[str, Any], time: Mapping[str, Any], given: str | None) -> str:
    if date["type"] == "custom_cron" or (date["type"] == "interval_cron" and (date.get("cron") or given)):
        return str(date.get("cron") or given or HOURLY["cron"])
    interval = time.get("interval") or 1
    every = "*" if interval == 1 else f"*/{interval}"
    hours = _joined(time.get("hours")) if time["type"] == "at_exact_hours" else every
    days = _joined(date.get("days")) if date["type"] in {"days_of_week", "interval_cron"} else "*"
    return f"0 {hours} * * {days}"


def _joined(numbers: list[int] | None) -> str:
    return ",".join(map(str, numbers)) if numbers else "*"


def _check_type(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ApiException.bad_request({name: f"{value!r} is not one of {list(known)!r}"})


def _check_range(name: str, values: list[int] | None, known: range) -> None:
    if wrong := [value for value in values or () if value not in known]:
        raise ApiException.bad_request({name: f"{wrong[0]} is not between {known[0]} and {known[-1]}"})
