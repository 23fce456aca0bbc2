"""Operators that list jobs and runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.operators.base import DbtCloudBaseOperator
from airflow_dbt_cloud.tasks.template_values import TemplateValue, or_none

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger
    from requests import Response

    from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
    from dbtcloud.client.models import Json

_MAX_XCOM_BYTES = 1_000_000
"""Bytes of JSON that a list without a `limit` fills in an XCom: 500 to 600 whole runs."""

_LEFT_OUT = "left_out"
"""Key of the XCom that says how much of a list is missing in the return value."""


class DbtCloudListJobsOperator(DbtCloudBaseOperator):
    """List the ids of an account's jobs.

    Args:
        project_id: Only jobs of this project.
        order_by: A field of the job, with `-` before it for descending order.
        environment_id: Only jobs of this environment.
        name_contains: Only jobs with this in their name, in upper or lower case.
        limit: Maximum number of jobs; all if None.
        dbt_cloud_conn_id: The connection.
        account_id: The account; the connection's if None.
        hook_params: Further arguments of `DbtCloudHook`.
        kwargs: Arguments of Airflow's BaseOperator.

    Raises:
        DbtCloudApiException: If dbt Cloud refuses a request or cannot be reached.
        ValueError: If an argument cannot be used.
    """

    template_fields = (
        "account_id",
        "project_id",
        "dbt_cloud_conn_id",
        "environment_id",
        "name_contains",
        "limit",
    )

    def __init__(
        self,
        *,
        project_id: int | str | None = None,
        order_by: str | None = None,
        environment_id: int | str | None = None,
        name_contains: str | None = None,
        limit: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.order_by = order_by
        self.environment_id = environment_id
        self.name_contains = name_contains
        self.limit = limit

    def execute(self, context: Context) -> list[int]:
        """Return the jobs' ids, in order."""
        from airflow_dbt_cloud.hooks.verbs.own_verb import is_replaced

        list_jobs, limit = self.hook.list_jobs, _parse_limit(self.limit)
        rows = _XComRows("jobs", ["id"], max_bytes=None)
        query: dict[str, Any] = {
            "account_id": self._account(),
            "order_by": TemplateValue("order_by", self.order_by).text(),
            "project_id": or_none(self.project_id),
        }
        more = {
            "environment_id": or_none(self.environment_id),
            "name_contains": TemplateValue("name_contains", self.name_contains).text(),
        }
        query |= {name: value for name, value in more.items() if value is not None}
        if is_replaced(list_jobs):
            rows.add_pages(list_jobs(**query))
        else:
            list_jobs(**query, limit=limit, each=rows.add)
        rows.report(context, self.log)
        return [job["id"] for job in rows.rows[:limit]]


