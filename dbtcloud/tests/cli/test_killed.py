"""A server that is killed during its runs, and the next server with its state."""

import signal
from pathlib import Path

import pytest

from dbtcloud.local.orchestration.run_queue import LOST
from served import log_of, processes_in, run_job, run_of, serve, wait_for

pytestmark = pytest.mark.dbt

SLOW, STAGING = 2, 6
BUSY = "START sql table model {}.oven_endurance"


def test_no_run_is_lost_and_no_dbt_process_is_left(tmp_path: Path):
    slow = {"steps_override": ["dbt build --select +tag:slow"]}
    quick = {"steps_override": ["dbt ls"], "generate_docs_override": False}
    with serve("--data-dir", str(tmp_path)) as served:
        going = [run_job(served, SLOW), run_job(served, STAGING, **slow)]
        waiting = [run_job(served, job, **quick) for job in (SLOW, SLOW, STAGING)]
        for run_id, schema in zip(going, ("prod", "staging"), strict=True):
            wait_for(lambda run=run_id, name=schema: BUSY.format(name) in log_of(tmp_path, run))
        orphans = processes_in(tmp_path)
        assert {orphan.name() for orphan in orphans} >= {"dbt"}
        served.end(signal.SIGKILL)
        wait_for(lambda: not any(orphan.is_running() for orphan in orphans))

    with serve("--data-dir", str(tmp_path)) as served:
        for run_id in going:
            run = run_of(served, run_id)
            assert (run["status"], run["status_message"]) == (20, LOST)
            assert run["run_steps"][-1]["status"] == 20
        later = run_job(served, SLOW, **quick)
        for run_id in (*waiting, later):
            wait_for(lambda run=run_id: run_of(served, run)["is_complete"])
            assert run_of(served, run_id)["status"] == 10
        listed = served.get("/api/v2/accounts/1/runs/?order_by=id").json()["data"]
        assert [run["id"] for run in listed] == [*going, *waiting, later]
