"""The hook's verbs that read and retry runs, and the request that starts one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.hooks.connection.base import DbtCloudBaseHook, as_airflow_exceptions
from airflow_dbt_cloud.hooks.connection.default_account import (
    Id,
    fallback_to_default_account,
    require_account,
)
from airflow_dbt_cloud.hooks.parallel.pages import OnRows, read_pages
from airflow_dbt_cloud.hooks.verbs.extra_arguments import time_left_to_start
from airflow_dbt_cloud.hooks.verbs.own_verb import has_read_run, own_verb
from dbtcloud.client import endpoints
from dbtcloud.client.marker import CAUSE_MAX_LENGTH, Marker
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Request
from dbtcloud.client.run_search import FoundRuns, RunSearch
from dbtcloud.client.run_start import retry_failed_run
from dbtcloud.client.run_status import RunStatus
from dbtcloud.client.transport.time_limit import time_limit

if TYPE_CHECKING:
    from requests import Response

_DEFAULT_CAUSE = "Triggered via Apache Airflow."


class RunVerbs(DbtCloudBaseHook):
    """Reads and retries runs.

    `account_id` is the connection's Account ID unless given.
    """

    @fallback_to_default_account
    def find_job_runs(
        self,
        job_id: Id,
        since: datetime | None,
        wanted: Callable[[Run], bool | None],
        account_id: Id | None = None,
        *,
        after_run: Id | None = None,
    ) -> FoundRuns:
        """Return the wanted runs of a job, newest first, with their cause.

        Args:
            job_id: The job.
            since: All wanted runs since then are found, and perhaps some older ones; None for all times. It
                is a time by this machine's clock, and dbt Cloud's may show any other.
            wanted: Returns whether a run is wanted, or None if its data do not show that. Such a run is read
                by itself. If that does not help, or the list is incomplete, the result's `doubts` say so.
            account_id: The account.
            after_run: Only runs after the one with this id.
        """
        age = max(datetime.now(UTC) - since, timedelta(0)) if since is not None else None
        search = RunSearch(require_account(account_id), job_id, wanted, age=age, after=after_run)
        return self._call(search.find())

    @own_verb
    @fallback_to_default_account
    def list_job_runs(
        self,
        account_id: Id | None = None,
        include_related: list[str] | None = None,
        job_definition_id: Id | None = None,
        order_by: str | None = None,
        *,
        statuses: Collection[int] | None = None,
        limit: int | None = None,
        each: OnRows | None = None,
    ) -> list[Response]:
        """Return runs that match all given filters.

        Several pages are read at the same time.

        Args:
            account_id: The account.
            include_related: Such as ["trigger", "job"].
            job_definition_id: Only runs of this job.
            order_by: `id`, `created_at` or `finished_at`, with `-` before it for descending order.
            statuses: Only runs with one of these status codes.
            limit: Runs wanted at most.
            each: Called with the rows of each page as it arrives, and the total number of rows. It returns
                False when it wants no more. It gets each row once, also while rows are added and deleted. The
                pages are not kept then, and none is returned.
        """
        filters = {
            "include_related": include_related or None,
            "job_definition_id": job_definition_id,
            "status__in": sorted(set(statuses)) if statuses else None,
            "order_by": order_by,
        }
        with as_airflow_exceptions():
            request = Request.get(require_account(account_id), "runs", query=filters)
            return read_pages(self._call, request, limit, each)

    @fallback_to_default_account
    def get_job_runs(self, account_id: Id | None = None, payload: dict[str, Any] | None = None) -> Response:
        """Return one page of runs.

        `payload` is the query of dbt Cloud's "List Runs", with lists as lists or as JSON text.
        """
        return self._answer(endpoints.list_runs_page(require_account(account_id), **(payload or {})))

    @own_verb
    @fallback_to_default_account
    def get_job_run(
        self, run_id: Id, account_id: Id | None = None, include_related: list[str] | None = None
    ) -> Response:
        """Return one run.

        `include_related` is a list such as ["run_steps", "trigger", "debug_logs"].
        """
        call = endpoints.get_run(require_account(account_id), run_id, include_related=include_related or ())
        answer = self._answer(call)
        self._read_runs.add(int(run_id))
        return answer

    def get_job_run_status(self, run_id: Id, account_id: Id | None = None) -> int:
        """Return the status code of a run: one of `DbtCloudJobRunStatus`, unless dbt Cloud has new ones."""
        with time_limit(None):
            return self._status_of(run_id, self.get_job_run(run_id, account_id).json()["data"])

    def has_read(self, run_id: Id) -> bool:
        """Return whether dbt Cloud itself has described a run to this hook, and not a replaced verb."""
        return has_read_run(self, run_id)

    def run_url(self, run_id: Id) -> str | None:
        """Return the web page of a run that this hook has polled, or None if no poll has named it."""
        return self._urls.get(int(run_id))

    @fallback_to_default_account
    def retry_job_run(self, run_id: Id, account_id: Id | None = None) -> Response:
        """Start a run that continues where this one failed, with the same overrides.

        It starts one run, also if a response is lost.

        Raises:
            DbtCloudApiException: If dbt Cloud cannot retry the run: its `error` is a `NotRetryable`.
        """
        return self._answer(
            retry_failed_run(require_account(account_id), run_id, time_left=time_left_to_start)
        )

    @fallback_to_default_account
    def retry_failed_job_run(self, job_id: Id, account_id: Id | None = None) -> Response:
        """Retry the job's last run.

        If that did not fail, dbt Cloud starts a new run.
        """
        return self._answer(endpoints.rerun_job(require_account(account_id), job_id))

    def _retryable_run(self, job_id: Id, account_id: Id | None) -> int | None:
        """Return the id of the job's latest run if it failed and dbt Cloud can retry it, or None.

        A failed run that cannot be retried is logged with the reason.
        """
        query = {"job_definition_id": job_id, "order_by": "-created_at", "limit": 1}
        latest = self.get_job_runs(account_id, payload=query).json()["data"]
        if not latest:
            return None
        with as_airflow_exceptions():
            run = Run.parse(latest[0])
        refusal = run.retry_refusal()
        if refusal is not None and run.status == RunStatus.ERROR:
            self.log.info("%s A new run is started.", refusal)
        return run.id if refusal is None else None

    def _run_payload(
        self, own: Mapping[str, Any], additional: Mapping[str, Any] | None, marker: Marker | None
    ) -> dict[str, Any]:
        """Return the body of "Trigger Job Run": the arguments that are given, overridden by `additional`.

        The cause, from wherever it comes, holds a marker afterwards, and is cut so that both fit.

        Args:
            own: The verb's arguments.
            additional: Further fields.
            marker: The marker. If None, the one that the cause holds already, or a random one.
        """
        body = {**{name: value for name, value in own.items() if value is not None}, **(additional or {})}
        cause = str(body.get("cause") or _DEFAULT_CAUSE)
        if len(cause) > CAUSE_MAX_LENGTH:
            self.log.warning("The cause has %d characters and is cut to %d.", len(cause), CAUSE_MAX_LENGTH)
        return {**body, "cause": (marker or Marker.find(cause) or Marker.random()).add_to(cause)}

    def _status_of(self, run_id: Id, run: dict[str, Any]) -> int:
        self._remember_url(run_id, run.get("href"))
        status: int = run["status"]
        return status

    def _remember_url(self, run_id: Id, url: str | None) -> None:
        if url:
            self._urls[int(run_id)] = url

    @cached_property
    def _read_runs(self) -> set[int]:
        """The ids of the runs that dbt Cloud has described to this hook, for `has_read_run`."""
        return set()

    @cached_property
    def _urls(self) -> dict[int, str]:
        return {}
