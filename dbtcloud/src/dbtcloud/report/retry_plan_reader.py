"""Reads from dbt Cloud what the retry plan of a run needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from dbtcloud.artifacts.manifest import Manifest, read_manifest
from dbtcloud.artifacts.run_results import NodeResult
from dbtcloud.client import endpoints
from dbtcloud.client.downloads import download
from dbtcloud.client.errors import DbtCloudError
from dbtcloud.client.models import Run
from dbtcloud.client.protocol import Call, Id
from dbtcloud.client.run_status import RunStatus
from dbtcloud.report.dbt_command import DbtCommand
from dbtcloud.report.project_facts import ProjectFacts
from dbtcloud.report.retry_plan import RetryPlan
from dbtcloud.report.run_report_reader import DbtStep
from dbtcloud.report.step_retry import NARROWABLE

_MAX_RETRIES = 20  # runs to go back from a retry of a retry to the command that failed first


def read_retry_plan(account_id: Id, run_id: Id) -> Call[RetryPlan]:
    """Read a run, its job and the results of its steps, and return its retry plan.

    Raises:
        DbtCloudError: If the run or one of its results cannot be read: half a plan would be a wrong one.
        ValueError: If results are not valid.
    """
    related = ["run_steps", "trigger", "job"]
    run = yield from endpoints.get_run(account_id, run_id, include_related=related)
    results = (yield from _read_results(account_id, run)) if run.status != RunStatus.SUCCESS else {}
    facts = ProjectFacts(
        (yield from _read_manifest(account_id, run, results)), run.started_at, datetime.now(UTC)
    )
    original = yield from _original_command(account_id, run)
    return RetryPlan.of_run(run, results, original=original, facts=facts)


def read_node_results(account_id: Id, run_id: Id) -> Call[tuple[NodeResult, ...]]:
    """Read the results of all nodes in all steps of a run, which `RetryPlan.unexecuted` compares with a plan.

    Raises:
        DbtCloudError: If the run or one of its results cannot be read.
        ValueError: If results are not valid.
    """
    run = yield from endpoints.get_run(account_id, run_id, include_related=["run_steps"])
    results = yield from _read_results(account_id, run)
    return tuple(node for nodes in results.values() for node in nodes)


def _read_results(account_id: Id, run: Run) -> Call[dict[int, tuple[NodeResult, ...]]]:
    """Return the results of each step of a run that may have some, by the step's index."""
    results: dict[int, tuple[NodeResult, ...]] = {}
    for step in run.steps:
        if DbtCommand.subcommand_of(step.dbt_command or "") in NARROWABLE | {"retry"}:
            results[step.index] = yield from DbtStep(step).read_results(account_id, run.id)
    return results


def _read_manifest(account_id: Id, run: Run, results: Mapping[int, Iterable[NodeResult]]) -> Call[Manifest]:
    """Return the project of the last step with a failed or skipped model or unit test, or an empty one.

    It has the configurations of microbatch models, and the versions of models.
    """
    indexes = [index for index, nodes in results.items() if any(map(_needs_project, nodes))]
    if not indexes:
        return Manifest()
    path = "manifest.json"
    try:
        return (yield from download.read_artifact(account_id, run.id, path, read_manifest, step=max(indexes)))
    except (DbtCloudError, ValueError):
        return Manifest()  # the plan is exact for most projects all the same


def _needs_project(node: NodeResult) -> bool:
    return node.kind in {"model", "unit_test"} and (node.failed or node.status == "skipped")


def _original_command(account_id: Id, run: Run) -> Call[str | None]:
    """Return the command that `dbt retry` in the run repeated: the one that failed in the run it retries."""
    for _ in range(_MAX_RETRIES):
        retried = run.retried_run_id
        if not retried:
            break
        run = yield from endpoints.get_run(account_id, retried, include_related=["run_steps"])
        failed = [step.dbt_command or "" for step in run.steps if step.status == RunStatus.ERROR]
        if failed and DbtCommand.subcommand_of(failed[-1]) not in {"", "retry"}:
            return failed[-1]
    return None
