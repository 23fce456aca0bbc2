"""Seeding and resetting."""

import time

import pytest

from dbtcloud.local.server.in_thread import LocalDbtCloud


def test_a_new_server_holds_the_bakery_and_its_six_jobs(api):
    assert [account["name"] for account in api.get("/api/v2/accounts/")] == ["Local"]
    assert [project["name"] for project in api.get("/api/v3/accounts/1/projects/")] == ["Sample bakery"]
    assert [(job["id"], job["environment_id"]) for job in api.get("jobs/")] == [
        (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 2),
    ]  # fmt: skip


def test_ten_thousand_runs_come_in_one_call_and_pages_stay_quick(api):
    begin = time.monotonic()
    document = {"runs": [{"job_id": api.job(), "count": 10_000, "age": 20_000, "every": 1}]}
    ids = api.ask("/_local/seed", "POST", json=document).json()["runs"]
    assert time.monotonic() - begin < 5
    assert len(set(ids)) == 10_000
    begin = time.monotonic()
    page = api.get("runs/", order_by="-finished_at", status__in="[10,20,30]")
    assert [run["id"] for run in page] == sorted(ids, reverse=True)[:100]
    assert time.monotonic() - begin < 1


def test_seeded_runs_have_the_given_age(api):
    spaced = {"job_id": api.job(), "count": 3, "age": 100, "every": 50, "pretend": {"running": 60}}
    ids = api.control.seed(runs=[spaced])["runs"]
    assert [api.get(f"runs/{run}/")["status"] for run in ids] == [10, 3, 3]


def test_seeded_runs_may_have_ids_and_triggers_of_their_own(api):
    trigger = {"cause": "By hand [af:1]", "git_branch": "main"}
    assert api.control.seed(runs=[{"id": 42, "count": 2, "trigger": trigger}])["runs"] == [42, 43]
    assert api.get("runs/42/", include_related="trigger")["trigger"]["cause"] == "By hand [af:1]"


def test_resetting_brings_the_new_server_back(api):
    api.start(api.job())
    api.control.advance(1_000)
    api.control.add_fault("status")
    api.control.limit_rate(0)
    api.ask("/_local/reset", "POST")
    assert api.get("runs/") == []
    assert len(api.get("jobs/")) == 6
    assert api.control.counters()["runs_created"] == 0


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"job": []}, "The seed document has no job."),
        ({"jobs": [{"id": 7}]}, "needs name"),
        ({"jobs": [{"name": "x", "steps": []}]}, "A seeded job has no steps."),
        ({"jobs": [{"name": "x", "pretend": {"outcome": 1}}]}, "not 1"),
        ({"runs": [{"job_id": 99}]}, "names job 99"),
        ({"runs": [{"counts": 2}]}, "A seeded run has no counts."),
        ({"runs": [{"count": "2"}]}, "count of a seeded run is '2'. It has to be a whole number."),
        ({"jobs": [{"name": "x", "execute_steps": "dbt build"}]}, "It has to be a list."),
        ({"jobs": [{"name": "x", "environment_id": "prod"}]}, "It has to be a whole number."),
        ({"jobs": {"name": "x"}}, "jobs of the seed document is {'name': 'x'}. It has to be a list."),
        ([], "as an object"),
    ],
)
def test_a_wrong_seed_document_is_refused_with_the_reason(api, document, words):
    answer = api.ask("/_local/seed", "POST", json=document)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]


def test_ones_own_project_takes_the_place_of_the_sample_as_long_as_it_is_given(client_of, tmp_path):
    plans = []

    async def note(plan, observer, cancelled):
        plans.append(plan)
        raise RuntimeError("seen")

    file = tmp_path / "state.sqlite"
    for project_dir in (tmp_path, None):
        with LocalDbtCloud(project_dir=project_dir, store=file, execute=note) as server:
            client_of(server).start(1)
    assert plans[0].setup.source.folder == tmp_path
    assert plans[1].setup.source.folder.name == "sample"


def test_a_webhook_can_be_seeded(api):
    hook = {"name": "Mine", "client_url": "http://127.0.0.1:9/hook", "job_ids": [1], "secret": "hush"}
    first, second = api.control.seed(webhooks=[hook, {**hook, "event_types": ["job.run.errored"]}])[
        "webhooks"
    ]
    listed = api.get("/api/v3/accounts/1/webhooks/subscriptions")
    assert [
        (int(each["id"].removeprefix("wsu_")), each["name"], each["active"], each["job_ids"])
        for each in listed
    ] == [
        (first, "Mine", True, ["1"]),
        (second, "Mine", True, ["1"]),
    ]
    assert [len(each["event_types"]) for each in listed] == [3, 1]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"client_url": "ftp://127.0.0.1/"}, "is not an http or https URL"),
        ({"event_types": ["job.run.baked"]}, "event_types of a seeded webhooksubscription.*one or more of"),
        ({"client_url": 7}, "It has to be a text"),
    ],
)
def test_the_error_for_an_invalid_webhook_names_the_field(api, fields, reason):
    with pytest.raises(ValueError, match=reason):
        api.control.seed(webhooks=[{"name": "Mine", "client_url": "http://127.0.0.1:9/", **fields}])
