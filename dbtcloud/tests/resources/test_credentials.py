"""`DbtCloudCredentials` makes the clients of prefect-dbt's examples, and shows its key nowhere."""

import pickle

import pytest

from dbtcloud import DbtCloudCredentials
from dbtcloud.errors import ClientClosed, InvalidArgument, QueryRefused

METRICS = "{ environment(id: 1) { __typename } }"


@pytest.fixture
def credentials(dbt_cloud):
    dbt_cloud.control.seed(jobs=[{"id": 70, "name": "Nightly", "pretend": {"running": 0}}])
    return DbtCloudCredentials(api_key=dbt_cloud.token, account_id=1, domain=dbt_cloud.url)


def test_in_with_the_calls_of_the_administrative_client_return(credentials, dbt_cloud):
    with credentials.get_administrative_client() as client:
        run = client.trigger_job_run(job_id=70)
        assert client.get_run(run.id).job_id == client.get_job(70).id == 70
        assert client.list_run_artifacts(run.id) == []
        assert client.call_endpoint("GET", "/jobs/70/")["data"]["name"] == "Nightly"
        assert client.runs.get(run.id).id == run.id
    with pytest.raises(ClientClosed):
        client.get_job(70)


async def test_in_async_with_they_are_awaited(credentials):
    async with credentials.get_client("administrative") as client:
        run = await client.trigger_job_run(70, options={"cause": "By hand", "threads_override": 3})
        read = await client.get_run(run.id, include_related=["trigger"])
    assert read.cause.startswith("By hand")
    assert read.data["trigger"]["threads_override"] == 3


def test_the_metadata_client_returns_the_whole_answer(credentials):
    with credentials.get_client("metadata") as client:
        assert client.query(METRICS) == {"data": {"environment": {"__typename": "Environment"}}}
        with pytest.raises(QueryRefused):
            client.query("{ nothing }")


async def test_its_twin_is_awaited(credentials):
    async with credentials.get_async_metadata_client() as client:
        assert "data" in await client.query(METRICS, {"unused": 1})


def test_options_of_a_run_name_no_job(credentials):
    with credentials.get_administrative_client() as client:
        with pytest.raises(InvalidArgument, match="options have a job_id"):
            client.trigger_job_run(70, options={"job_id": 71})
        with pytest.raises(InvalidArgument):
            client.get_run(7, include_related=5)


def test_another_type_of_client_is_refused_by_name(credentials):
    with pytest.raises(InvalidArgument, match="no client of the type 'admin'"):
        credentials.get_client("admin")


def test_the_key_is_shown_nowhere(credentials, dbt_cloud):
    clients = (credentials.get_administrative_client(), credentials.get_metadata_client())
    for shown in (credentials, *clients):
        assert dbt_cloud.token not in f"{shown} {shown!r}"
    assert credentials.api_key == dbt_cloud.token


def test_credentials_are_equal_by_value_and_survive_pickle(credentials, dbt_cloud):
    same = DbtCloudCredentials(dbt_cloud.token, "1", f"{dbt_cloud.url}/api")
    assert pickle.loads(pickle.dumps(credentials)) == same
    assert len({credentials, same}) == 1
    assert (same.account_id, same.domain) == (1, dbt_cloud.url)


def test_one_object_opens_one_client_at_a_time(credentials):
    opens = credentials.get_administrative_client()
    with opens as client, pytest.raises(InvalidArgument, match="open already"), opens:
        pass
    with pytest.raises(ClientClosed):
        client.get_job(70)
    with opens as again:
        assert again.get_job(70).id == 70


def test_a_call_before_the_block_says_what_is_missing(credentials):
    with pytest.raises(AttributeError, match=r"Open the client first: with .*client\.trigger_job_run"):
        credentials.get_administrative_client().trigger_job_run(70)
    assert not hasattr(credentials.get_administrative_client(), "nothing")


class Options:
    """As prefect-dbt's TriggerJobRunOptions."""

    def model_dump(self, *, exclude_none):
        return {"cause": "By a model", "threads_override": 2} if exclude_none else {"git_sha": None}


def test_options_may_be_a_model(credentials):
    with credentials.get_administrative_client() as client:
        run = client.trigger_job_run(70, Options())
        assert client.get_run(run.id, ["trigger"]).data["trigger"]["threads_override"] == 2
        with pytest.raises(InvalidArgument, match="options is 'main'"):
            client.trigger_job_run(70, "main")


def test_an_artifact_is_json_or_text(dbt_cloud, credentials):
    artifacts = {"manifest.json": {"nodes": {}}, "compiled/shop/orders.sql": "select 1"}
    dbt_cloud.control.seed(
        jobs=[{"id": 71, "name": "Docs", "pretend": {"artifacts": artifacts}}],
        runs=[{"id": 900, "job_id": 71, "age": 60}],
    )
    with credentials.get_administrative_client() as client:
        assert client.get_run_artifact(900, "manifest.json") == {"nodes": {}}
        assert client.get_run_artifact(900, "compiled/shop/orders.sql") == "select 1"
