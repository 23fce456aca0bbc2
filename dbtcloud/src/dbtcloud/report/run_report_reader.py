"""Asks dbt Cloud for what a run's report is made of."""

from __future__ import annotations

from dbtcloud.artifacts.run_results import NodeResult, read_run_results
from dbtcloud.client import endpoints
from dbtcloud.client.downloads import download
from dbtcloud.client.endpoints import Id
from dbtcloud.client.errors import DbtCloudError, NotFound
from dbtcloud.client.models import Run, RunStatus, Step
from dbtcloud.client.protocol import Call
from dbtcloud.report.compiled_code import with_compiled_paths
from dbtcloud.report.dbt_command import step_command, subcommand_of
from dbtcloud.report.run_report import RunReport

_BUILDING = frozenset({"build", "run", "test", "seed", "snapshot", "retry", "clone", "run-operation"})
"""dbt commands whose results tell what became of nodes. `docs generate` and `compile` write results as well,
which would hide those of the build before them."""


_RETRY_SECONDS = 10.0
"""Seconds for which the results of a step are looked for that there must be."""

_LOG_SUMMARY = "Done. PASS="
"""What dbt's log says when it has come to the end of its nodes, and before it counts them."""


def read_run_report(account_id: Id, run_id: Id) -> Call[RunReport]:
    """The report of a run: its steps, and the results of each step that builds or tests."""
    run = yield from endpoints.get_run(account_id, run_id, include_related=["run_steps"])
    return (yield from build_run_report(account_id, run))


def build_run_report(account_id: Id, run: Run) -> Call[RunReport]:
    """The report of a run that is known with its steps."""
    nodes: dict[str, NodeResult] = {}
    gaps: list[str] = []
    for step in filter(builds_nodes, run.steps):
        try:
            results = yield from read_step_results(account_id, run.id, step)
        except (DbtCloudError, ValueError) as error:
            gaps.append(f"The results of step {step.index}, {step.name}, cannot be read: {error}")
            continue
        nodes.update({node.unique_id: node for node in results})
    paths = (yield from _paths(account_id, run.id)) if nodes else []
    return RunReport(run, with_compiled_paths(nodes.values(), paths), tuple(gaps))


def builds_nodes(step: Step) -> bool:
    """Whether a step is a dbt command whose results tell what became of nodes."""
    return subcommand_of(step_command(step) or "") in _BUILDING


def read_step_results(account_id: Id, run_id: Id, step: Step) -> Call[tuple[NodeResult, ...]]:
    """The nodes of a step; none where dbt wrote no results, as when the project does not compile.

    Results that there must be are looked for again while the run has only just ended: dbt Cloud stores them
    then.

    Raises:
        NotFound: If they stay away.
        InvalidArtifact: If they are not as dbt writes them; a ValueError.
    """

    def look() -> Call[tuple[NodeResult, ...]]:
        path, read = "run_results.json", read_run_results
        return (yield from download.read_artifact(account_id, run_id, path, read, step=step.index))

    owed = must_have_results(step)
    try:
        patient = download.retry_while_recent(look, account_id, run_id, longest=_RETRY_SECONDS)
        return (yield from patient if owed else look())
    except NotFound:
        if owed:
            raise
        return ()


def must_have_results(step: Step) -> bool:
    """Whether dbt has written results in any case: it sums them up in its log, or has ended well."""
    return step.status == RunStatus.SUCCESS or _LOG_SUMMARY in (step.logs or "")


def _paths(account_id: Id, run_id: Id) -> Call[list[str]]:
    """Paths of the run's artifacts; none where they cannot be read: the report is worth more than they."""
    try:
        return (yield from endpoints.list_artifacts(account_id, run_id))
    except DbtCloudError:
        return []