class DbtCloudListJobRunsOperator(DbtCloudBaseOperator):
    """List runs, as dbt Cloud describes them.

    Without a `limit`, runs are returned until they fill a megabyte of XCom. The log and the XCom `left_out`
    then say how many are missing: `{"total": int, "returned": int, "left_out": int}`.

    Args:
        job_id: Only runs of this job.
        order_by: `id`, `created_at` or `finished_at`, with `-` before it for descending order.
        include_related: Such as ["trigger", "job"].
        latest_only: Return the newest run only, or None where there is none.
        status_filter: Only runs with this status code, or one of these.
        limit: Maximum number of runs, however many bytes they are.
        fields: Names of the fields to return of each run, such as ["id", "status"]; all if None.
        dbt_cloud_conn_id: The connection.
        account_id: The account; the connection's if None.
        hook_params: Further arguments of `DbtCloudHook`.
        kwargs: Arguments of Airflow's BaseOperator.

    Raises:
        DbtCloudApiException: If dbt Cloud refuses a request or cannot be reached.
        ValueError: If an argument cannot be used, or runs have no such field.
    """

    template_fields = ("account_id", "job_id", "order_by", "include_related", "dbt_cloud_conn_id", "limit")

    def __init__(
        self,
        *,
        job_id: int | str | None = None,
        order_by: str | None = None,
        include_related: list[str] | None = None,
        latest_only: bool = False,
        status_filter: int | list[int] | None = None,
        limit: int | str | None = None,
        fields: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_id = job_id
        self.order_by = order_by
        self.include_related = include_related
        self.latest_only = latest_only
        self.status_filter = status_filter
        self.limit = limit
        self.fields = fields

    def execute(self, context: Context) -> list[dict[str, Any]] | dict[str, Any] | None:
        """Return the runs, or with `latest_only` the one run or None."""
        from airflow_dbt_cloud.hooks.verbs.own_verb import is_replaced

        hook, limit = self.hook, 1 if self.latest_only else _parse_limit(self.limit)
        newest_first = "-created_at" if self.latest_only else None
        query: dict[str, Any] = {
            "include_related": self.include_related,
            "job_definition_id": or_none(self.job_id),
            "order_by": TemplateValue("order_by", self.order_by).text() or newest_first,
        }
        rows = _XComRows("runs", self.fields, _MAX_XCOM_BYTES if limit is None else None)
        if is_replaced(hook.list_job_runs):
            found = self._wanted(hook.list_job_runs(account_id=self._account(), **query))[:limit]
            rows.add(found, len(found))
        elif self.latest_only:
            rows.add_pages([self._latest(hook, query)])
        else:
            wanted: dict[str, Any] = {"statuses": self._statuses(), "limit": limit, "each": rows.add}
            hook.list_job_runs(account_id=self._account(), **query, **wanted)
        if self.latest_only:
            return next(iter(rows.rows), None)
        rows.report(context, self.log)
        return rows.rows

    def _latest(self, hook: DbtCloudHook, query: dict[str, Any]) -> Response:
        """Return the page with the first run in order, which dbt Cloud selects."""
        include = self.include_related or None
        payload = {**query, "include_related": include, "status__in": self._statuses(), "limit": 1}
        return hook.get_job_runs(account_id=self._account(), payload=payload)

    def _wanted(self, pages: Iterable[Response]) -> list[Json]:
        """Return the rows with a wanted status, which a replaced verb does not select."""
        rows = [row for page in pages for row in page.json()["data"] or ()]
        codes = self._statuses()
        return rows if codes is None else [row for row in rows if str(row.get("status")) in map(str, codes)]

    def _statuses(self) -> list[int] | None:
        """Return the status codes of `status_filter`, or None for any."""
        wanted = self.status_filter
        several = wanted if isinstance(wanted, list | tuple | set) else [wanted]
        codes = {TemplateValue("status_filter", code).integer() for code in several}
        return sorted(code for code in codes if code is not None) or None


class _XComRows:
    """The rows of a list that go into an XCom: the requested fields, and no more rows than fit.

    Args:
        kind: What the rows are, such as "runs".
        fields: Names of the fields to keep; all if None.
        max_bytes: Bytes of JSON that all rows may have together; None for any number.
    """

    def __init__(self, kind: str, fields: Sequence[str] | None, max_bytes: int | None) -> None:
        self.kind, self.rows, self.total = kind, list[dict[str, Any]](), 0
        self._fields, self._bytes_left = fields, max_bytes

    def add(self, rows: Sequence[Mapping[str, Any]], total: int) -> bool:
        """Keep rows for as long as they fit, and return whether more would.

        Raises:
            ValueError: If a row lacks a requested field.
        """
        self.total = total
        for row in rows:
            kept = self._select(row)
            if self._bytes_left is not None:
                self._bytes_left -= len(json.dumps(kept)) + len(", ")
                if self._bytes_left < 0:
                    return False
            self.rows.append(kept)
        return True

    def add_pages(self, pages: Iterable[Response]) -> None:
        """Keep the rows of pages: a hook that a user has replaced may return them and never call `add`."""
        for page in pages:
            rows = page.json()["data"] or ()
            self.add(rows, max(self.total, len(self.rows) + len(rows)))

    def _select(self, row: Mapping[str, Any]) -> dict[str, Any]:
        if self._fields is None:
            return dict(row)
        if missing := [name for name in self._fields if name not in row]:
            raise ValueError(
                f"{self.kind.capitalize()} have no field {missing[0]!r}. They have {', '.join(row)}."
            )
        return {name: row[name] for name in self._fields}

    def report(self, context: Context, log: Logger) -> None:
        """Log how many rows there are, and push an XCom if some were left out."""
        left_out = max(0, self.total - len(self.rows))
        if not left_out:
            log.info("Found %d %s.", len(self.rows), self.kind)
            return
        advice = "Narrow the list, name the fields that you need, or give another limit."
        log.warning("Found %d %s; %d are left out. %s", self.total, self.kind, left_out, advice)
        value = {"total": self.total, "returned": len(self.rows), "left_out": left_out}
        context["ti"].xcom_push(key=_LEFT_OUT, value=value)


def _parse_limit(limit: int | str | None) -> int | None:
    """Return the limit as a number or None, or raise ValueError if it is not above 0."""
    number = TemplateValue("limit", limit).integer()
    if number is not None and number < 1:
        raise ValueError(f"limit is {limit!r}. It has to be 1 or more, or None for no limit.")
    return number
