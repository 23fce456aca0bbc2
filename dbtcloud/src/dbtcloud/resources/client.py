"""The client of dbt Cloud's API for programs: `DbtCloudClient`, and `AsyncDbtCloudClient` for event loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypedDict, Unpack

from dbtcloud.client import endpoints
from dbtcloud.client.protocol import Call, Id
from dbtcloud.client.retry import DEFAULT_RETRY, RetryDecision
from dbtcloud.client.transport.network_settings import Transport
from dbtcloud.resources.arguments.values import unknown_name
from dbtcloud.resources.base.closeable import AsyncCloseable, Closeable
from dbtcloud.resources.base.credential_sources import find_credentials
from dbtcloud.resources.base.engines import AwaitingEngine, BlockingEngine, ClientOptions
from dbtcloud.resources.base.faces import NO_SCOPE, Async, F, Resource, Scoped, Sync, operation, scoped
from dbtcloud.resources.base.tracing import OnRequest, OnResponse

if TYPE_CHECKING:
    from dbtcloud.resources.accounts import Accounts
    from dbtcloud.resources.artifacts import Artifacts
    from dbtcloud.resources.discovery import Discovery
    from dbtcloud.resources.environment_variables import EnvironmentVariables
    from dbtcloud.resources.environments import Environments
    from dbtcloud.resources.jobs import Jobs
    from dbtcloud.resources.projects import Projects
    from dbtcloud.resources.run_result import DbtCloudRunResult
    from dbtcloud.resources.runs import Runs
    from dbtcloud.resources.webhooks import Webhooks


class _ChangedOptions(TypedDict, total=False):
    """Options of a client that `with_options` changes."""

    timeout: float
    retry: RetryDecision
    transport: Transport
    disable_schedule_on_trigger: bool
    on_request: OnRequest | None
    on_response: OnResponse | None


class _Client(Resource[F]):
    """What both clients have: the resources, and the calls that belong to none.

    A client sends nothing before its first call.
    """

    _new_engine: ClassVar[type[BlockingEngine | AwaitingEngine]]

    def __init__(
        self,
        token: str | None = None,
        account_id: Id | None = None,
        host: str | None = None,
        *,
        timeout: float | None = None,
        retry: RetryDecision = DEFAULT_RETRY,
        transport: Transport | None = None,
        disable_schedule_on_trigger: bool = False,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
    ) -> None:
        """Make a client, with what is given here or found elsewhere.

        A token, an account or a host that is not given comes from the environment or from
        `~/.dbt/dbt_cloud.yml`, all of them from the same place (see `credential_sources`).

        Args:
            token: A service token or personal access token.
            account_id: The account, a number.
            host: The Access URL of the account, such as "ab123.us1.dbt.com".
            timeout: Seconds in which the answer to a request has to be complete; 60 if None.
            retry: Decides whether a failed request is sent again; by default, four attempts within about 7 s.
            transport: Network settings: proxies, certificates, limits of size.
            disable_schedule_on_trigger: Whether `run_job_and_poll` switches the job's schedule off until the
                run has ended.
            on_request: Called before each attempt of a request.
            on_response: Called after each attempt of a request.

        Raises:
            CredentialsMissing: If the token or the host is neither given nor found.
            InvalidArgument: If a value cannot be used.
        """
        network = _with_timeout(Transport() if transport is None else transport, timeout)
        options = ClientOptions(
            credentials=find_credentials(token, account_id, host, transport=network),
            retry=retry,
            disable_schedule_on_trigger=disable_schedule_on_trigger,
            on_request=on_request,
            on_response=on_response,
        )
        super().__init__(self._new_engine(options))

    @classmethod
    def from_env(cls) -> Self:
        """Return a client for the account that the environment or `~/.dbt/dbt_cloud.yml` names.

        Raises:
            CredentialsMissing: If none does. The message names every place that was searched.
        """
        return cls()

    def with_options(self, **changes: Unpack[_ChangedOptions]) -> Self:
        """Return another client for the same account, with other options and its own connections.

        Args:
            changes: `timeout`, `retry`, `transport`, `disable_schedule_on_trigger`, `on_request` and
                `on_response`, as of a new client. What is not named stays.

        Raises:
            InvalidArgument: If there is no such option, or its value cannot be used.
        """
        return self.from_options(self._changed({**changes}))

    @classmethod
    def from_options(cls, options: ClientOptions) -> Self:
        """Return a client with these credentials and options, which are not looked for anywhere else."""
        client = cls.__new__(cls)
        Resource.__init__(client, cls._new_engine(options))
        return client

    @cached_property
    def accounts(self) -> Accounts[F]:
        """The accounts that the token can read."""
        from dbtcloud.resources.accounts import Accounts

        return Accounts(self._engine)

    @cached_property
    def projects(self) -> Projects[F]:
        """The projects of the account."""
        from dbtcloud.resources.projects import Projects

        return Projects(self._engine)

    @cached_property
    def environments(self) -> Environments[F]:
        """The environments of the account's projects."""
        from dbtcloud.resources.environments import Environments

        return Environments(self._engine)

    @cached_property
    def jobs(self) -> Jobs[F]:
        """The jobs of the account."""
        from dbtcloud.resources.jobs import Jobs

        return Jobs(self._engine)

    @cached_property
    def runs(self) -> Runs[F]:
        """The runs of the account's jobs."""
        from dbtcloud.resources.runs import Runs

        return Runs(self._engine)

    @cached_property
    def artifacts(self) -> Artifacts[F]:
        """The files that dbt wrote in runs."""
        from dbtcloud.resources.artifacts import Artifacts

        return Artifacts(self._engine)

    @cached_property
    def webhooks(self) -> Webhooks[F]:
        """The webhook subscriptions of the account."""
        from dbtcloud.resources.webhooks import Webhooks

        return Webhooks(self._engine)

    @cached_property
    def environment_variables(self) -> EnvironmentVariables[F]:
        """The environment variables of projects, and what jobs have instead."""
        from dbtcloud.resources.environment_variables import EnvironmentVariables

        return EnvironmentVariables(self._engine)

    @cached_property
    def discovery(self) -> Discovery[F]:
        """The metadata of models, tests and sources (Discovery API)."""
        from dbtcloud.resources.discovery import Discovery

        return Discovery(self._engine)

    @property
    def account_id(self) -> str:
        """The account, as digits."""
        return self._account_id

    @scoped
    def run_job_and_poll(  # noqa: PLR0917 -- Dagster's arguments
        self,
        job_id: Id,
        cause: str = "Triggered by run_job_and_poll",
        steps_override: list[str] | None = None,
        schema_override: str | None = None,
        poll_interval: float = 10,
        poll_timeout: float | None = None,
    ) -> Scoped[DbtCloudRunResult[F]]:
        """Run a job, wait for the run, and return its result whatever its outcome.

        With the client's `disable_schedule_on_trigger`, the job's schedule is off until the run has ended.

        Args:
            job_id: The job.
            cause: Why it runs.
            steps_override: The commands of the run, in place of the job's.
            schema_override: The schema that dbt writes to, in place of the environment's.
            poll_interval: Seconds between two polls.
            poll_timeout: Seconds after which the wait ends; that of `runs.wait` if None.

        Raises:
            InvalidArgument: If an argument cannot be used.
            AmbiguousStart: If it is not clear whether the run was started.
            ScheduleNotRestored: If the job's schedule cannot be switched on again.
            RunTimedOut: If the timeout is reached. The run is still running.
            DbtCloudError: If a request fails.
        """
        from dbtcloud.resources.jobs import Jobs
        from dbtcloud.resources.progress.run_progress import poll_schedule
        from dbtcloud.resources.run_result import DbtCloudRunResult as Result
        from dbtcloud.resources.runs import Runs

        poll_schedule(poll_interval, poll_timeout)  # refuses bad values before anything is started

        def run_and_poll() -> Call[DbtCloudRunResult[F]]:
            run = yield from Jobs.run(
                self.jobs,
                job_id,
                cause=cause,
                steps_override=steps_override,
                schema_override=schema_override,
            )
            run = yield from Runs.wait(self.runs, run.id, interval=poll_interval, timeout=poll_timeout)
            return Result(self._engine, run)

        is_disabled = self._engine.options.disable_schedule_on_trigger
        return Scoped(Jobs.disable_schedule(self.jobs, job_id) if is_disabled else NO_SCOPE, run_and_poll())

    @operation
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: Mapping[str, Any] | None = None,
        version: str = "v2",
    ) -> Call[Any]:
        """Send any request to dbt Cloud, such as one that no method here sends.

        Args:
            method: "GET", "POST", "PUT", "PATCH" or "DELETE".
            path: The path after the account, such as "steps/4/", or a whole path such as "/api/v3/accounts/".
            params: The query. Values that are None are left out; a list is sent as one JSON array.
            json: The body.
            version: "v2" or "v3", for a path after the account.

        Returns:
            The answer's JSON, with `data` and `status`; None for an empty answer.

        Raises:
            InvalidArgument: If the method or the path cannot be sent.
            DbtCloudError: If the request fails. Only a GET is sent again after a failure that may pass.
        """
        return (
            yield from endpoints.send(
                self._account_id, method, path, params=params, body=json, version=version
            )
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._engine.options.credentials!r}>"

    def _changed(self, changes: dict[str, Any]) -> ClientOptions:
        known = _ChangedOptions.__annotations__
        for name in changes.keys() - known.keys():
            raise unknown_name(name, known, "an option that with_options changes")
        options = self._engine.options
        transport = changes.pop("transport", options.credentials.transport)
        transport = _with_timeout(transport, changes.pop("timeout", None))
        return replace(options, credentials=replace(options.credentials, transport=transport), **changes)


def _with_timeout(transport: Transport, timeout: float | None) -> Transport:
    if timeout is None or not isinstance(transport, Transport):  # which Credentials refuses
        return transport
    return replace(transport, timeout=timeout)


class DbtCloudClient(_Client[Sync], Closeable):
    """A client of one dbt Cloud account that blocks.

    Threads may share it. Close it by `with` or `close()`.
    """

    _new_engine = BlockingEngine


class AsyncDbtCloudClient(_Client[Async], AsyncCloseable):
    """A client of one dbt Cloud account for an event loop: the same methods, which are awaited.

    Close it by `async with` or `await client.close()`.
    """

    _new_engine = AwaitingEngine
