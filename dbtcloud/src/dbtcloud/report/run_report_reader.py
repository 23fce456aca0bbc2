"""Reads from dbt Cloud what the report of a run needs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dbtcloud.artifacts.node_tags import read_node_tags
from dbtcloud.artifacts.run_results import NodeResult, read_run_results
from dbtcloud.client import endpoints
from dbtcloud.client.downloads import download
from dbtcloud.client.errors import DbtCloudError, NotFound
from dbtcloud.client.models import Run, Step
from dbtcloud.client.protocol import Call, Id
from dbtcloud.client.run_status import RunStatus
from dbtcloud.report.compiled_code import with_compiled_paths
from dbtcloud.report.dbt_command import DbtCommand
from dbtcloud.report.run_report import RunReport
from dbtcloud.report.step_log import StepLog

# `docs generate` and `compile` write results as well, but these would hide those of the build before them.
_BUILDING = frozenset({"build", "run", "test", "seed", "snapshot", "retry", "clone", "run-operation"})

_RETRY_SECONDS = 10.0  # dbt Cloud may store the results some seconds after the run has ended

# After its last node, dbt Core logs "Done. PASS=3 WARN=0 …", and dbt 2.0 "Summary: 3 total | 3 success".
_LOG_SUMMARY = re.compile(r"Done\. PASS=|Summary: \d+ total")


def read_run_report(account_id: Id, run_id: Id) -> Call[RunReport]:
    """Read a run with its steps, and return its report.

    Raises:
        DbtCloudError: If the run cannot be read. What else is missing becomes one of the report's gaps.
    """
    run = yield from endpoints.get_run(account_id, run_id, include_related=["run_steps"])
    return (yield from build_run_report(account_id, run))


def build_run_report(account_id: Id, run: Run) -> Call[RunReport]:
    """Read the results of each step that builds or tests nodes, and return the run's report.

    Args:
        account_id: The run's account.
        run: The run with its steps.
    """
    nodes: dict[str, NodeResult] = {}
    node_steps: dict[str, int] = {}
    gaps: list[str] = []
    for step in run.steps:
        dbt_step = DbtStep(step)
        if not dbt_step.builds_nodes:
            continue
        try:
            results = yield from dbt_step.read_results(account_id, run.id)
        except (DbtCloudError, ValueError) as error:
            gaps.append(f"The results of step {step.index}, {step.name}, cannot be read: {error}")
            continue
        nodes.update({node.unique_id: node for node in StepLog(step).explain(results)})
        node_steps.update({node.unique_id: step.index for node in results})
    paths = (yield from _artifact_paths(account_id, run.id)) if nodes else []
    return RunReport(run, with_compiled_paths(nodes.values(), paths), tuple(gaps), node_steps)


def read_run_node_tags(
    account_id: Id, run_id: Id, step: int | None = None
) -> Call[Mapping[str, frozenset[str]]]:
    """Return the tags of a run's project by the unique id of each node, from its manifest.

    Args:
        account_id: The run's account.
        run_id: The run. If it has just ended and has no manifest, that is waited for, ten seconds at most.
        step: The step that wrote the manifest; the last one if None.

    Raises:
        NotFound: If there is no manifest.
        ValueError: If it is not a manifest.
    """

    def read() -> Call[Mapping[str, frozenset[str]]]:
        path, parse = "manifest.json", read_node_tags
        return (yield from download.read_artifact(account_id, run_id, path, parse, step=step))

    return (yield from download.retry_while_recent(read, account_id, run_id, longest=_RETRY_SECONDS))


class DbtStep:
    """A step of a run, and the results that its dbt command wrote.

    Args:
        step: The step.
    """

    def __init__(self, step: Step) -> None:
        self._step = step

    @property
    def builds_nodes(self) -> bool:
        """Whether the step is a dbt command that builds or tests nodes."""
        return DbtCommand.subcommand_of(self._step.dbt_command or "") in _BUILDING

    @property
    def must_have_results(self) -> bool:
        """Whether dbt has certainly written results: the step succeeded, or its log has dbt's summary."""
        return self._step.status == RunStatus.SUCCESS or bool(_LOG_SUMMARY.search(self._step.logs or ""))

    def read_results(self, account_id: Id, run_id: Id) -> Call[tuple[NodeResult, ...]]:
        """Return the results of the step's nodes, or none if dbt wrote none.

        dbt writes no results if the project does not compile. If the step must have results and dbt Cloud
        does not have them yet, the request is repeated for up to ten seconds.

        Raises:
            NotFound: If the step must have results and dbt Cloud does not have them.
            InvalidArtifact: If the results are not valid; a ValueError.
        """

        def read() -> Call[tuple[NodeResult, ...]]:
            path, parse = "run_results.json", read_run_results
            return (yield from download.read_artifact(account_id, run_id, path, parse, step=self._step.index))

        if self.must_have_results:
            return (yield from download.retry_while_recent(read, account_id, run_id, longest=_RETRY_SECONDS))
        try:
            return (yield from read())
        except NotFound:
            return ()


def _artifact_paths(account_id: Id, run_id: Id) -> Call[list[str]]:
    """Return the paths of the run's artifacts, or none on an error."""
    try:
        return (yield from endpoints.list_artifacts(account_id, run_id))
    except DbtCloudError:
        return []  # a report without the paths of compiled code is still useful
