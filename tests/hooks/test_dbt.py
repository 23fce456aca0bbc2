"""What each verb of the hook does to a dbt Cloud."""

import asyncio
import json
from types import SimpleNamespace
from unittest import mock

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudApiException, DbtCloudResourceLookupError
from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from wires.raw import answer


def test_a_hook_may_be_made_positionally(monkeypatch, dbt_cloud):
    hook = DbtCloudHook("another", 5, 2, 0.5, None)
    assert (hook.dbt_cloud_conn_id, hook.timeout_seconds, hook.retry_limit) == ("another", 5, 2)
    assert DbtCloudHook().dbt_cloud_conn_id == "dbt_cloud_default"
    assert DbtCloudHook().connection.login == "1"
    assert DbtCloudHook().get_connection("dbt_cloud_default").host == dbt_cloud.url


PRETEND = {
    "outcome": 20,
    "message": "It broke.",
    "steps": [
        {"name": "Invoke dbt with `dbt build`", "outcome": 20, "logs": "Database Error in model orders"}
    ],
    "artifacts": {"run_results.json": {"results": [1]}, "compiled/shop/a b.sql": "select 1"},
}


@pytest.fixture
def job(dbt_cloud):
    return dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": PRETEND}])["jobs"][0]


@pytest.fixture
def run(hook, job):
    return hook.trigger_job_run(job, "a test").json()["data"]["id"]


def test_lists_are_pages_of_responses(hook, dbt_cloud, job):
    dbt_cloud.control.seed(runs=[{"job_id": job, "count": 101}])
    assert hook.list_accounts()[0].json()["data"][0]["id"] == 1
    assert hook.list_projects()[0].json()["data"][0]["name"] == "Sample bakery"
    assert hook.list_projects(1, "nothing like it")[0].json()["data"] == []
    assert hook.list_environments(1, name_contains="prod")[0].json()["data"][0]["name"] == "Production"
    assert [each["name"] for each in hook.list_jobs(None, "-id", 1, 1, "Night")[0].json()["data"]] == [
        "Nightly"
    ]
    runs = hook.list_job_runs(job_definition_id=job, order_by="-id", include_related=["trigger"])
    assert [len(page.json()["data"]) for page in runs] == [100, 1]
    assert runs[0].json()["data"][0]["trigger"]["cause"] == "Seeded"
    ids = [each["id"] for page in runs for each in page.json()["data"]]
    assert ids == sorted(ids, reverse=True)


def test_single_things_are_single_responses(hook, job, run):
    assert hook.get_account().json()["data"]["name"] == "Local"
    assert hook.get_project(1).json()["data"]["name"] == "Sample bakery"
    assert hook.get_environment(1, "2").json()["data"]["name"] == "Staging"
    assert hook.get_job("70").json()["data"]["name"] == "Nightly"
    assert hook.get_job_run(run, include_related=["run_steps"]).json()["data"]["run_steps"][0]["status"] == 20
    assert hook.get_job_run_status(run) == 20
    assert json.loads(hook.get_job_run(run).text)["data"]["id"] == run


def test_runs_are_read_by_a_payload(hook, job, run):
    payload = {
        "job_definition_id": job,
        "order_by": "-created_at",
        "limit": 1,
        "include_related": ["trigger"],
    }
    answer = hook.get_job_runs(payload=payload)
    assert answer.json()["data"][0]["trigger"]["cause"].startswith("a test [af:")
    assert hook.get_job_runs(payload={"status__in": [10, 30]}).json()["data"] == []
    assert len(hook.get_job_runs(payload={"status__in": "[20]"}).json()["data"]) == 1


def test_artifacts_are_read_as_they_are(hook, run):
    assert set(hook.list_job_run_artifacts(run)[0].json()["data"]) == set(PRETEND["artifacts"])
    assert hook.get_job_run_artifact(run, path="run_results.json", step=None).json() == {"results": [1]}
    assert hook.get_job_run_artifact(run, "compiled/shop/a b.sql").text == "select 1"


