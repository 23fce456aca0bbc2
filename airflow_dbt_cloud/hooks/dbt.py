"""The dbt Cloud hook: one verb for each thing that you can ask of dbt Cloud over an Airflow connection.

Operators, sensors and triggers act through these verbs only, so overriding or patching one takes effect
everywhere. Verbs that read a list return one `requests.Response` for each page, the others one. All raise
`DbtCloudApiException` (an AirflowException) when dbt Cloud refuses or cannot be reached; its `error` is the
client's error. `account_id` is the connection's Account ID unless given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud import lazy
from airflow_dbt_cloud.exceptions import (
    DbtCloudApiException,
    DbtCloudJobRunException,
    DbtCloudResourceLookupError,
    DbtCloudSensorTimeout,
    DbtCloudTriggerEventException,
    airflow_exception,
)
from airflow_dbt_cloud.get_provider_info import get_provider_info
from airflow_dbt_cloud.hooks.connection.base import as_airflow_exceptions
from airflow_dbt_cloud.hooks.connection.default_account import (
    Id,
    fallback_to_default_account,
    provide_account_id,
    require_account,
)
from airflow_dbt_cloud.hooks.connection.request_retry import RequestRetry
from airflow_dbt_cloud.hooks.connection.session import TokenAuth
from airflow_dbt_cloud.hooks.polling.worker import wait_on_worker
from airflow_dbt_cloud.hooks.verbs.artifacts import ArtifactVerbs
from airflow_dbt_cloud.hooks.verbs.definitions import DefinitionVerbs
from airflow_dbt_cloud.hooks.verbs.discovery import DiscoveryVerbs
from airflow_dbt_cloud.hooks.verbs.extra_arguments import (
    cancels_are_brief,
    current_obtain_run,
    time_left_to_start,
)
from airflow_dbt_cloud.hooks.verbs.reports import ReportVerbs
from airflow_dbt_cloud.hooks.verbs.runs import RunVerbs
from airflow_dbt_cloud.job_runs.status import (
    DBT_CAUSE_MAX_LENGTH,
    TRIGGER_EVENT_STATUSES,
    DbtCloudJobRunStatus,
    JobRunInfo,
    validate_execute_complete_event,
)
from dbtcloud.client import endpoints
from dbtcloud.client.access_check import check_access
from dbtcloud.client.errors import DbtCloudError
from dbtcloud.client.marker import Marker
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Call, Request, T
from dbtcloud.client.protocol import Response as ClientResponse
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.run_start import start_retry_run, start_run
from dbtcloud.client.transport import address
from dbtcloud.client.transport.time_limit import time_limit

if TYPE_CHECKING:
    from requests import Response

    from airflow_dbt_cloud.hooks.polling.shared_poller import SharedPoll

__all__ = [
    "DBT_CAUSE_MAX_LENGTH",
    "TRIGGER_EVENT_STATUSES",
    "DbtCloudApiException",
    "DbtCloudHook",
    "DbtCloudJobRunException",
    "DbtCloudJobRunStatus",
    "DbtCloudResourceLookupError",
    "DbtCloudSensorTimeout",
    "DbtCloudTriggerEventException",
    "JobRunInfo",
    "TokenAuth",
    "fallback_to_default_account",
    "provide_account_id",
    "validate_execute_complete_event",
]


def __getattr__(name: str) -> Any:
    return lazy.resolve(__name__, name)


class DbtCloudHook(DefinitionVerbs, DiscoveryVerbs, ArtifactVerbs, ReportVerbs, RunVerbs):
    """Speaks to dbt Cloud over an Airflow connection.

    Args:
        dbt_cloud_conn_id: The connection.
        timeout_seconds: Seconds in which the answer to a request has to be complete; the connection's
            `timeout` if None, which is 60 unless set. Downloads must keep to a minimum rate instead.
        retry_limit: Attempts for one request. A request that only reads is tried at least four times; one
            that may start something is never sent twice.
        retry_delay: Seconds before the second attempt, doubled for each further one.
        retry_args: tenacity's `stop`, `wait` and `retry`, which then decide about single requests.

    Raises:
        ValueError: If `retry_limit` is below 1.
    """

    conn_name_attr = "dbt_cloud_conn_id"
    conn_type = "dbt_cloud"
    hook_name = "dbt Cloud"

    _shared_poll: SharedPoll | None = None

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return labels, placeholders and hidden fields of the form in Airflow 3.1."""
        behaviour = cls._connection_declaration()["ui-field-behaviour"]
        return {key.replace("-", "_"): value for key, value in behaviour.items()}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's own fields in Airflow 3.1."""
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
        from wtforms import StringField

        return {
            name: StringField(field["label"], description=field["description"], widget=BS3TextFieldWidget())
            for name, field in cls._connection_declaration()["conn-fields"].items()
        }

    @staticmethod
    def _connection_declaration() -> dict[str, Any]:
        """Return the connection form of the provider's metadata, which later versions of Airflow read."""
        return dict(get_provider_info()["connection-types"][0])

    @staticmethod
    def get_request_url_params(
        tenant: str, endpoint: str, include_related: list[str] | None = None, *, api_version: str = "v2"
    ) -> tuple[str, dict[str, Any]]:
        """Return the URL of an endpoint below `accounts/` of a tenant (host or URL), and its query."""
        url = f"{address.base_url(tenant)}/api/{api_version}/accounts/{endpoint or ''}"
        return url, {"include_related": include_related} if include_related else {}

    async def get_headers_tenants_from_connection(self) -> tuple[dict[str, Any], str]:
        """Return headers that sign a request, and the host that they are for."""
        credentials = await self._fetch_credentials()
        return credentials.headers(Request("GET", "/", body={})), credentials.base_url.partition("://")[2]

    @fallback_to_default_account
    def trigger_job_run(  # noqa: PLR0917 -- users' calls are positional
        self,
        job_id: Id,
        cause: str | None,
        account_id: Id | None = None,
        steps_override: list[str] | None = None,
        schema_override: str | None = None,
        retry_from_failure: bool = False,
        additional_run_config: dict[str, Any] | None = None,
    ) -> Response:
        """Start a run of a job.

        Args:
            job_id: The job.
            cause: The reason; "Triggered via Apache Airflow." if None. A marker is appended unless it has
                one. If the response is lost, the marker finds the run, so that no second one is started. The
                text is cut so that both fit into `DBT_CAUSE_MAX_LENGTH`.
            account_id: The account.
            steps_override: dbt commands in place of the job's own.
            schema_override: Schema in place of the environment's.
            retry_from_failure: Continue where the job's latest run failed, if it did and can be retried. That
                run's overrides count, not these.
            additional_run_config: Further fields of the request; they override the arguments above.

        Raises:
            DbtCloudApiException: If dbt Cloud refuses, or if it stays unknown whether a run has started.
        """
        account = require_account(account_id)
        own = {"cause": cause, "steps_override": steps_override, "schema_override": schema_override}

        def send(marker: Marker | None, changes: Mapping[str, Any]) -> Response:
            payload = self._run_payload(own, {**(additional_run_config or {}), **changes}, marker)
            return self._answer(start_run(account, job_id, payload, time_left=time_left_to_start))

        if (obtain := current_obtain_run()) is not None:
            return obtain(send)  # a task retries its own failed run, not the job's latest
        if retry_from_failure and (failed := self._retryable_run(job_id, account_id)):
            self.log.info("Retrying run %s of job %s from its failure.", failed, job_id)
            return self._answer(start_retry_run(account, job_id, failed, time_left=time_left_to_start))
        return send(None, {})

    def wait_for_job_run_status(
        self,
        run_id: Id,
        account_id: Id | None = None,
        expected_statuses: int | Sequence[int] | set[int] = DbtCloudJobRunStatus.SUCCESS.value,
        check_interval: float = 60,
        timeout: float = 60 * 60 * 24 * 7,
    ) -> bool:
        """Wait on this worker until a run has one of the expected statuses, and log its progress.

        Args:
            run_id: The run.
            account_id: The account.
            expected_statuses: One code or several of `DbtCloudJobRunStatus`.
            check_interval: Seconds between two polls.
            timeout: Seconds to wait at most.

        Raises:
            DbtCloudJobRunException: If the run ends otherwise, or the time runs out.
            ValueError: If an expected status is none of dbt Cloud's.
        """
        DbtCloudJobRunStatus.check_is_valid(expected_statuses)
        expected = {expected_statuses} if isinstance(expected_statuses, int) else set(expected_statuses)

        def is_over(run: Run) -> bool:
            return run.finished or run.status in expected

        run = self._call(
            wait_on_worker(self, run_id, account_id, until=is_over, interval=check_interval, timeout=timeout)
        )
        if run.status not in expected:
            self.log_job_run_failure_details(run_id=run.id, account_id=account_id)
            error = run.error()
            raise airflow_exception(error) from error
        return True

    @fallback_to_default_account
    def cancel_job_run(self, run_id: Id, account_id: Id | None = None) -> None:
        """Cancel a run, unless it has ended.

        A cancel has to get through, so it waits out dbt Cloud's cool-down of five minutes after too many
        requests. Only a task that is being killed gives up early.
        """
        retry = RequestRetry(self.retry_limit, self.retry_delay, self.retry_args)
        decision = self._decision if cancels_are_brief() else retry.persistent_decision()
        self._call(endpoints.cancel_run(require_account(account_id), run_id), decision=decision)

    @provide_account_id
    async def get_job_details(
        self, run_id: Id, account_id: Id | None = None, include_related: list[str] | None = None
    ) -> Any:
        """Return one run with its envelope, as JSON, from an event loop."""
        details: list[Any] = []
        call = endpoints.get_run(require_account(account_id), run_id, include_related=include_related or ())
        await self._ask(call, lambda response: details.append(response.json))
        return details[-1]

    async def get_job_status(
        self, run_id: Id, account_id: Id | None = None, include_related: list[str] | None = None
    ) -> int:
        """Return the status code of a run, from an event loop.

        After `share_polls` it returns only when the status differs from the last one that it returned.
        """
        poll = self._shared_poll
        if poll is not None and poll.run_id == int(run_id):
            # No `as_airflow_exceptions()` here: each waiting trigger would keep its two objects alive.
            try:
                run = await poll.next_change(self, account_id)
            except DbtCloudError as error:
                raise airflow_exception(error) from error
            self._remember_url(run_id, run.href)
            return run.status
        with time_limit(None):
            details = await self.get_job_details(run_id, account_id, include_related)
        return self._status_of(run_id, details["data"])

    def share_polls(self, poll: SharedPoll) -> None:
        """Poll a run together with all runs that this process waits for over the same connection."""
        self._shared_poll = poll

    async def _ask(self, call: Call[T], on_response: Callable[[ClientResponse], object]) -> T:
        """Carry out a call on an event loop, over the connections of the shared polls if they are open."""
        if self._shared_poll is not None and self._shared_poll.poller is not None:
            with as_airflow_exceptions(), suppress(LookupError):
                return await self._shared_poll.poller.ask(call, on_response)
        async with self._client() as client:
            return await client.ask(call, on_response)

    @provide_account_id
    async def stop_job_run(self, run_id: Id, account_id: Id | None = None) -> None:
        """Cancel a run from an event loop, over a connection of its own."""
        async with self._client() as client:
            await client.ask(endpoints.cancel_run(require_account(account_id), run_id))

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the connection works, and what its token can read or which part is wrong."""
        try:
            return True, self._call(check_access(self._resolve_account_id()), decision=NO_RETRY)
        except Exception as error:  # noqa: BLE001 -- the page shows whatever it was
            return False, str(error)
