"""Calls that type checkers have to refuse: each line that ends with "wrong". Nothing runs this."""

# ruff: noqa: B018 -- a wrong attribute is wrong by itself

from dbtcloud import AsyncDbtCloudClient, DbtCloudClient, DbtCloudCredentials, run_dbt_cloud_job


def blocking(client: DbtCloudClient) -> None:
    client.jobs.get()  # wrong
    client.jobs.get(42, 43)  # wrong
    client.jobs.get([42])  # wrong
    client.jobs.get(id=42)  # wrong
    client.jobs.get(42).later  # wrong
    client.jobs.delete_all()  # wrong
    client.job.get(42)  # wrong
    client.jobs.list(name=4)  # wrong
    client.jobs.list(limit="many")  # wrong
    client.jobs.find("Nightly")  # wrong
    client.jobs.run(42)  # wrong
    client.jobs.run(42, cause="x", git_brunch="main")  # wrong
    client.jobs.run(42, cause="x", threads_override="four")  # wrong
    client.jobs.create("x", project_id=1)  # wrong
    client.jobs.update(42, name=4)  # wrong
    client.runs.wait(4, timeout="long")  # wrong
    client.runs.list(order_by="name")  # wrong
    client.projects.create()  # wrong
    client.projects.create("x", description=4)  # wrong
    client.environments.create(4, "x", deployment_type="stagin")  # wrong
    client.webhooks.update("x", jobids=[4])  # wrong
    client.artifacts.download(4, "x")  # wrong
    client.discovery.model(4)  # wrong
    client.with_options(token="t")  # wrong
    client.name = client.jobs.get(42).name  # wrong
    for job in client.jobs.list():
        job.later  # wrong
    client.jobs.list().total()  # wrong


async def awaited(client: AsyncDbtCloudClient) -> None:
    client.jobs.get(42).name  # wrong
    (await client.jobs.get()).name  # wrong
    await client.jobs.run(42, cause="x", git_brunch="main")  # wrong
    await client.jobs.list()  # wrong
    await client.runs.watch(4)  # wrong
    client.jobs.list().first().name  # wrong
    for _ in client.jobs.list():  # wrong
        pass
    with client.jobs.disable_schedule(4):  # wrong
        pass
    with client:  # wrong
        pass


def others(client: DbtCloudClient, credentials: DbtCloudCredentials) -> None:
    client.jobs.list().first().name  # wrong
    credentials.get_client("admin")  # wrong
    credentials.get_administrative_client().get_job(4)  # wrong
    run_dbt_cloud_job(4, git_brunch="main")  # wrong
    run_dbt_cloud_job(4, {}, True, 10, 60)  # wrong
    DbtCloudClient("t", 1, "h", 60)  # wrong
    DbtCloudClient(tokn="t")  # wrong
