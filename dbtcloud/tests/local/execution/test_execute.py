import asyncio
import json
import socket
import subprocess
import time
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from dbtcloud.core.source import ProjectSource
from dbtcloud.local.execution.execute import Outcome, RunPlan, execute
from dbtcloud.local.model.run_plan import ProjectSetup

pytestmark = pytest.mark.dbt

BAKERY = Path(str(files("dbtcloud.local") / "sample"))
REHEARSAL = "--vars 'rehearsal: true'"
PRELUDE = ["Clone git repository", "Create profile from connection DuckDB"]


@dataclass
class Record:
    """Keeps what an execution tells, and cancels it when a word comes up in a log."""

    cancel_at: str = ""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled_at: float = 0.0
    events: list[Any] = field(default_factory=list)
    logs: dict[int, str] = field(default_factory=dict)

    def starting(self) -> None:
        self.events.append(2)

    def running(self) -> None:
        self.events.append(3)

    def checked_out(self, branch: str | None, sha: str) -> None:
        self.events.append((branch, sha))

    def step_started(self, index: int, name: str, command: str | None) -> None:
        self.events.append((index, name, command))
        self.logs[index] = ""

    def step_log(self, index: int, text: str) -> None:
        self.logs[index] += text
        if self.cancel_at and self.cancel_at in text:
            self.cancelled_at = time.monotonic()
            self.cancelled.set()

    def step_finished(self, index: int, status: int) -> None:
        self.events.append((index, status))

    @property
    def steps(self) -> dict[str, int]:
        """Name -> status of the steps that finished."""
        names = {event[0]: event[1] for event in self.events if isinstance(event, tuple) and len(event) == 3}
        ends = [event for event in self.events if isinstance(event, tuple) and len(event) == 2]
        return {names[index]: status for index, status in ends}


async def run(plan: RunPlan, cancel_at: str = "") -> tuple[Outcome, Record]:
    record = Record(cancel_at)
    return await execute(plan, record, record.cancelled), record


def artifact(plan: RunPlan, path: str) -> Any:
    return json.loads((plan.run_dir / path).read_text())


def results(plan: RunPlan, path: str = "target/run_results.json") -> dict[str, str]:
    """The last part of each node's id -> its status."""
    return {result["unique_id"].split(".")[2]: result["status"] for result in artifact(plan, path)["results"]}


def listing(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def plan_in(folder: Path) -> RunPlan:
    """The plan of a run of the sample project whose files are all in one folder."""
    return RunPlan(
        run_id=101,
        job_id=1,
        project_id=11,
        account_id=1,
        environment_id=21,
        setup=ProjectSetup(ProjectSource(folder=BAKERY)),
        work_dir=folder / "environment",
        run_dir=folder / "run",
        steps=("dbt build",),
        generate_docs=False,
        target_name="prod",
        schema=None,
        threads=None,
        timeout_seconds=0,
        retry_of=None,
    )


@pytest.fixture
def plan(tmp_path: Path) -> RunPlan:
    return plan_in(tmp_path)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunPlan, Outcome, Record]:
    """A finished run that failed at its first command, for tests that read it or retry it."""
    steps = (f"dbt build --select +tag:broken {REHEARSAL}", "dbt test")
    plan = replace(plan_in(tmp_path_factory.mktemp("broken")), steps=steps, generate_docs=True)
    return plan, *asyncio.run(run(plan))


@pytest.fixture
def oven(tmp_path: Path) -> Path:
    """A dbt project of one model."""
    project = tmp_path / "oven"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: oven\nprofile: somewhere_else\n")
    (project / "models" / "bread.sql").write_text("select 250 as heat\n")
    return project


