"""The queue of real runs, with executors that the tests control."""

import asyncio
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from dbtcloud.core import process
from dbtcloud.local.model.clock import Clock
from dbtcloud.local.model.records import RunRecord
from dbtcloud.local.model.run_plan import Outcome
from dbtcloud.local.orchestration.run_queue import RunQueue
from dbtcloud.local.server.in_thread import LocalDbtCloud
from dbtcloud.local.store.database import Store

WAIT = 10


class Executor:
    """Starts and ends each run when the test says so."""

    def __init__(self) -> None:
        self.plans = []
        self.began = threading.Semaphore(0)
        self.endings = asyncio.Semaphore(0)

    async def __call__(self, plan, observer, cancelled):
        self.plans.append(plan)
        observer.starting()
        observer.running()
        observer.step_started(1, "Invoke dbt with `dbt build`", "dbt build")
        observer.step_log(1, "one\n")
        observer.step_log(1, "two\n")
        self.loop = asyncio.get_running_loop()
        self.began.release()
        ends = [asyncio.create_task(wait) for wait in (self.endings.acquire(), cancelled.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        status = 30 if cancelled.is_set() else 10
        observer.step_finished(1, status)
        return Outcome(status, "Cancelled by user." if cancelled.is_set() else None)

    def end_one(self) -> None:
        self.loop.call_soon_threadsafe(self.endings.release)


@pytest.fixture
def executor():
    return Executor()


@pytest.fixture
def queued(executor, client_of):
    with LocalDbtCloud(token="t", execute=executor) as server:
        yield client_of(server)


def begin(executor):
    assert executor.began.acquire(timeout=WAIT), "no run began"


def test_runs_of_one_environment_run_one_after_the_other(queued, executor, eventually):
    first, second, third = (queued.start(1)["id"] for _ in range(3))
    begin(executor)
    ahead = [queued.get(f"runs/{run}/")["blocked_by"] for run in (first, second, third)]
    assert ahead == [[], [first], [second]]
    assert [queued.get(f"runs/{run}/")["status"] for run in (first, second, third)] == [3, 1, 1]
    executor.end_one()
    begin(executor)
    assert queued.get(f"runs/{first}/")["status"] == 10
    assert queued.get(f"runs/{second}/")["blocked_by"] == []
    executor.end_one(), executor.end_one()
    eventually(lambda: queued.get(f"runs/{third}/")["status"] == 10)
    assert [plan.run_id for plan in executor.plans] == [first, second, third]


def test_environments_do_not_wait_for_each_other(queued, executor):
    queued.start(1), queued.start(6)
    begin(executor), begin(executor)
    assert {plan.environment_id for plan in executor.plans} == {1, 2}


def test_a_waiting_run_is_cancelled_at_once_and_leaves_the_queue(queued, executor):
    _, second, third = (queued.start(1)["id"] for _ in range(3))
    begin(executor)
    assert queued.post(f"runs/{second}/cancel/")["status"] == 30
    assert queued.get(f"runs/{third}/")["blocked_by"] == [executor.plans[0].run_id]
    assert queued.get(f"runs/{second}/")["started_at"] is None


def test_a_running_run_is_asked_to_stop(queued, executor, eventually):
    run = queued.start(1)["id"]
    begin(executor)
    queued.post(f"runs/{run}/cancel/")
    eventually(lambda: queued.get(f"runs/{run}/")["status"] == 30)
    assert queued.get(f"runs/{run}/")["status_message"] == "Cancelled by user."


CHILD = """
import pathlib, signal, sys

def interrupted(*_):
    pathlib.Path("interrupted").touch()
    sys.exit(1)

signal.signal(signal.SIGINT, interrupted)
print("building", flush=True)
while True:
    signal.pause()
"""


def test_cancelling_a_running_run_interrupts_its_process_and_starts_the_next(client_of, tmp_path, eventually):
    """The process is a real one: a run may only be reported as cancelled when its process has ended."""
    exit_codes = []

    async def execute(plan, observer, cancelled):
        observer.starting(), observer.running()
        observer.step_started(1, "Invoke dbt with `dbt build`", "dbt build")
        folder = tmp_path / str(plan.run_id)
        folder.mkdir()
        code = await process.run_process(
            [sys.executable, "-c", CHILD],
            cwd=folder,
            env={},
            output=lambda text: observer.step_log(1, text),
            stop=cancelled,
        )
        exit_codes.append(code)
        observer.step_finished(1, 30)
        return Outcome(30, "Cancelled by user.")

    with LocalDbtCloud(token="t", execute=execute) as server:
        client = client_of(server)

        def builds(run):
            steps = client.get(f"runs/{run}/", include_related="run_steps,debug_logs")["run_steps"]
            return bool(steps) and "building" in steps[0]["logs"]

        first, second = client.start(1)["id"], client.start(1)["id"]
        for number, run in enumerate((first, second), start=1):
            eventually(lambda run=run: builds(run))
            client.post(f"runs/{run}/cancel/")
            eventually(lambda run=run: client.get(f"runs/{run}/")["status"] == 30)
            assert exit_codes == [1] * number
            assert (tmp_path / str(run) / "interrupted").exists()


def test_steps_and_their_logs_can_be_read_during_the_run(queued, executor):
    run = queued.start(1)["id"]
    begin(executor)
    (step,) = queued.get(f"runs/{run}/", include_related="run_steps,debug_logs")["run_steps"]
    assert (step["name"], step["status"]) == ("Invoke dbt with `dbt build`", 3)
    assert step["logs"] == step["debug_logs"] == "one\ntwo\n"
    assert step["run_step_command"] == {"run_step_id": step["id"], "dbt_command": "dbt build"}
    assert queued.get(f"steps/{step['id']}/")["name"] == step["name"]


def test_the_overrides_of_a_trigger_replace_the_settings_of_the_job(queued, executor):
    overrides = {
        "steps_override": ["dbt parse"],
        "schema_override": "mine",
        "target_name_override": "ci",
        "threads_override": 9,
        "timeout_seconds_override": 77,
        "generate_docs_override": False,
    }
    queued.start(1, **overrides)
    begin(executor)
    plan = executor.plans[0]
    assert (plan.steps, plan.schema, plan.target_name) == (("dbt parse",), "mine", "ci")
    assert (plan.threads, plan.timeout_seconds, plan.generate_docs) == (9, 77, False)


def test_a_plan_without_overrides_has_the_settings_of_the_job(queued, executor):
    queued.start(1)
    begin(executor)
    plan = executor.plans[0]
    assert plan.generate_docs is True
    assert plan.steps[0].startswith("dbt build")
    assert (plan.target_name, plan.schema) == ("prod", "prod")
    assert (plan.setup.source.folder / "dbt_project.yml").is_file()
    assert plan.work_dir != plan.run_dir


def test_an_error_of_the_executor_ends_its_run_and_not_the_queue(client_of, eventually):
    async def broken(plan, observer, cancelled):
        raise OSError("no space left")

    with LocalDbtCloud(token="t", execute=broken) as server:
        client = client_of(server)
        runs = [client.start(1)["id"] for _ in range(2)]
        eventually(lambda: all(client.get(f"runs/{run}/")["status"] == 20 for run in runs))
        assert "no space left" in client.get(f"runs/{runs[0]}/")["status_message"]


def test_the_error_of_a_run_without_a_dbt_project_says_what_to_do(queued, eventually):
    queued.control.seed(
        projects=[{"id": 2, "name": "Bare"}], jobs=[{"id": 80, "name": "Bare", "project_id": 2}]
    )
    run = queued.start(80)["id"]
    eventually(lambda: queued.get(f"runs/{run}/")["status"] == 20)
    assert "project_dir" in queued.get(f"runs/{run}/")["status_message"]


def test_a_server_that_stops_cancels_running_runs_and_keeps_waiting_ones(executor, client_of, tmp_path):
    file = tmp_path / "state.sqlite"
    with LocalDbtCloud(token="t", store=file, data_dir=tmp_path, execute=executor) as server:
        client = client_of(server)
        going, waiting = client.start(1)["id"], client.start(1)["id"]
        begin(executor)
    later = Executor()
    with LocalDbtCloud(token="t", store=file, data_dir=tmp_path, execute=later) as server:
        client = client_of(server)
        begin(later)
        ended = client.get(f"runs/{going}/")
        assert (ended["status"], client.get(f"runs/{waiting}/")["status"]) == (30, 3)
        assert "was stopped" in ended["status_message"]
    assert [plan.run_id for plan in later.plans] == [waiting]


def test_a_reset_ends_running_runs_and_deletes_their_files(executor, client_of, tmp_path):
    with LocalDbtCloud(token="t", data_dir=tmp_path, execute=executor) as server:
        client = client_of(server)
        first = client.start(1)["id"]
        begin(executor)
        executor.plans[0].run_dir.mkdir(parents=True)
        executor.plans[0].work_dir.mkdir(parents=True)
        client.control.reset()
        assert [path for name in ("runs", "environments") for path in (tmp_path / name).iterdir()] == []
        assert client.start(1)["id"] == first
        begin(executor)


def test_a_run_never_has_the_files_of_a_run_of_an_earlier_server(executor, client_of, tmp_path):
    for _ in range(2):
        with LocalDbtCloud(token="t", data_dir=tmp_path, execute=executor) as server:
            run = client_of(server).start(1)["id"]
            begin(executor)
            assert client_of(server).get(f"runs/{run}/artifacts/") == []
            target = executor.plans[-1].run_dir / "target"
            target.mkdir(parents=True)
            (target / "manifest.json").write_text("{}")
            assert client_of(server).get(f"runs/{run}/artifacts/") == ["manifest.json"]


def test_after_a_kill_the_running_run_has_failed_and_the_waiting_one_starts(executor, client_of, tmp_path):
    file, kept = tmp_path / "state.sqlite", tmp_path / "killed.sqlite"
    with LocalDbtCloud(token="t", store=file, data_dir=tmp_path, execute=executor) as server:
        client = client_of(server)
        going, waiting = client.start(1)["id"], client.start(1)["id"]
        begin(executor)
        for suffix in ("", "-wal"):
            kept.with_name(kept.name + suffix).write_bytes(file.with_name(file.name + suffix).read_bytes())
    later = Executor()
    with LocalDbtCloud(token="t", store=kept, data_dir=tmp_path, execute=later) as server:
        client = client_of(server)
        begin(later)
        lost = client.get(f"runs/{going}/", include_related="run_steps")
        assert (lost["status"], client.get(f"runs/{waiting}/")["status"]) == (20, 3)
        assert "ended unexpectedly" in lost["status_message"]
        assert [step["status"] for step in lost["run_steps"]] == [20]
        assert "ended unexpectedly" in lost["run_steps"][0]["logs"]


def test_fifty_runs_that_are_requested_at_once_run_one_after_the_other(queued, executor, eventually):
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(
                lambda _: requests.post(
                    f"{queued.server.url}/api/v2/accounts/1/jobs/1/run/",
                    json={"cause": "one of many"},
                    headers={"Authorization": "Token t"},
                    timeout=20,
                ).json()["data"]["id"],
                range(50),
            )
        )
    assert len(set(answers)) == 50
    begin(executor)
    assert queued.ask("runs/?status=1&limit=1").json()["extra"]["pagination"]["total_count"] == 49
    for _ in range(50):
        executor.end_one()
    eventually(
        lambda: queued.ask("runs/?status=10&limit=1").json()["extra"]["pagination"]["total_count"] == 50
    )
    assert [plan.run_id for plan in executor.plans] == sorted(answers)


@pytest.fixture
async def tidied():
    """A queue whose runs end at once; what it is asked to leave when it tidies; tidying always fails."""
    store, clock, spared = Store(":memory:"), Clock(), asyncio.Queue()

    async def execute(plan, observer, cancelled):
        return Outcome(10, None)

    async def tidy(needed):
        spared.put_nowait(needed)
        raise OSError("not empty")

    queue = RunQueue(store, clock, lambda run: run, execute, tidy)
    yield store, queue, spared
    await queue.stop()
    store.close()


async def test_waiting_runs_start_although_the_deletion_of_artifacts_fails(tidied, caplog):
    store, queue, spared = tidied
    runs = [
        RunRecord(number, 1, 1, 1, 1, 0, retrying_run_id=9 if number == 3 else None) for number in (1, 2, 3)
    ]
    store.runs.add(runs)
    for run in runs:
        queue.submit(run)
    async with asyncio.timeout(WAIT):
        needed = [await spared.get() for _ in runs]
    assert [store.runs.get(run.id).outcome for run in runs] == [10, 10, 10]
    assert "could not be deleted" in caplog.text
    assert {3, 9} <= needed[1], "the run that is taken up by one that waits is needed"


@pytest.fixture
async def disk(tmp_path):
    """A queue whose store has no space left while the test says so."""
    path = tmp_path / "store.sqlite"
    store = Store(str(path))
    runs = [RunRecord(number, 1, 1, 1, 1, 0) for number in (1, 2, 3)]
    store.runs.add(runs)
    disk = Disk(store)
    disk.queue = RunQueue(store, Clock(), lambda run: run, disk.execute, disk.clean_up)
    disk.queue.store_retry_seconds = 0.01
    for run in runs:
        disk.queue.submit(run)
    yield disk
    disk.free()
    await disk.queue.stop()
    store.close()


class Disk:
    """A limit of SQLite makes it report a full disk."""

    fills_before_end = False

    def __init__(self, store):
        self.store, self._database = store, store.runs._database
        self.executed, self.may_end, self.ended = asyncio.Queue(), asyncio.Semaphore(0), asyncio.Queue()

    def fill(self):
        (pages,) = self._database.execute("PRAGMA page_count").fetchone()
        self._database.execute(f"PRAGMA max_page_count = {pages}")

    def free(self):
        self._database.execute("PRAGMA max_page_count = 1000000")

    async def execute(self, run, observer, cancelled):
        observer.starting()
        observer.step_started(1, "Invoke dbt with `dbt build`", "dbt build")
        self.executed.put_nowait(run.id)
        await self.may_end.acquire()
        observer.step_log(1, "x" * 100_000)
        observer.step_finished(1, 10)
        if self.fills_before_end:
            self.fill()
        return Outcome(10, "x" * 100_000)

    async def clean_up(self, _):
        self.ended.put_nowait(None)


async def test_a_full_disk_fails_a_run_and_does_not_stop_the_queue(disk):
    async with asyncio.timeout(WAIT):
        assert await disk.executed.get() == 1
        disk.fill()
        disk.may_end.release()
        await disk.ended.get()
        failed, (step,) = disk.store.runs.get(1), disk.store.steps.for_run(1)
        assert (failed.outcome, step.status) == (20, 20)
        assert failed.message.endswith("database or disk is full")

        assert await disk.executed.get() == 2
        disk.free()
        disk.may_end.release()
        await disk.ended.get()
        assert disk.store.runs.get(2).outcome == 10


class Reported(logging.Handler):
    """Sets an event when something is logged."""

    def __init__(self, event):
        super().__init__()
        self._event = event

    def emit(self, _):
        self._event.set()


async def test_the_end_of_a_run_is_stored_once_the_disk_has_space(disk, caplog):
    disk.fills_before_end, reported = True, asyncio.Event()
    logger, handler = logging.getLogger(RunQueue.__module__), Reported(reported)
    logger.addHandler(handler)
    async with asyncio.timeout(WAIT):
        assert await disk.executed.get() == 1
        disk.may_end.release()
        await reported.wait()
        logger.removeHandler(handler)
        assert disk.store.runs.get(1).outcome is None
        disk.free()
        await disk.ended.get()
        assert disk.store.runs.get(1).outcome == 10
        assert await disk.executed.get() == 2
    assert caplog.text.count("its end cannot be stored yet") == 1
