"""Simulated runs, which follow a script by the clock."""

import pytest

from dbtcloud.local.orchestration.simulated_runs import Script


def test_a_run_passes_every_status_as_the_clock_moves(api):
    run = api.start(api.job())["id"]
    statuses = []
    for seconds in (0, 10.1, 5, 59, 2):
        api.control.advance(seconds)
        statuses.append(api.get(f"runs/{run}/")["status"])
    assert statuses == [1, 2, 3, 3, 10]


def test_the_flags_and_timestamps_of_a_run_follow_its_status(api):
    run = api.start(api.job())["id"]
    queued = api.get(f"runs/{run}/")
    api.control.advance(100)
    ended = api.get(f"runs/{run}/")
    assert (queued["in_progress"], queued["is_complete"], queued["finished_at"]) == (True, False, None)
    assert queued["finished_at_humanized"] == "0 minutes from now"
    assert (ended["in_progress"], ended["is_success"], ended["status_humanized"]) == (False, True, "Success")
    assert (ended["duration"], ended["queued_duration"], ended["run_duration"]) == (
        "00:01:15",
        "00:00:15",
        "00:01:00",
    )
    assert ended["duration_humanized"] == "1 minute, 15 seconds"
    assert ended["created_at"] < ended["dequeued_at"] < ended["started_at"] < ended["finished_at"]


def test_steps_start_one_after_the_other(api):
    run = api.start(api.job())["id"]
    seen = []
    for seconds in (14, 2, 5, 60):
        api.control.advance(seconds)
        steps = api.get(f"runs/{run}/", include_related="run_steps")["run_steps"]
        seen.append([(step["index"], step["status"]) for step in steps])
    assert seen == [[], [(1, 3)], [(1, 10), (2, 3)], [(1, 10), (2, 10)]]


def test_a_cancelled_run_and_its_step_end_at_once(api):
    run = api.start(api.job())["id"]
    api.control.advance(30)
    assert api.post(f"runs/{run}/cancel/")["status"] == 30
    api.control.advance(100)
    shown = api.get(f"runs/{run}/", include_related="run_steps")
    assert (shown["status"], shown["status_message"]) == (30, "Cancelled by user.")
    assert [step["status"] for step in shown["run_steps"]] == [10, 30]


def test_a_run_that_is_cancelled_in_the_queue_has_no_start(api):
    run = api.start(api.job())["id"]
    api.post(f"runs/{run}/cancel/")
    api.control.advance(100)
    shown = api.get(f"runs/{run}/")
    assert (shown["status"], shown["dequeued_at"], shown["started_at"]) == (30, None, None)
    assert shown["artifacts_saved"] is False


def test_cancelling_a_finished_run_changes_nothing(api):
    run = api.start(api.job({"outcome": 10}))["id"]
    assert api.post(f"runs/{run}/cancel/")["status"] == 10


def test_a_failed_run_has_its_message_only_after_the_failure(api):
    run = api.start(api.job({"running": 5, "outcome": 20, "message": "It broke."}))["id"]
    assert api.get(f"runs/{run}/")["status_message"] is None
    api.control.advance(6)
    shown = api.get(f"runs/{run}/")
    assert (shown["status"], shown["status_message"], shown["is_error"]) == (20, "It broke.", True)


def test_a_simulated_run_is_recognisable(api):
    assert api.start(api.job())["_local"] == {"pretended": True}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"runing": 1}, "has unknown keys runing"),
        ({"outcome": 3}, "10 .success., 20 .error. or 30"),
        ({"running": -1}, "seconds >= 0"),
        ({"steps": [{"name": "a", "outcome": 2}]}, "not 2"),
        ("quick", "Give an object"),
        ({"artifacts": ["run_results.json"]}, "'artifacts' is"),
    ],
)
def test_the_error_for_an_invalid_script_names_the_reason(script, words):
    with pytest.raises(ValueError, match=words):
        Script.parse(script)


@pytest.mark.parametrize(
    ("name", "outcome", "given", "there"),
    [
        ("Invoke dbt with `dbt build`", 10, {}, True),
        ("Invoke dbt with `dbt build`", 20, {}, False),
        ("Invoke dbt with `dbt deps`", 10, {}, False),
        ("Invoke dbt with `dbt build`", 20, {"run_results.json": {}}, True),
    ],
)
def test_a_successful_build_step_has_run_results(api, name, outcome, given, there):
    steps = [{"name": name, "outcome": outcome}]
    run = api.start(api.job({"outcome": outcome, "steps": steps, "artifacts": given}))["id"]
    assert ("run_results.json" in api.get(f"runs/{run}/artifacts/")) is there