async def test_a_build_writes_real_artifacts(plan):
    steps = ("dbt build --exclude tag:slow",)
    sources = listing(BAKERY)
    plan = replace(plan, steps=steps, generate_docs=True)
    outcome, record = await run(plan)

    assert outcome == Outcome(10, None)
    build, docs = f"Invoke dbt with `{steps[0]}`", "Invoke dbt with `dbt docs generate`"
    assert record.events == [
        *(2, 3),
        *((1, PRELUDE[0], None), (1, 10)),
        *((2, PRELUDE[1], None), (2, 10)),
        *((3, build, steps[0]), (3, 10)),
        *((4, docs, "dbt docs generate"), (4, 10)),
    ]
    built = results(plan, "steps/3/run_results.json")
    assert {"sales", "stg_sales", "daily_takings", "shop_league"} <= built.keys()
    assert set(built.values()) == {"success", "pass", "no-op"}
    assert "Done. PASS=" in record.logs[3]
    assert artifact(plan, "target/catalog.json")["nodes"]["model.bakery.shop_league"]
    assert artifact(plan, "target/run_results.json")["args"]["which"] == "generate"
    assert artifact(plan, "target/manifest.json")["metadata"]["env"] == {
        "DBT_CLOUD_RUN_ID": "101",
        "DBT_CLOUD_JOB_ID": "1",
        "DBT_CLOUD_PROJECT_ID": "11",
        "DBT_CLOUD_ACCOUNT_ID": "1",
        "DBT_CLOUD_ENVIRONMENT_ID": "21",
    }
    assert listing(BAKERY) == sources


def test_a_run_ends_at_the_first_failed_step(broken):
    plan, outcome, record = broken

    failing = f"Invoke dbt with `dbt build --select +tag:broken {REHEARSAL}`"
    assert outcome == Outcome(20, f"Step 3, {failing}, ended with exit code 1.")
    assert record.steps == {PRELUDE[0]: 10, PRELUDE[1]: 10, failing: 20}
    found = results(plan)
    assert found["burnt_batches"] == "error"
    assert found["burnt_losses"] == "skipped"
    assert found["no_sale_on_a_sunday"] == "fail"
    assert found["stg_products"] == "success"


async def test_a_second_build_succeeds_and_parses_less(plan, tmp_path):
    plan = replace(plan, steps=(f"dbt build --select +tag:flaky {REHEARSAL}",))
    first, first_record = await run(plan)
    again = replace(plan, run_dir=tmp_path / "again")
    second, second_record = await run(again)

    assert (first.status, second.status) == (20, 10)
    assert "The flour supplier did not answer" in first_record.logs[3]
    assert results(plan)["flour_costs"] == "skipped"
    assert results(again)["flour_costs"] == "success"
    assert "Starting full parse" in first_record.logs[3]
    assert "partial pars" not in second_record.logs[3].lower()


async def test_a_retry_starts_at_the_failed_step(plan, tmp_path):
    chain = ("dbt seed", f"dbt build --select +tag:flaky {REHEARSAL}", "dbt ls --resource-type seed")
    plan = replace(plan, steps=chain)
    first, _ = await run(plan)
    retry = replace(plan, run_dir=tmp_path / "retry", retry_of=plan.run_dir)
    second, record = await run(retry)

    assert (first.status, second.status) == (20, 10)
    assert list(record.steps) == [
        *PRELUDE,
        "Invoke dbt with `dbt retry`",
        "Invoke dbt with `dbt ls --resource-type seed`",
    ]
    assert set(results(retry, "steps/3/run_results.json").values()) == {"success", "pass"}
    assert set(results(retry, "steps/3/run_results.json")) == {
        "flour_deliveries",
        "flour_costs",
        "unique_flour_deliveries_product_id",
    }


async def test_a_retry_that_fails_can_be_retried(broken, tmp_path):
    plan, _, _ = broken
    retry = replace(plan, run_dir=tmp_path / "retry", retry_of=plan.run_dir)
    await run(retry)
    again = replace(plan, run_dir=tmp_path / "again", retry_of=retry.run_dir)
    outcome, _ = await run(again)

    assert outcome.status == 20
    assert results(again) == {
        "burnt_batches": "error",
        "burnt_losses": "skipped",
        "no_sale_on_a_sunday": "fail",
    }


