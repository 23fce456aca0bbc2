"""The filters of a list of runs: what is sent to dbt Cloud, and what its rows are checked for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.models import Json
from dbtcloud.client.run_status import RunStatus
from dbtcloud.client.shown_text import shown_value
from dbtcloud.client.typed_json import TypedFields

StatusFilter: TypeAlias = RunStatus | int | str
"""A status of runs: a `RunStatus`, a status code, or a name such as "success"."""

TimeFilter: TypeAlias = datetime | date | str
"""A time, or one in ISO 8601 format. Without an offset it is in UTC, as dbt Cloud's own times are."""

RunOrder: TypeAlias = Literal["id", "-id", "created_at", "-created_at", "finished_at", "-finished_at"]
"""What runs are sorted by (API v2, "List Runs", `order_by`); with `-`, the largest comes first."""

_ORDERS = ("id", "-id", "created_at", "-created_at", "finished_at", "-finished_at")

# dbt Cloud may take a bound for the beginning or the end of its day, in whatever time zone.
_WIDENING = timedelta(days=2)
_EARLIEST, _LATEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)


def status_query(status: StatusFilter | Iterable[StatusFilter] | None) -> dict[str, object]:
    """Return the query for runs with one of some statuses.

    Raises:
        InvalidArgument: If there is no status with such a name, or none is given.
    """
    if status is None:
        return {}
    given = [status] if isinstance(status, int | str) else _listed(status)
    codes = list(dict.fromkeys(map(_status_code, given)))
    if not codes:
        raise InvalidArgument(
            "The list of statuses is empty",
            why="No run has none of them",
            fix="Name one, or leave status out",
        )
    return {"status": codes[0]} if len(codes) == 1 else {"status__in": codes}


def _listed(status: Iterable[StatusFilter]) -> list[StatusFilter]:
    if not isinstance(status, Iterable) or isinstance(status, bytes):
        raise _unknown_status(status)
    return list(status)


def _status_code(status: object) -> int:
    # Codes that dbt Cloud adds later are sent as they are.
    if isinstance(status, int) and not isinstance(status, bool) and status >= 0:
        return int(status)
    if isinstance(status, str):
        name = status.strip().upper()
        if name.isascii() and name.isdigit() and len(name) <= 9:
            return int(name)
        if name in RunStatus.__members__:
            return int(RunStatus[name])
    raise _unknown_status(status)


def _unknown_status(status: object) -> InvalidArgument:
    shown, names = shown_value(status), [name.lower() for name in RunStatus.__members__]
    similar = difflib.get_close_matches(str(status).strip().lower()[:100], names, 1)
    return InvalidArgument(
        f"{shown[:1].upper()}{shown[1:]} is not a status of runs",
        why=f"The statuses are {', '.join(f'{each.name.lower()} ({each:d})' for each in RunStatus)}",
        fix=f"Give a name, a code, or a list of them{f', such as {similar[0]!r}' if similar else ''}",
    )


def order_query(order_by: str) -> dict[str, object]:
    """Return the query for runs in an order.

    Raises:
        InvalidArgument: If dbt Cloud does not know it.
    """
    if order_by not in _ORDERS:
        raise InvalidArgument(
            f"Runs cannot be sorted by {shown_value(order_by)}", fix=f"Use one of {', '.join(_ORDERS)}"
        )
    return {"order_by": order_by}


@dataclass(frozen=True, slots=True)
class TimeBounds:
    """The times that something of a run has to be later than.

    Attributes:
        earliest: The times by the name of a run's field, such as "created_at".
    """

    earliest: Mapping[str, datetime]

    @classmethod
    def parse(cls, **bounds: TimeFilter | None) -> TimeBounds:
        """Return the bounds for fields of a run. Those that are None are left out.

        Raises:
            InvalidArgument: If one is not a time.
        """
        return cls({name: _parse_time(bound) for name, bound in bounds.items() if bound is not None})

    def query(self) -> dict[str, object]:
        """Return the query for runs within these bounds, and for some before.

        dbt Cloud takes a range as a JSON array of two times without an offset. With one it has been seen to
        heed the date alone, so the bounds that are sent are two days earlier.
        """
        return {
            f"{name}__range": [_without_offset(max(bound, _EARLIEST) - _WIDENING), _without_offset(_LATEST)]
            for name, bound in self.earliest.items()
        }

    def keep(self) -> Callable[[Json], bool] | None:
        """Return what decides whether a row is within the bounds, or None without bounds."""
        return self._includes if self.earliest else None

    def _includes(self, row: Json) -> bool:
        return all(_is_later(row, name, bound) for name, bound in self.earliest.items())


def _is_later(row: Json, name: str, bound: datetime) -> bool:
    found = TypedFields(row, "a run").time(name)
    return found is not None and found > bound  # without one, such as the end of a run that has not ended


def _without_offset(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _parse_time(value: object) -> datetime:
    try:
        parsed = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError as error:
        raise _not_a_time(value) from error
    if isinstance(parsed, date) and not isinstance(parsed, datetime):
        parsed = datetime.combine(parsed, time())
    if not isinstance(parsed, datetime) or not parsed.year < _LATEST.year:
        raise _not_a_time(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _not_a_time(value: object) -> InvalidArgument:
    shown = shown_value(value)
    return InvalidArgument(
        f"{shown[:1].upper()}{shown[1:]} is not a time that runs can be compared with",
        fix="Give a datetime, or a text such as '2026-11-28T06:00:00+00:00'",
    )
