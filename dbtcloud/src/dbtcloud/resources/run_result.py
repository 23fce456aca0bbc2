"""The result of a run that a program has started: a mapping, with its report and its artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from dbtcloud.client import endpoints
from dbtcloud.client.downloads.download import retry_while_recent
from dbtcloud.client.errors import DbtCloudError, NotFound
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Call, Request, T
from dbtcloud.client.run_status import RunStatus
from dbtcloud.client.transport.sync_client import run_call
from dbtcloud.report.run_report import RunReport
from dbtcloud.report.run_report_reader import read_run_report
from dbtcloud.resources.arguments.values import checked_text
from dbtcloud.resources.base.client_errors import RunUnfinished
from dbtcloud.resources.base.engines import AwaitingEngine, BlockingEngine
from dbtcloud.resources.base.faces import Async, Resource, Sync, attribute, operation

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # The name alone stands for the result whose methods return.
    F = TypeVar("F", Sync, Async, default=Sync)
else:
    from dbtcloud.resources.base.faces import F

_STORED_SECONDS = 10.0  # seconds in which dbt Cloud may still store artifacts after the end of a run


class DbtCloudRunResult(Resource[F], Mapping[str, Any]):
    """A run, as it was when a function returned it.

    It is a mapping of all that dbt Cloud said of the run: `result["status_humanized"]`, `dict(result)`.
    Printed or shown by a notebook, it is a table of the run's nodes. That reads the report once, unless the
    result comes from `AsyncDbtCloudClient`: then `await result.report` first.

    It can be pickled. The token is not stored with it, so only what was read before is there afterwards.

    Args:
        engine: Carries out its calls.
        run: The run.

    Attributes:
        run: The run, as the methods of `client.runs` return it.
    """

    def __init__(self, engine: BlockingEngine | AwaitingEngine, run: Run) -> None:
        super().__init__(engine)
        self.run = run
        self._report: RunReport | None = None

    @property
    def _account_id(self) -> str:
        account_id = self.run.account_id
        return super()._account_id if account_id is None else str(account_id)

    @property
    def run_id(self) -> int:
        """The id of the run."""
        return self.run.id

    @property
    def job_id(self) -> int:
        """The id of the run's job.

        Raises:
            MalformedResponse: If dbt Cloud did not send it.
        """
        return self.run.known_job_id

    @property
    def url(self) -> str | None:
        """The address of the run's page in dbt Cloud."""
        return self.run.href

    @property
    def status(self) -> int:
        """The status code; one of `RunStatus`, unless dbt Cloud adds others."""
        return self.run.status

    @property
    def run_status(self) -> RunStatus | None:
        """The status, or None if it is one that dbt Cloud has added since."""
        return next((each for each in RunStatus if each == self.status), None)

    @property
    def is_successful(self) -> bool:
        """Whether the run has succeeded. False also means that it has not ended yet."""
        return self.run.is_success

    @property
    def run_details(self) -> dict[str, Any]:
        """Everything that dbt Cloud said of the run (API v2, "Retrieve Run"), as plain JSON values."""
        return self.run.to_dict()

    @operation
    def get_artifact(self, name: str, *, step: int | None = None) -> Call[Any]:
        """Get a file that dbt wrote in the run.

        Args:
            name: Its path in the target folder, such as "run_results.json".
            step: The step that wrote it; the last one if None.

        Returns:
            The parsed content of a `.json` file, the text of another one, or its bytes if they are no text
            in UTF-8. None if the run has no such file. If the run has just ended and dbt Cloud may still be
            storing its files, that takes up to ten seconds to say.

        Raises:
            MalformedResponse: If a `.json` file is not JSON.
            InvalidArgument: If the name is no text, or leads out of the folder.
            DbtCloudError: If a request fails.
        """
        checked_text("name", name)
        try:
            return (yield from self._read_artifact(name, step))
        except NotFound:
            if (yield from self._has_stored_all_but(name)):
                return None
        return (yield from self._await_artifact(name, step))

    def _read_artifact(self, name: str, step: int | None) -> Call[Any]:
        if name.endswith(".json"):
            return (yield from endpoints.get_json_artifact(self._account_id, self.run_id, name, step=step))
        response = yield from endpoints.get_artifact(self._account_id, self.run_id, name, step=step)
        return _text_or_bytes(response.body)

    def _await_artifact(self, name: str, step: int | None) -> Call[Any]:
        def read() -> Call[Any]:
            return (yield from self._read_artifact(name, step))

        waiting = retry_while_recent(read, self._account_id, self.run_id, longest=_STORED_SECONDS)
        try:
            return (yield from waiting)
        except NotFound:
            return None

    def _has_stored_all_but(self, name: str) -> Call[bool]:
        """Return whether the run's artifacts are stored, and this one is not among them."""
        run = yield from endpoints.get_run(self._account_id, self.run_id)
        names = yield from endpoints.list_artifacts(self._account_id, self.run_id)
        return run.data.get("artifacts_saved") is True and bool(names) and name not in names

    @operation
    def raise_for_status(self) -> Call[None]:
        """Raise an error if the run did not succeed, which says what failed and why.

        Raises:
            RunFailed: If the run ended in error.
            RunCancelled: If it was cancelled; a RunFailed.
            RunUnfinished: If it had not ended when this result was made.
        """
        if not self.run.finished:
            raise RunUnfinished(self.run_id, self.run.status_humanized, url=self.url)
        if not self.run.is_success:
            raise self.run.error((yield from self._failure_summary()))

    def _failure_summary(self) -> Call[str]:
        try:
            return (yield from self._read_report()).failure_summary()
        except DbtCloudError as error:
            return f"Its report cannot be read: {error}"

    @attribute
    def report(self) -> Call[RunReport]:
        """The report of the run: its nodes, what failed and why.

        It is read when somebody asks for it, and kept once the run has ended. `report.to_rows()` feeds
        pandas. On a result of `AsyncDbtCloudClient` it is awaited: `await result.report`.

        Raises:
            DbtCloudError: If the run cannot be read. If its results cannot, the report's `gaps` say so.
        """
        return (yield from self._read_report())

    def _read_report(self) -> Call[RunReport]:
        if self._report is None:
            report = yield from read_run_report(self._account_id, self.run_id)
            if not report.run.finished:
                return report
            self._report = report
        return self._report

    def _shown_report(self) -> RunReport:
        """Return the report, or one without nodes if it cannot be read now."""
        if self._report is not None:
            return self._report
        if not self.run.finished or isinstance(self._engine, AwaitingEngine):
            return RunReport(self.run)
        try:
            return self._engine.ask(self._read_report())
        except DbtCloudError as error:
            return RunReport(self.run, gaps=(f"The report cannot be read: {error}",))

    def __str__(self) -> str:
        return "\n".join(self._shown_report().log_lines())

    def _repr_html_(self) -> str:
        return self._shown_report().to_html()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of run {self.run_id}: {self.run.status_humanized}>"

    def __getitem__(self, name: str) -> Any:
        return self.run.data[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.run.data)

    def __len__(self) -> int:
        return len(self.run.data)

    def __getstate__(self) -> dict[str, Any]:
        return {"run": self.run, "_report": self._report}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _engine=_NoEngine(state["run"].id))


def _text_or_bytes(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


class _NoEngine(BlockingEngine):
    """Sends nothing: a result that was pickled has no token."""

    def __init__(self, run_id: int) -> None:
        self._run_id = run_id

    def ask(self, call: Call[T]) -> T:
        return run_call(call, self._refuse)

    def _refuse(self, _: Request) -> NoReturn:
        raise DbtCloudError(
            f"Nothing more can be read of run {self._run_id} with this result",
            why="It was pickled, and the token is not stored with it",
            fix=f"Get the result again: get_dbt_cloud_run_status(run_id={self._run_id})",
        )


DbtCloudOutput: TypeAlias = DbtCloudRunResult
"""Dagster's name for the result."""

DbtCloudRunStatus: TypeAlias = RunStatus
"""Dagster's name for the status codes."""