async def test_the_log_of_a_project_that_does_not_compile_says_why(plan, tmp_path):
    command = """dbt build --vars '{"forget_the_yeast": true}'"""
    plan = replace(plan, steps=(command,))
    outcome, record = await run(plan)

    assert outcome.status == 20
    assert "depends on a node named 'yeast' which was not found" in record.logs[3]
    assert not (plan.run_dir / "target" / "run_results.json").exists()

    retry = replace(plan, run_dir=tmp_path / "retry", retry_of=plan.run_dir)
    _, record = await run(retry)
    assert f"Invoke dbt with `{command}`" in record.steps


async def test_a_cancelled_run_ends_in_seconds_with_the_results_so_far(plan, tmp_path):
    command = "dbt build --select +tag:slow --vars '{oven_seconds: 100}'"
    plan = replace(plan, steps=(command,), generate_docs=True)
    outcome, record = await run(plan, cancel_at="START sql table model prod.oven_endurance")
    took = time.monotonic() - record.cancelled_at

    assert outcome == Outcome(30, "Cancelled by user.")
    assert took < 50
    assert record.steps[f"Invoke dbt with `{command}`"] == 30
    assert "Invoke dbt with `dbt docs generate`" not in record.steps
    assert results(plan)["stg_products"] == "success"
    assert "oven_endurance" not in results(plan)

    after = replace(
        plan, steps=("dbt build --select stg_products",), run_dir=tmp_path / "after", generate_docs=False
    )
    assert (await run(after))[0].status == 10


async def test_a_run_beyond_its_time_limit_is_cancelled_in_dbt_clouds_words(plan):
    plan = replace(plan, steps=("dbt build --select +tag:slow",), timeout_seconds=5)
    outcome, record = await run(plan)

    assert outcome == Outcome(
        30,
        "This run timed out after running for 5 seconds, which exceeded the configured timeout of 5 seconds.",
    )
    assert record.events[-1] == (3, 30)


async def test_a_run_that_is_cancelled_before_its_start_runs_no_dbt(plan):
    record = Record()
    record.cancelled.set()

    assert await execute(plan, record, record.cancelled) == Outcome(30, "Cancelled by user.")
    assert not plan.run_dir.exists()


async def test_target_schema_and_threads_reach_dbt(plan, oven):
    plan = replace(
        plan,
        setup=ProjectSetup(ProjectSource(folder=oven)),
        target_name="staging",
        schema="tryout",
        threads=3,
    )
    _, record = await run(plan)

    assert "Concurrency: 3 threads (target='staging')" in record.logs[3]
    assert artifact(plan, "target/manifest.json")["nodes"]["model.oven.bread"]["schema"] == "tryout"


async def test_a_branch_of_a_folder_outside_of_git_is_logged_and_has_no_effect(plan, oven):
    setup = ProjectSetup(ProjectSource(folder=oven), has_revisions=False)
    outcome, record = await run(replace(plan, setup=setup, git_branch="main", steps=("dbt ls",)))

    assert outcome.status == 10
    assert "The requested branch or commit has no effect" in record.logs[1]


async def test_an_unknown_branch_fails_the_clone_step(plan, oven):
    outcome, record = await run(
        replace(plan, setup=ProjectSetup(ProjectSource(folder=oven)), git_branch="main")
    )

    assert outcome.status == 20
    assert "is not in a git repository" in outcome.message
    assert record.steps == {PRELUDE[0]: 20}


async def test_an_unsupported_version_of_dbt_fails_before_the_clone_step(plan):
    outcome, record = await run(replace(plan, dbt_version="1.4.0-latest"))

    assert outcome.message.startswith("dbt 1.4.0-latest is not supported")
    assert record.steps == {"Prepare dbt": 20}