def test_a_run_is_started_with_what_is_given(hook, dbt_cloud, job):
    config = {"threads_override": 4, "cause": "theirs"}
    started = hook.trigger_job_run(job, "ours", None, ["dbt run"], "mine", additional_run_config=config)
    assert started.json()["data"]["status"] in {1, 20}
    (sent,) = [json.loads(each["body"]) for each in dbt_cloud.control.requests() if each["method"] == "POST"]
    assert sent.pop("cause").startswith("theirs [af:")
    assert sent == {"steps_override": ["dbt run"], "schema_override": "mine", "threads_override": 4}


def test_nothing_is_sent_for_overrides_that_are_none(hook, dbt_cloud, job):
    hook.trigger_job_run(job, cause="x", steps_override=None, additional_run_config=None)
    (sent,) = [each["body"] for each in dbt_cloud.control.requests() if each["method"] == "POST"]
    assert set(json.loads(sent)) == {"cause"}


def test_a_run_is_cancelled_by_its_id_alone(hook, dbt_cloud):
    dbt_cloud.control.seed(jobs=[{"id": 71, "name": "Long", "pretend": {"running": 600}}])
    run = hook.trigger_job_run(71, "x").json()["data"]["id"]
    assert hook.cancel_job_run(run) is None
    assert hook.get_job_run_status(run) == 30
    hook.cancel_job_run(str(run))


def test_a_retry_from_failure_goes_on_where_the_latest_run_failed(hook, dbt_cloud, job, run):
    retried = hook.trigger_job_run(job, "again", retry_from_failure=True).json()["data"]
    assert retried["id"] != run
    targets = [each["target"] for each in dbt_cloud.control.requests() if each["method"] == "POST"]
    assert targets[-1] == f"/api/v2/accounts/1/runs/{run}/retry/"


def test_a_retry_from_failure_of_a_job_that_did_not_fail_starts_a_run(hook, dbt_cloud):
    dbt_cloud.control.seed(jobs=[{"id": 72, "name": "Sound", "pretend": {}}])
    for _ in range(2):
        hook.trigger_job_run(72, "x", retry_from_failure=True)
    targets = [each["target"] for each in dbt_cloud.control.requests() if each["method"] == "POST"]
    assert targets == ["/api/v2/accounts/1/jobs/72/run/"] * 2


def test_a_job_is_rerun(hook, job, run):
    assert hook.retry_failed_job_run(job).json()["data"]["id"] > run


def test_a_job_is_found_by_its_names(hook, job):
    found = hook.get_job_by_name(
        project_name="Sample bakery", environment_name="Production", job_name="Nightly"
    )
    assert isinstance(found, dict)
    assert found["id"] == job


def test_a_job_is_found_by_its_name_alone(hook, job):
    assert hook.get_job_by_name(job_name="Nightly")["id"] == job


def test_a_job_is_found_through_the_verbs_that_list(monkeypatch):
    """As users' tests and subclasses of the official provider's hook replace them."""

    def lists(*rows):
        return mock.Mock(return_value=[SimpleNamespace(json=lambda: {"data": list(rows)})])

    named = {"list_projects": "shop", "list_environments": "live", "list_jobs": "Nightly"}
    verbs = {verb: lists({"id": 5, "name": name}, {"id": 6, "name": "?"}) for verb, name in named.items()}
    for verb, stand_in in verbs.items():
        monkeypatch.setattr(DbtCloudHook, verb, stand_in)
    names = {"project_name": "shop", "environment_name": "live", "job_name": "Nightly"}
    assert DbtCloudHook().get_job_by_name(**names) == {"id": 5, "name": "Nightly"}
    environments = mock.call(project_id=5, name_contains="live", account_id=None)
    assert verbs["list_environments"].call_args == environments
    asked = {"project_id": 5, "environment_id": 5, "name_contains": "Nightly", "account_id": None}
    assert verbs["list_jobs"].call_args == mock.call(**asked)


