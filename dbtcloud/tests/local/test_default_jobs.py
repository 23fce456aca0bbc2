"""The jobs that a new server holds do what their descriptions say, with real dbt."""

import pytest

from dbtcloud.local.server.in_thread import LocalDbtCloud

pytestmark = pytest.mark.dbt

DAILY, SLOW, FLAKY, FAILING, UNCOMPILED, STAGING = range(1, 7)


@pytest.fixture(scope="module")
def bakery():
    with LocalDbtCloud() as server:
        yield server


@pytest.fixture
def run(bakery, client_of, eventually):
    """Runs a job, or takes up a run, to its end and returns it with its steps."""
    client = client_of(bakery)

    def finish(path, **body):
        started = client.post(path, **body)["id"]
        eventually(lambda: client.get(f"runs/{started}/")["is_complete"], seconds=120)
        return client.get(f"runs/{started}/", include_related="run_steps")

    return finish


def results(client, run):
    answer = client.ask(f"runs/{run['id']}/artifacts/run_results.json").json()
    return {result["unique_id"].split(".")[2]: result["status"] for result in answer["results"]}


def test_the_daily_build_succeeds_and_writes_the_docs(bakery, client_of, run):
    client, built = client_of(bakery), run(f"jobs/{DAILY}/run/", cause="A test")
    assert (built["status"], built["has_docs_generated"]) == (10, True)
    assert [step["status"] for step in built["run_steps"]] == [10] * 4
    assert built["run_steps"][-1]["name"] == "Invoke dbt with `dbt docs generate`"
    assert "daily_takings" in client.ask(f"runs/{built['id']}/artifacts/catalog.json").text
    metadata = client.ask(f"runs/{built['id']}/artifacts/manifest.json").json()["metadata"]
    assert metadata["env"]["DBT_CLOUD_RUN_ID"] == str(built["id"])
    related = client.get(f"runs/{built['id']}/", include_related="run_steps,debug_logs")
    logs, debug_logs = (related["run_steps"][-1][kind] for kind in ("logs", "debug_logs"))
    assert "[debug]" in debug_logs
    assert "[debug]" not in logs


@pytest.mark.extensive
def test_everything_can_be_built(bakery, client_of, run):
    steps = ["dbt build --select fqn:* --vars 'oven_seconds: 0'"]
    built = run(f"jobs/{STAGING}/run/", cause="A test", steps_override=steps)
    assert built["status"] == 10, built["run_steps"][-1]["logs"]
    assert "oven_endurance" in results(client_of(bakery), built)


def test_the_flaky_build_fails_and_its_retry_passes(bakery, client_of, run):
    client, failed = client_of(bakery), run(f"jobs/{FLAKY}/run/", cause="A test")
    assert (failed["status"], failed["can_retry"]) == (20, True)
    retried = run(f"runs/{failed['id']}/retry/")
    assert (retried["status"], retried["retrying_run_id"]) == (10, failed["id"])
    assert len(results(client, retried)) < len(results(client, failed))


def test_the_failing_build_has_an_error_a_skip_and_a_failed_test(bakery, client_of, run):
    failed = run(f"jobs/{FAILING}/run/", cause="A test")
    assert (failed["status"], failed["run_steps"][-1]["status"]) == (20, 20)
    assert {"error", "skipped", "fail", "success"} <= set(results(client_of(bakery), failed).values())


def test_a_project_that_does_not_compile_ends_with_its_reason_in_the_log(run):
    failed = run(f"jobs/{UNCOMPILED}/run/", cause="A test")
    assert (failed["status"], failed["retry_not_supported_reason"]) == (20, "RETRY_NO_RUN_RESULTS")
    assert "Compilation Error" in failed["run_steps"][-1]["logs"]


def test_the_slow_build_is_cancelled_while_the_staging_build_goes_on(bakery, client_of, eventually):
    client = client_of(bakery)
    slow, staging = (client.start(job)["id"] for job in (SLOW, STAGING))
    eventually(lambda: "oven_endurance" in logs(client, slow), seconds=60)
    client.post(f"runs/{slow}/cancel/")
    eventually(lambda: client.get(f"runs/{slow}/")["status"] == 30)
    eventually(lambda: client.get(f"runs/{staging}/")["status"] == 10, seconds=60)


def logs(client, run):
    return "".join(
        step["logs"] for step in client.get(f"runs/{run}/", include_related="run_steps")["run_steps"]
    )