async def test_packages_are_installed_first(plan, oven, tmp_path):
    spices = tmp_path / "spices"
    (spices / "models").mkdir(parents=True)
    (spices / "dbt_project.yml").write_text("name: spices\n")
    (spices / "models" / "anise.sql").write_text("select 1 as gram\n")
    (oven / "packages.yml").write_text(json.dumps({"packages": [{"local": str(spices)}]}))

    plan = replace(plan, setup=ProjectSetup(ProjectSource(folder=oven)))
    _, record = await run(plan)

    assert list(record.steps) == [*PRELUDE, "Invoke dbt with `dbt deps`", "Invoke dbt with `dbt build`"]
    assert results(plan) == {"anise": "success", "bread": "success"}


WAREHOUSE = {
    "type": "duckdb",
    "path": "{{ env_var('DBT_WAREHOUSE', 'data/warehouse.duckdb') }}",
    "attach": [{"path": "raw.duckdb", "alias": "raw"}],
}
PROJECT = {
    "name": "oven",
    "profile": "oven",
    "model-paths": ["models", "linked"],
    "macro-paths": ["../shared_macros"],
    "on-run-start": ["create table if not exists raw.main.flour as select 1 as grams"],
}
BREAD = """
{{ config(materialized='external', location='bread.parquet') }}
select {{ one() }} as loaves from raw.main.flour cross join {{ ref('anise') }}
"""


@pytest.fixture
def relative(oven) -> Path:
    """A project full of relative paths, beside its packages, macros and models."""
    beside = oven.parent
    (beside / "spices" / "models").mkdir(parents=True)
    (beside / "spices" / "dbt_project.yml").write_text("name: spices\n")
    (beside / "spices" / "models" / "anise.sql").write_text("select 1 as gram\n")
    (beside / "shared_macros").mkdir()
    (beside / "shared_macros" / "one.sql").write_text("{% macro one() %}1{% endmacro %}\n")
    (beside / "cakes").mkdir()
    (beside / "cakes" / "cake.sql").write_text("select * from read_csv('sugar.csv')\n")
    (oven / "linked").symlink_to("../cakes")
    (oven / "data").mkdir()
    (oven / "data" / ".keep").touch()
    (oven / "sugar.csv").write_text("sugar\n5\n")
    (oven / "packages.yml").write_text(json.dumps({"packages": [{"local": "../spices"}]}))
    (oven / "dbt_project.yml").write_text(json.dumps(PROJECT))
    (oven / "models" / "bread.sql").write_text(BREAD)
    profiles = {"oven": {"target": "prod", "outputs": {"prod": WAREHOUSE}}}
    (oven / "profiles.yml").write_text(json.dumps(profiles))
    return oven


CREATED = ("data/warehouse.duckdb", "raw.duckdb", "bread.parquet")


async def test_relative_paths_start_in_the_folder_of_the_user(plan, relative):
    before = set(listing(relative.parent))
    plan = replace(plan, setup=ProjectSetup(ProjectSource(folder=relative), uses_profile=True))
    outcome, record = await run(plan)

    assert outcome == Outcome(10, None), record.logs
    assert results(plan) == {
        "anise": "success",
        "bread": "success",
        "cake": "success",
        "oven-on-run-start-0": "success",
    }
    created = {path for path in listing(relative) if path not in before}
    assert created == {relative / name for name in CREATED}


def commit(folder: Path, *names: str) -> None:
    for words in (["init", "-q", "-b", "main"], ["add", *names], ["commit", "-qm", "all"]):
        command = ["git", "-c", "user.name=Baker", "-c", "user.email=baker@example.com", *words]
        subprocess.run(command, cwd=folder, check=True)


async def test_relative_paths_start_in_the_checkout_of_a_repository(plan, relative):
    top = relative.parent
    commit(top, "oven", "spices", "shared_macros", "cakes")
    source = ProjectSource(url=str(top), subdirectory="oven")
    plan = replace(plan, setup=ProjectSetup(source, uses_profile=True))
    outcome, record = await run(plan)

    assert outcome == Outcome(10, None), record.logs
    project = plan.work_dir / "revision" / "oven"
    assert all((project / name).exists() for name in CREATED)
    assert not any((relative / name).exists() for name in CREATED)