@pytest.mark.parametrize("cause", [None, ""])
def test_a_run_without_a_cause_has_a_default_one(hook, dbt_cloud, job, cause):
    run = hook.trigger_job_run(job, cause).json()["data"]["id"]
    trigger = hook.get_job_run(run, include_related=["trigger"]).json()["data"]["trigger"]
    assert trigger["cause"].startswith("Triggered via Apache Airflow. [af:")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Sample", "Production", "Nightly"), "0 projects named 'Sample'"),
        (("Sample bakery", "production", "Nightly"), "0 environments named 'production'"),
        (("Sample bakery", "Production", "Night"), "0 jobs named 'Night'"),
        (("Sample bakery", "Production", "Twin"), "2 jobs named 'Twin'"),
        ((None, "Production", "Nightly"), "0 projects named ''"),
        (("Sample bakery", "", "Nightly"), "0 environments named ''"),
        (("", "", ""), "0 projects named ''"),
        ((None, None, ""), "0 jobs named ''"),
        (
            (None, None, "Twin"),
            r"2 jobs named 'Twin'.* job 80 \(environment 1, project 1\), job 81 \(environment",
        ),
    ],
)
def test_a_name_that_is_not_that_of_one_thing_is_told(hook, dbt_cloud, job, names, said):
    dbt_cloud.control.seed(jobs=[{"id": number, "name": "Twin", "pretend": {}} for number in (80, 81)])
    with pytest.raises(DbtCloudResourceLookupError, match=said):
        hook.get_job_by_name(
            **dict(zip(("project_name", "environment_name", "job_name"), names, strict=True))
        )


async def test_coroutines_read_runs_and_artifacts(hook, run, dbt_cloud):
    assert await hook.get_job_status(run) == 20
    details = await hook.get_job_details(run, include_related=["run_steps"])
    assert details["status"]["code"] == 200
    assert details["data"]["run_steps"][0]["name"] == "Invoke dbt with `dbt build`"
    found = await hook.get_job_run_artifacts_concurrently(run, ["run_results.json"])
    assert found == {"run_results.json": {"results": [1]}}
    headers, tenant = await hook.get_headers_tenants_from_connection()
    assert headers["Authorization"] == f"Token {dbt_cloud.token}"
    assert tenant == dbt_cloud.url.removeprefix("http://")


async def test_artifacts_are_read_at_once(hook, dbt_cloud):
    paths = [f"a{number}.json" for number in range(4)]
    pretend = {"artifacts": {path: {"it": path} for path in paths}}
    (run,) = dbt_cloud.control.seed(
        jobs=[{"id": 73, "name": "Many", "pretend": pretend}], runs=[{"job_id": 73}]
    )["runs"]
    dbt_cloud.control.add_fault("delay", seconds=0.3)
    assert await hook.get_job_run_artifacts_concurrently(run, paths) == pretend["artifacts"]
    assert dbt_cloud.control.counters()["connections"] == len(paths)


async def test_artifacts_that_are_read_at_once_fail_at_once(hook, dbt_cloud, run):
    dbt_cloud.control.add_fault("delay", seconds=30, route="*/slow.json")
    with pytest.raises(DbtCloudApiException, match="answered 404"):
        await hook.get_job_run_artifacts_concurrently(run, ["slow.json", "missing.json"])
    assert len(asyncio.all_tasks()) == 1


async def test_an_artifact_that_is_no_json_is_told(connect, raw_server):
    raw_server.reply = answer("<html>Log in</html>", headers={"Content-Type": "text/html"})
    with pytest.raises(DbtCloudApiException, match="It is a web page"):
        await connect(host=raw_server.url).get_job_run_artifacts_concurrently(7, ["manifest.json"])


def test_the_address_of_an_endpoint():
    assert DbtCloudHook.get_request_url_params("ab.us1.dbt.com", "1/runs/", ["trigger"]) == (
        "https://ab.us1.dbt.com/api/v2/accounts/1/runs/",
        {"include_related": ["trigger"]},
    )
    url, params = DbtCloudHook.get_request_url_params("ab.us1.dbt.com", "1/projects/", api_version="v3")
    assert (url, params) == ("https://ab.us1.dbt.com/api/v3/accounts/1/projects/", {})


