"""The applied state, the definition, and what a single run made of the project."""

import pytest

from dbtcloud.local.discovery.repository import MAX_RUNS
from shop_artifacts import HISTORY, ORDERS, PRICES, RAW, STAGED, UNIQUE, good, manifest, result, results

EXECUTION = (
    "uniqueId executionInfo { lastRunId lastRunStatus lastRunError lastSuccessRunId executeCompletedAt }"
)


def names(nodes):
    return [node["uniqueId"] for node in nodes]


def test_an_environment_without_runs_is_empty(shop):
    assert shop.applied("lastUpdatedAt models { totalCount edges { node { name } } }") == {
        "lastUpdatedAt": None,
        "models": {"totalCount": 0, "edges": []},
    }
    assert shop.ask("{ environment(id: 1) { dbtProjectName adapterType } }")["environment"] == {
        "dbtProjectName": None,
        "adapterType": None,
    }


def test_the_project_is_told_by_its_manifest(shop):
    shop.built()
    assert shop.ask("{ environment(id: 1) { dbtProjectName adapterType } }")["environment"] == {
        "dbtProjectName": "shop",
        "adapterType": "duckdb",
    }


def test_the_definition_holds_everything_and_the_applied_state_what_was_executed(shop):
    shop.ran(manifest=manifest(), run_results=results(result(PRICES), result(STAGED)))
    assert names(shop.nodes("uniqueId", state="definition")) == [ORDERS, STAGED]
    assert names(shop.nodes("uniqueId")) == [STAGED]
    assert names(shop.nodes("uniqueId", "seeds")) == [PRICES]
    assert shop.nodes("uniqueId", "tests") == shop.nodes("uniqueId", "snapshots") == []
    assert names(shop.nodes("uniqueId", "sources")) == [RAW]


def test_runs_of_different_jobs_add_up(shop):
    first = shop.ran(90, manifest=manifest(), run_results=results(result(PRICES), result(STAGED)))
    second = shop.ran(60, manifest=manifest(), run_results=results(result(ORDERS)))
    runs = {node["uniqueId"]: node["executionInfo"]["lastRunId"] for node in shop.nodes(EXECUTION)}
    assert runs == {STAGED: first, ORDERS: second}


def test_a_failed_run_is_the_last_and_keeps_the_last_good_one(shop):
    built = shop.built(90)
    failed = shop.ran(
        60,
        manifest=manifest(),
        run_results=results(result(ORDERS, "error", message="No such column", timing=[])),
    )
    (orders, _) = shop.nodes(EXECUTION)
    assert orders["executionInfo"] == {
        "lastRunId": failed,
        "lastRunStatus": "error",
        "lastRunError": "No such column",
        "lastSuccessRunId": built,
        "executeCompletedAt": "2026-02-03T04:05:07.250Z",
    }


def test_the_applied_code_is_that_of_the_last_good_run_and_the_definition_the_newest(shop):
    shop.built(90)
    changed = manifest(orders={"raw_code": "select 2"})
    shop.ran(60, manifest=changed, run_results=results(result(ORDERS, "error")))
    assert shop.nodes("rawCode", filter=f'{{uniqueIds: "{ORDERS}"}}') == [{"rawCode": "select 'orders'"}]
    only = {"state": "definition", "filter": f'{{uniqueIds: ["{ORDERS}"]}}'}
    assert shop.nodes("rawCode", **only) == [{"rawCode": "select 2"}]
    shop.ran(30, manifest=changed, run_results=results(result(ORDERS)))
    assert shop.nodes("rawCode", filter=f'{{uniqueIds: "{ORDERS}"}}') == [{"rawCode": "select 2"}]


def test_what_left_the_project_has_left_both_states(shop):
    shop.built(90)
    smaller = manifest()
    del smaller["nodes"][ORDERS], smaller["nodes"][HISTORY]
    shop.ran(60, manifest=smaller, run_results=results(result(STAGED)))
    assert names(shop.nodes("uniqueId")) == names(shop.nodes("uniqueId", state="definition")) == [STAGED]


def test_a_run_that_was_seeded_into_the_past_is_taken_in_its_place(shop):
    newest = shop.built(60)
    assert shop.nodes(EXECUTION)[0]["executionInfo"]["lastRunId"] == newest
    shop.ran(90, manifest=manifest(), run_results=results(result(ORDERS, "error")))
    assert shop.nodes(EXECUTION)[0]["executionInfo"]["lastRunId"] == newest


def test_a_run_counts_once_it_has_finished(shop):
    artifacts = {"manifest.json": manifest(), "run_results.json": good()}
    job = shop.api.job({"running": 60, "artifacts": artifacts})
    run = shop.api.start(job)["id"]
    assert shop.nodes("uniqueId") == []
    shop.api.control.advance(61)
    assert {node["executionInfo"]["lastRunId"] for node in shop.nodes(EXECUTION)} == {run}


