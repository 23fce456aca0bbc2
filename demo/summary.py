"""The table at the end: what dbt built, from the run's `run_results.json`."""

from collections import Counter
from pathlib import Path
from typing import Any

from output import print_heading

from dbtcloud.client import endpoints
from dbtcloud.client.models import Run, Step
from dbtcloud.client.run_status import RunStatus
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient
from dbtcloud.local.server.in_thread import LocalDbtCloud

Result = dict[str, Any]
_BUILT = ("seed", "snapshot", "model")


def summarise(cloud: LocalDbtCloud, artifacts: Path) -> bool:
    """Print the results of the newest run and return whether it succeeded."""
    with SyncClient(Credentials(base_url=cloud.url, token=cloud.token)) as client:
        runs = client.ask(endpoints.list_runs_page(cloud.account_id, order_by="-id", limit=1))
        if not runs:
            print("dbt Cloud has no run.")
            return False
        run = client.ask(endpoints.get_run(cloud.account_id, runs[0].id, include_related=["run_steps"]))
        results = _results(client, cloud.account_id, run)
    print_heading(f"dbt Cloud run {run.id}: {RunStatus(run.status).name.lower()}")
    _print_table([result for result in results if _kind(result) in _BUILT])
    _print_tests([result for result in results if _kind(result) == "test"])
    print(f"\n    Artifacts: {artifacts / 'runs' / str(run.id) / 'target'}")
    return run.status == RunStatus.SUCCESS and bool(results)


def _results(client: SyncClient, account_id: int, run: Run) -> list[Result]:
    built: list[Step] = [step for step in run.steps if "dbt build" in step.name]
    if not built:
        return []
    step = built[0].index
    answer = client.ask(endpoints.get_artifact(account_id, run.id, "run_results.json", step=step))
    results: list[Result] = answer.json["results"]
    return results


def _print_table(results: list[Result]) -> None:
    print(f"\n    {'':<6} {'node':<24} {'status':<8} {'seconds':>8}")
    for result in results:
        name = result["unique_id"].split(".")[2]
        seconds = f"{result['execution_time']:.2f}"
        print(f"    {_kind(result):<6} {name:<24} {result['status']:<8} {seconds:>8}")


def _print_tests(tests: list[Result]) -> None:
    counted = Counter(test["status"] for test in tests)
    seconds = sum(test["execution_time"] for test in tests)
    print(
        f"    tests: {', '.join(f'{count} {status}' for status, count in counted.items())} ({seconds:.2f} s)"
    )


def _kind(result: Result) -> str:
    kind: str = result["unique_id"].split(".")[0]
    return kind
