"""The dbt Cloud hook: one verb per thing that can be asked of dbt Cloud, for the account of a connection.

Operators, sensors and triggers act through these verbs only, so overriding or patching one takes effect
everywhere. Verbs of a list return one `requests.Response` per page, the others one; all raise
`DbtCloudApiException` (an AirflowException) with the client's error in its `error` when dbt Cloud refuses or
cannot be reached. `account_id` is the connection's Account ID unless given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.exceptions import (
    DbtCloudApiException,
    DbtCloudJobRunException,
    DbtCloudResourceLookupError,
    DbtCloudTriggerEventException,
    airflow_exception,
)
from airflow_dbt_cloud.hooks import run_request
from airflow_dbt_cloud.hooks.connection import form
from airflow_dbt_cloud.hooks.connection.default_account import (
    Id,
    fallback_to_default_account,
    known,
    provide_account_id,
)
from airflow_dbt_cloud.hooks.connection.session import TokenAuth
from airflow_dbt_cloud.hooks.verbs.artifacts import ArtifactVerbs
from airflow_dbt_cloud.hooks.verbs.definitions import DefinitionVerbs
from airflow_dbt_cloud.hooks.verbs.discovery import DiscoveryVerbs
from airflow_dbt_cloud.hooks.verbs.retries import RetryVerbs, retryable
from airflow_dbt_cloud.hooks.waiting import worker
from airflow_dbt_cloud.job_runs.status import (
    DBT_CAUSE_MAX_LENGTH,
    TRIGGER_EVENT_STATUSES,
    DbtCloudJobRunStatus,
    JobRunInfo,
    validate_execute_complete_event,
)
from dbtcloud.client import endpoints
from dbtcloud.client.access_check import check_access
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Request
from dbtcloud.client.retry import NO_RETRY, RETRY_ONCE
from dbtcloud.client.run_start import find_runs, start_retry, start_run
from dbtcloud.client.run_wait import error_from_run
from dbtcloud.client.transport import address
from dbtcloud.report.formats import report_log_lines
from dbtcloud.report.run_report_reader import build_run_report, read_run_report

if TYPE_CHECKING:
    from requests import Response

    from airflow_dbt_cloud.hooks.lists.concurrent_pages import Each
    from dbtcloud.report.run_report import RunReport

__all__ = [
    "DBT_CAUSE_MAX_LENGTH",
    "TRIGGER_EVENT_STATUSES",
    "DbtCloudApiException",
    "DbtCloudHook",
    "DbtCloudJobRunException",
    "DbtCloudJobRunStatus",
    "DbtCloudResourceLookupError",
    "DbtCloudTriggerEventException",
    "JobRunInfo",
    "TokenAuth",
    "fallback_to_default_account",
    "provide_account_id",
    "validate_execute_complete_event",
]


class DbtCloudHook(DefinitionVerbs, DiscoveryVerbs, ArtifactVerbs, RetryVerbs):
    """Speaks to dbt Cloud over an Airflow connection.

    Args:
        dbt_cloud_conn_id: The connection.
        timeout_seconds: Seconds to connect, and seconds without a byte; the connection's `timeout` if None,
            which is 60 unless set.
        retry_limit: Attempts for one request. What only reads is tried four times at the least; what may
            start something is never sent twice.
        retry_delay: Seconds before the second attempt, doubled for each further one.
        retry_args: tenacity's `stop`, `wait` and `retry`, to decide about single requests instead.

    Raises:
        ValueError: If `retry_limit` is below 1.
    """

    conn_name_attr = "dbt_cloud_conn_id"
    conn_type = "dbt_cloud"
    hook_name = "dbt Cloud"

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Labels, placeholders and hidden fields of the form in Airflow 3.1."""
        return form.field_behaviour()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The form's own fields in Airflow 3.1."""
        return form.widgets()

    @staticmethod
    def get_request_url_params(
        tenant: str, endpoint: str, include_related: list[str] | None = None, *, api_version: str = "v2"
    ) -> tuple[str, dict[str, Any]]:
        """The address below `accounts/` of a tenant (host or URL), and the query for `include_related`."""
        url = f"{address.base_url(tenant)}/api/{api_version}/accounts/{endpoint or ''}"
        return url, {"include_related": include_related} if include_related else {}

    async def get_headers_tenants_from_connection(self) -> tuple[dict[str, Any], str]:
        """Headers that sign a request, and the host they are for."""
        credentials = await self._fetch_credentials()
        return credentials.headers(Request("GET", "/", body={})), credentials.base_url.partition("://")[2]

    @fallback_to_default_account
    def trigger_job_run(  # noqa: PLR0917 -- users' calls are positional
        self,
        job_id: Id,
        cause: str,
        account_id: Id | None = None,
        steps_override: list[str] | None = None,
        schema_override: str | None = None,
        retry_from_failure: bool = False,
        additional_run_config: dict[str, Any] | None = None,
    ) -> Response:
        """Start a run of a job.

        Args:
            job_id: The job.
            cause: Why. A mark follows it, by which the run is found again if the answer is lost, so that no
                second one is started; the text is cut so that both fit into `DBT_CAUSE_MAX_LENGTH`.
            account_id: The account.
            steps_override: dbt commands in place of the job's own.
            schema_override: Schema in place of the environment's.
            retry_from_failure: Go on where the job's latest run failed, if it did and can be retried; that
                run's overrides count, not these.
            additional_run_config: Further fields of the request; they go before the arguments above.
        """
        if retry_from_failure and (failed := self._failed_run(job_id, account_id)):
            self.log.info("Retrying run %s of job %s from its failure.", failed, job_id)
            return self._answer(start_retry(known(account_id), job_id, failed, since=run_request.horizon()))
        own = {"cause": cause, "steps_override": steps_override, "schema_override": schema_override}
        payload = run_request.payload(own, additional_run_config, self.mark, self.log)
        return self._answer(start_run(known(account_id), job_id, payload, since=run_request.horizon()))

    @fallback_to_default_account
    def find_job_runs(
        self,
        job_id: Id,
        since: datetime,
        wanted: Callable[[Run], bool],
        account_id: Id | None = None,
    ) -> list[Run]:
        """Runs of a job that were created since a moment and are wanted, newest first, with their cause."""
        return self._call(find_runs(known(account_id), job_id, since, wanted))

    def _failed_run(self, job_id: Id, account_id: Id | None) -> int | None:
        """The id of the job's latest run if that ended in error and can be retried."""
        query = {"job_definition_id": job_id, "order_by": "-created_at", "limit": 1}
        latest = self.get_job_runs(account_id, payload=query).json()["data"]
        return retryable(Run.parse(latest[0]), self.log) if latest else None

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
        each: Each | None = None,
    ) -> list[Response]:
        """Runs, narrowed as asked; the pages are read at the same time.

        Args:
            account_id: The account.
            include_related: Such as ["trigger", "job"].
            job_definition_id: Only runs of this job.
            order_by: `id`, `created_at` or `finished_at`, with `-` before it for descending order.
            statuses: Only runs with one of these status codes.
            limit: Runs wanted at the most.
            each: Is given the rows of each page, and how many there are in all, as the page comes; it returns
                False when it wants no more. Each row comes once, also when others come and go meanwhile. The
                pages are not kept then, and none is returned.
        """
        filters = {
            "include_related": include_related or None,
            "job_definition_id": job_definition_id,
            "status__in": sorted(set(statuses)) if statuses else None,
            "order_by": order_by,
        }
        return self._pages(endpoints.get_request(known(account_id), "runs", query=filters), limit, each)

    @fallback_to_default_account
    def get_job_runs(self, account_id: Id | None = None, payload: dict[str, Any] | None = None) -> Response:
        """One page of runs; `payload` holds the query as "List Runs" documents it, lists as lists or text."""
        return self._answer(endpoints.list_runs_page(known(account_id), **(payload or {})))

    @fallback_to_default_account
    def get_job_run(
        self, run_id: Id, account_id: Id | None = None, include_related: list[str] | None = None
    ) -> Response:
        """One run; `include_related` such as ["run_steps", "trigger", "debug_logs"]."""
        call = endpoints.get_run(known(account_id), run_id, include_related=include_related or ())
        return self._answer(call)

    def get_job_run_status(self, run_id: Id, account_id: Id | None = None) -> int:
        """The status code of a run, of `DbtCloudJobRunStatus` unless dbt Cloud has learnt new ones."""
        return self._status_of(run_id, self.get_job_run(run_id, account_id).json()["data"])

    def wait_for_job_run_status(
        self,
        run_id: Id,
        account_id: Id | None = None,
        expected_statuses: int | Sequence[int] | set[int] = DbtCloudJobRunStatus.SUCCESS.value,
        check_interval: float = 60,
        timeout: float = 60 * 60 * 24 * 7,
    ) -> bool:
        """Wait on this worker until a run has one of the expected statuses, and say how it goes on.

        Args:
            run_id: The run.
            account_id: The account.
            expected_statuses: One code or several of `DbtCloudJobRunStatus`.
            check_interval: Seconds between two looks.
            timeout: Seconds to wait at the most.

        Raises:
            DbtCloudJobRunException: If the run ends otherwise, or the time runs out.
            ValueError: If an expected status is none of dbt Cloud's.
        """
        DbtCloudJobRunStatus.check_is_valid(expected_statuses)
        expected = {expected_statuses} if isinstance(expected_statuses, int) else set(expected_statuses)
        watch = worker.Watch(self, run_id, account_id)
        run = self._call(
            watch.until(lambda run: run.finished or run.status in expected, check_interval, timeout)
        )
        if run.status not in expected:
            self.log_job_run_failure_details(run.id, account_id)
            error = error_from_run(run)
            raise airflow_exception(error) from error
        return True

    def log_job_run_failure_details(
        self, run_id: Id, account_id: Id | None = None, job_run: dict[str, Any] | None = None
    ) -> None:
        """Log how a run ended and what failed in it; a fault while asking is logged, never raised."""
        try:
            report = self._failure_report(run_id, account_id, job_run)
            self._reported = None if job_run else report
            for line in report_log_lines(report):
                self.log.error(line)
        except Exception as error:  # noqa: BLE001 -- how the run ended is to be told, whatever is wrong with this
            self.log.warning("Could not read the details of run %s: %s", run_id, error)

    @fallback_to_default_account
    def _failure_report(
        self, run_id: Id, account_id: Id | None = None, job_run: dict[str, Any] | None = None
    ) -> RunReport:
        details = job_run or self.get_job_run(run_id, account_id, ["run_steps"]).json()["data"]
        return self._call(build_run_report(known(account_id), Run.parse(details)), decision=RETRY_ONCE)

    @fallback_to_default_account
    def get_job_run_report(self, run_id: Id, account_id: Id | None = None) -> RunReport:
        """What became of a run's steps and nodes, from the run and the results of its dbt commands.

        What was read to log a failure is not read again.
        """
        known_already, self._reported = self._reported, None
        if known_already is not None and known_already.run.id == int(run_id) and not known_already.gaps:
            return known_already
        return self._call(read_run_report(known(account_id), run_id), decision=RETRY_ONCE)

    @fallback_to_default_account
    def cancel_job_run(self, run_id: Id, account_id: Id | None = None) -> None:
        """Cancel a run; harmless for one that has ended. A cool-down is sat out if the hook `has_time`."""
        decision = self._insistent if self.has_time else self._decision
        self._call(endpoints.cancel_run(known(account_id), run_id), decision=decision)

    @provide_account_id
    async def get_job_details(
        self, run_id: Id, account_id: Id | None = None, include_related: list[str] | None = None
    ) -> Any:
        """One run with its envelope, as JSON, from an event loop."""
        details: list[Any] = []
        call = endpoints.get_run(known(account_id), run_id, include_related=include_related or ())
        await self._ask(call, lambda response: details.append(response.json))
        return details[-1]

    async def get_job_status(
        self, run_id: Id, account_id: Id | None = None, include_related: list[str] | None = None
    ) -> int:
        """The status code of a run, from an event loop.

        A hook with a `poll_interval` answers when the status is another than the one it last told, and shares
        its looks with all hooks of the process that watch runs over the same connection.
        """
        if self.poll_interval is not None:
            return await self._next_status(int(run_id), account_id, self.poll_interval)
        details = await self.get_job_details(run_id, account_id, include_related)
        return self._status_of(run_id, details["data"])

    @provide_account_id
    async def stop_job_run(self, run_id: Id, account_id: Id | None = None) -> None:
        """Cancel a run, from an event loop, over a connection of its own."""
        async with self._client() as client:
            await client.ask(endpoints.cancel_run(known(account_id), run_id))

    def test_connection(self) -> tuple[bool, str]:
        """Whether the connection is right, and what its token can read; or which part of it is wrong."""
        try:
            return True, self._call(check_access(self._resolve_account_id()), decision=NO_RETRY)
        except Exception as error:  # noqa: BLE001 -- the page shows whatever it was
            return False, str(error)