def test_results_of_writing_docs_do_not_hide_those_of_the_build(shop):
    compiled = results(result(ORDERS, "success", execution_time=0.1), which="generate")
    shop.ran(
        manifest=manifest(),
        run_results=compiled,
        steps__3__run_results=results(result(ORDERS, "error")),
        steps__4__run_results=compiled,
    )
    assert shop.nodes("executionInfo { lastRunStatus executionTime }") == [
        {"executionInfo": {"lastRunStatus": "error", "executionTime": 1.5}}
    ]


def test_a_later_step_of_a_run_goes_before_an_earlier(shop):
    shop.ran(
        manifest=manifest(),
        steps__3__run_results=results(result(ORDERS, "error")),
        steps__10__run_results=results(result(ORDERS)),
    )
    assert shop.nodes("executionInfo { lastRunStatus }") == [{"executionInfo": {"lastRunStatus": "success"}}]


def test_history_is_newest_first_and_as_long_as_asked_for(shop):
    runs = [shop.built(age) for age in (90, 80, 70)]
    asked = f'modelHistoricalRuns(uniqueId: "{ORDERS}", lastRunCount: 2) {{ runId status runGeneratedAt }}'
    found = shop.applied(asked)["modelHistoricalRuns"]
    assert [past["runId"] for past in found] == [runs[2], runs[1]]
    assert found[0]["runGeneratedAt"] == "2026-02-03T04:06:00.000Z"


def test_history_ends_at_twenty_runs(shop):
    for age in range(25):
        shop.built(100 - age)
    counted = 'modelHistoricalRuns(identifier: "orders", lastRunCount: 20) { status }'
    assert len(shop.applied(counted)["modelHistoricalRuns"]) == 20
    refused = shop.post(
        "{ environment(id: 1) { applied { modelHistoricalRuns(lastRunCount: 21) { status } } } }"
    )
    assert "Give 1 to 20" in refused.json()["errors"][0]["message"]


def test_a_run_of_a_job_is_asked_about_by_its_id_or_is_the_newest(shop):
    first = shop.built(90)
    second = shop.ran(60, manifest=manifest(), run_results=results(result(ORDERS, "skipped")))
    asked = "runId models { name status skip executionTime dependsOn }"
    assert shop.run(asked)["runId"] == second
    assert [model["status"] for model in shop.run(asked)["models"]] == ["skipped", None]
    earlier = shop.run(asked, first)
    assert earlier["runId"] == first
    assert earlier["models"][0] == {
        "name": "orders",
        "status": "success",
        "skip": False,
        "executionTime": 1.5,
        "dependsOn": [STAGED],
    }


def test_tests_of_a_run_say_whether_they_failed_or_warned(shop):
    shop.ran(manifest=manifest(), run_results=results(result(UNIQUE, "fail", message="Got 3 results")))
    (found,) = shop.run("tests { name status state fail warn error columnName dependsOn }")["tests"]
    assert found == {
        "name": "unique_orders_id",
        "status": "fail",
        "state": "fail",
        "fail": True,
        "warn": False,
        "error": "Got 3 results",
        "columnName": "id",
        "dependsOn": [ORDERS],
    }


@pytest.mark.parametrize(("written", "shown"), [("Reused", "reused"), ("NoOp", "no-op")])
def test_what_dbt_state_saved_is_good_and_no_error(shop, written, shown):
    run = shop.ran(
        manifest=manifest(), run_results=results(result(ORDERS, written, message="No changes upstream"))
    )
    (found,) = shop.nodes("executionInfo { lastRunStatus lastRunError lastSuccessRunId }")
    assert found["executionInfo"] == {
        "lastRunStatus": shown,
        "lastRunError": None,
        "lastSuccessRunId": run,
    }


def test_artifacts_of_another_make_leave_the_rest_untouched(shop):
    built = shop.built(90)
    shop.ran(60, manifest={"nodes": {"x": 7}}, run_results=good())
    shop.ran(50, manifest="not JSON", run_results="[]", catalog="{")
    assert {node["executionInfo"]["lastRunId"] for node in shop.nodes(EXECUTION)} == {built}
    assert shop.run("models { name }")["models"] == []


def test_a_reset_forgets_what_was_read(shop):
    shop.built()
    assert shop.nodes("name")
    shop.api.control.reset()
    assert shop.nodes("name") == []


def test_a_node_that_was_executed_before_the_oldest_run_in_view_is_still_applied(shop):
    early = shop.ran(200, manifest=manifest(), run_results=results(result(ORDERS)))
    assert names(shop.nodes("uniqueId")) == [ORDERS]
    for age in range(MAX_RUNS + 5):
        shop.ran(100 - age, manifest=manifest(), run_results=results(result(STAGED)))
        if age % 10 == 0:
            shop.nodes("uniqueId")
    executed = {node["uniqueId"]: node["executionInfo"]["lastRunId"] for node in shop.nodes(EXECUTION)}
    assert executed[ORDERS] == early