@pytest.mark.parametrize(
    "payload",
    [{"cause": "x", "steps_override": ["dbt run"]}, '{"cause": "x", "steps_override": ["dbt run"]}'],
)
def test_plugins_may_post_a_dict_or_json_text(hook, dbt_cloud, job, payload):
    answer = hook._run_and_get_response(method="POST", endpoint="1/jobs/70/run/", payload=payload)
    assert answer.json()["data"]["trigger"]["steps_override"] == ["dbt run"]
    assert json.loads(dbt_cloud.control.requests()[-1]["body"]) == {
        "cause": "x",
        "steps_override": ["dbt run"],
    }


def test_plugins_may_read_pages(hook, dbt_cloud, job):
    dbt_cloud.control.seed(runs=[{"job_id": job, "count": 101}])
    query = {"job_definition_id": job, "include_related": ["trigger"]}
    pages = hook._run_and_get_response(endpoint="1/runs/", payload=query, paginate=True)
    assert [len(page.json()["data"]) for page in pages] == [100, 1]
    assert hook._run_and_get_response(endpoint="1/runs/", payload={"limit": 1}).json()["data"]
    assert hook._run_and_get_response(endpoint=None).json()["data"][0]["id"] == 1
    assert hook._run_and_get_response(endpoint="1/projects/", api_version="v3").json()["data"]


def test_plugins_may_read_an_artifact_as_it_is_stored(hook, dbt_cloud, run):
    endpoint = f"1/runs/{run}/artifacts/run_results.json"
    assert hook._run_and_get_response(endpoint=endpoint).json() == {"results": [1]}
    asked = dbt_cloud.control.requests()[-1]
    assert asked["target"] == f"/api/v2/accounts/{endpoint}"
    assert asked["headers"]["Accept"] == "*/*"


@pytest.mark.parametrize("endpoint", ["../../v3/accounts/", "1/runs/../../2/", "1//runs/", "%2e%2e/x/"])
def test_plugins_may_not_leave_the_accounts(hook, dbt_cloud, endpoint):
    with pytest.raises(DbtCloudApiException, match="is not a valid"):
        hook._run_and_get_response(endpoint=endpoint)
    assert dbt_cloud.control.requests() == []


def test_a_payload_that_is_no_json_is_told(hook):
    with pytest.raises(DbtCloudApiException, match="payload"):
        hook._run_and_get_response(method="POST", endpoint="1/jobs/70/run/", payload="{cause:")


@pytest.mark.parametrize("wrong", ["../1", "Nightly", "1.0", ""])
def test_ids_that_are_none_are_refused_by_every_verb_before_sending(hook, dbt_cloud, wrong):
    for verb in (
        lambda: hook.get_account(wrong),
        lambda: hook.get_project(wrong),
        lambda: hook.list_environments(wrong),
        lambda: hook.get_environment(1, wrong),
        lambda: hook.get_job(wrong),
        lambda: hook.trigger_job_run(wrong, "x"),
        lambda: hook.trigger_job_run(70, "x", account_id=wrong),
        lambda: hook.get_job_run(wrong),
        lambda: hook.get_job_run_status(wrong),
        lambda: hook.wait_for_job_run_status(wrong),
        lambda: hook.cancel_job_run(wrong),
        lambda: hook.list_job_run_artifacts(wrong),
        lambda: hook.get_job_run_artifact(wrong, "manifest.json"),
        lambda: hook.retry_failed_job_run(wrong),
        lambda: asyncio.run(hook.get_job_status(wrong)),
        lambda: asyncio.run(hook.get_job_run_artifacts_concurrently(wrong, ["manifest.json"])),
    ):
        with pytest.raises(DbtCloudApiException, match="is not a valid"):
            verb()
    assert dbt_cloud.control.requests() == []


@pytest.mark.parametrize("path", ["../../2/", "/manifest.json", "", "a/%2e%2e/b"])
def test_artifact_paths_that_leave_their_run_are_refused(hook, dbt_cloud, path):
    with pytest.raises(DbtCloudApiException, match="is not a valid artifact path"):
        hook.get_job_run_artifact(7, path)
    with pytest.raises(DbtCloudApiException, match="is not a valid artifact path"):
        asyncio.run(hook.get_job_run_artifacts_concurrently(7, ["manifest.json", path]))
    assert not [each for each in dbt_cloud.control.requests() if "manifest" not in each["target"]]
