"""Operators that list jobs and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud import rendered
from airflow_dbt_cloud.operators.hooked import HookedOperator

if TYPE_CHECKING:
    from airflow.sdk import Context
    from requests import Response


class DbtCloudListJobsOperator(HookedOperator):
    """List the ids of an account's jobs.

    Args:
        project_id: Only jobs of this project.
        order_by: A field of the job, with `-` before it for descending order.
        kwargs: Arguments of `HookedOperator` and of Airflow's BaseOperator.
    """

    template_fields = ("account_id", "project_id", "dbt_cloud_conn_id")

    def __init__(
        self, *, project_id: int | str | None = None, order_by: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.order_by = order_by

    def execute(self, context: Context) -> list[int]:  # noqa: ARG002 -- Airflow's signature
        """The jobs' ids, in order."""
        pages = self.hook.list_jobs(
            account_id=self._account(), order_by=self.order_by, project_id=rendered.given(self.project_id)
        )
        ids = [job["id"] for job in _rows(pages)]
        self.log.info("Found %d jobs.", len(ids))
        return ids


class DbtCloudListJobRunsOperator(HookedOperator):
    """List runs, as dbt Cloud describes them.

    Args:
        job_id: Only runs of this job.
        order_by: `id`, `created_at` or `finished_at`, with `-` before it for descending order.
        include_related: Such as ["trigger", "job"].
        latest_only: Return the newest run only, or None where there is none.
        status_filter: Only runs with this status code, or one of these.
        kwargs: Arguments of `HookedOperator` and of Airflow's BaseOperator.
    """

    template_fields = ("account_id", "job_id", "order_by", "include_related", "dbt_cloud_conn_id")

    def __init__(
        self,
        *,
        job_id: int | str | None = None,
        order_by: str | None = None,
        include_related: list[str] | None = None,
        latest_only: bool = False,
        status_filter: int | list[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_id = job_id
        self.order_by = order_by
        self.include_related = include_related
        self.latest_only = latest_only
        self.status_filter = status_filter

    def execute(self, context: Context) -> list[dict[str, Any]] | dict[str, Any] | None:  # noqa: ARG002
        """The runs, or with `latest_only` the one run or None."""
        wanted = (
            {self.status_filter} if isinstance(self.status_filter, int) else set(self.status_filter or ())
        )
        if self.latest_only:
            return self._latest(sorted(wanted))
        runs = [run for run in self._runs() if not wanted or run["status"] in wanted]
        self.log.info("Found %d runs.", len(runs))
        return runs

    def _latest(self, statuses: list[int]) -> dict[str, Any] | None:
        """The first run in order, which dbt Cloud picks out."""
        query = {
            "job_definition_id": rendered.given(self.job_id),
            "status__in": statuses or None,
            "include_related": self.include_related or None,
            "order_by": self.order_by or "-created_at",
            "limit": 1,
        }
        answer = self.hook.get_job_runs(account_id=self._account(), payload=query)
        return next(iter(_rows([answer])), None)

    def _runs(self) -> list[dict[str, Any]]:
        return _rows(
            self.hook.list_job_runs(
                account_id=self._account(),
                include_related=self.include_related,
                job_definition_id=rendered.given(self.job_id),
                order_by=self.order_by,
            )
        )


def _rows(pages: list[Response]) -> list[dict[str, Any]]:
    return [row for page in pages for row in page.json()["data"] or ()]
