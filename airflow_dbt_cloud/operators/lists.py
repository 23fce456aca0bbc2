"""Operators that list jobs and runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.operators.base import DbtCloudBaseOperator
from airflow_dbt_cloud.operators.xcom_rows import MOST_BYTES, KeptRows
from airflow_dbt_cloud.tasks import template_values

if TYPE_CHECKING:
    from airflow.sdk import Context
    from requests import Response


class DbtCloudListJobsOperator(DbtCloudBaseOperator):
    """List the ids of an account's jobs.

    Args:
        project_id: Only jobs of this project.
        order_by: A field of the job, with `-` before it for descending order.
        environment_id: Only jobs of this environment.
        name_contains: Only jobs with this in their name, in upper or lower case.
        limit: Jobs at the most; all if None.
        kwargs: Arguments of `DbtCloudBaseOperator` and of Airflow's BaseOperator.
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
        """The jobs' ids, in order."""
        kept = KeptRows("jobs", ["id"], most=None)
        pages = self.hook.list_jobs(
            account_id=self._account(),
            order_by=self.order_by,
            project_id=template_values.given(self.project_id),
            environment_id=template_values.given(self.environment_id),
            name_contains=template_values.given(self.name_contains),
            limit=_at_most(self.limit),
            each=kept.take,
        )
        _take_pages(kept, pages)
        kept.tell(context, self.log)
        return [job["id"] for job in kept.rows]


class DbtCloudListJobRunsOperator(DbtCloudBaseOperator):
    """List runs, as dbt Cloud describes them.

    Without a `limit`, runs are returned until they fill a megabyte of XCom. What is left out then is told by
    the log and by the XCom `left_out`: `{"total": int, "returned": int, "left_out": int}`.

    Args:
        job_id: Only runs of this job.
        order_by: `id`, `created_at` or `finished_at`, with `-` before it for descending order.
        include_related: Such as ["trigger", "job"].
        latest_only: Return the newest run only, or None where there is none.
        status_filter: Only runs with this status code, or one of these.
        limit: Runs at the most, however many bytes they are.
        fields: Names of the fields that are returned of each run, such as ["id", "status"]; all if None.
        kwargs: Arguments of `DbtCloudBaseOperator` and of Airflow's BaseOperator.
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
        """The runs, or with `latest_only` the one run or None."""
        if self.latest_only:
            return self._latest()
        limit = _at_most(self.limit)
        kept = KeptRows("runs", self.fields, MOST_BYTES if limit is None else None)
        pages = self.hook.list_job_runs(
            account_id=self._account(),
            include_related=self.include_related,
            job_definition_id=template_values.given(self.job_id),
            order_by=self.order_by,
            statuses=self._statuses(),
            limit=limit,
            each=kept.take,
        )
        _take_pages(kept, pages)
        kept.tell(context, self.log)
        return kept.rows

    def _latest(self) -> dict[str, Any] | None:
        """The first run in order, which dbt Cloud picks out."""
        query = {
            "job_definition_id": template_values.given(self.job_id),
            "status__in": self._statuses(),
            "include_related": self.include_related or None,
            "order_by": self.order_by or "-created_at",
            "limit": 1,
        }
        kept = KeptRows("runs", self.fields, most=None)
        _take_pages(kept, [self.hook.get_job_runs(account_id=self._account(), payload=query)])
        return next(iter(kept.rows), None)

    def _statuses(self) -> list[int] | None:
        """The status codes that are wanted, or None for any."""
        wanted = self.status_filter
        several = wanted if isinstance(wanted, list | tuple | set) else [wanted]
        codes = {template_values.integer("status_filter", code) for code in several}
        return sorted(code for code in codes if code is not None) or None


def _at_most(limit: int | str | None) -> int | None:
    """The limit, where one is given.

    Raises:
        ValueError: If it is no number above 0.
    """
    number = template_values.integer("limit", limit)
    if number is not None and number < 1:
        raise ValueError(f"limit is {limit!r}. It has to be 1 or more, or None for no limit.")
    return number


def _take_pages(kept: KeptRows, pages: Iterable[Response]) -> None:
    """Take what a hook has returned as pages after all, as one in a test or of an own making does."""
    for page in pages:
        rows = page.json()["data"] or ()
        kept.take(rows, max(kept.total, len(kept.rows) + len(rows)))