async def test_failing_docs_do_not_fail_the_run(plan, oven):
    refusing = "{% if flags.WHICH == 'generate' %}{{ exceptions.raise_compiler_error('no docs') }}{% endif %}"
    (oven / "models" / "bread.sql").write_text(f"{refusing}\nselect 250 as heat\n")
    outcome, record = await run(
        replace(plan, setup=ProjectSetup(ProjectSource(folder=oven)), generate_docs=True)
    )

    assert outcome == Outcome(10, None)
    assert record.steps["Invoke dbt with `dbt docs generate`"] == 20


async def test_a_step_that_is_not_a_dbt_command_is_refused(plan, oven):
    outcome, record = await run(
        replace(plan, setup=ProjectSetup(ProjectSource(folder=oven)), steps=("rm -rf models",))
    )

    assert outcome.status == 20
    assert outcome.message.startswith("The step 'rm -rf models' cannot be run")
    assert outcome.message in record.logs[3]


async def test_a_retry_repeats_a_step_that_failed_before_dbt_started(plan, oven, tmp_path):
    plan = replace(plan, setup=ProjectSetup(ProjectSource(folder=oven)), steps=("dbt build", "bake bread"))
    await run(plan)
    retry = replace(plan, run_dir=tmp_path / "retry", retry_of=plan.run_dir, steps=("dbt build", "dbt ls"))
    outcome, record = await run(retry)

    assert outcome.status == 10
    assert list(record.steps) == [*PRELUDE, "Invoke dbt with `dbt ls`"]


async def test_a_retry_has_the_commands_of_its_run_although_the_job_has_others(plan, oven, tmp_path):
    (oven / "models" / "bread.sql").write_text("select no_such_thing")
    plan = replace(plan, setup=ProjectSetup(ProjectSource(folder=oven)), steps=("dbt ls", "dbt run"))
    assert (await run(plan))[0].status == 20
    retry = replace(plan, run_dir=tmp_path / "retry", retry_of=plan.run_dir, steps=("dbt ls",))
    outcome, record = await run(retry)

    assert outcome.status == 20
    assert list(record.steps) == [*PRELUDE, "Invoke dbt with `dbt retry`"]


async def test_a_run_can_be_cancelled_while_git_fetches(plan, tmp_path):
    record = Record()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"git://127.0.0.1:{silent.getsockname()[1]}/oven.git"
        running = asyncio.create_task(
            execute(replace(plan, setup=ProjectSetup(ProjectSource(url=url))), record, record.cancelled)
        )
        await asyncio.to_thread(silent.accept)  # git has begun to ask
        record.cancelled.set()

        assert await running == Outcome(30, "Cancelled by user.")
    assert record.steps == {PRELUDE[0]: 30}


async def test_a_folder_without_a_dbt_project_fails_the_clone_step(plan, tmp_path):
    (tmp_path / "empty").mkdir()
    outcome, record = await run(replace(plan, setup=ProjectSetup(ProjectSource(folder=tmp_path / "empty"))))

    assert outcome.message.startswith(f"There is no dbt project in {tmp_path / 'empty'}")
    assert record.steps == {PRELUDE[0]: 20}


async def test_an_environment_that_cannot_be_created_is_in_outcome_and_log(plan, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DBTCLOUD_HOME", str(tmp_path / "file"))
    outcome, record = await run(plan)

    assert outcome.status == 20
    assert "could not be created" in outcome.message
    assert outcome.message in record.logs[1]
    assert record.events[-1] == (1, 20)


async def test_a_run_can_be_cancelled_while_its_environment_is_created(plan, tmp_path, monkeypatch):
    record = Record()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DBTCLOUD_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        running = asyncio.create_task(execute(plan, record, record.cancelled))
        await asyncio.to_thread(silent.accept)  # the installer has begun to ask
        record.cancelled.set()

        assert await running == Outcome(30, "Cancelled by user.")
    assert record.events == [2]
