"""A FastAPI service that runs jobs, shows their runs, and takes the webhooks of dbt Cloud.

Start it with `uvicorn fastapi_app:app`. It reads DBT_CLOUD_TOKEN, DBT_CLOUD_ACCOUNT_ID, DBT_CLOUD_HOST, and
DBT_CLOUD_WEBHOOK_SECRET for the webhooks.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from dbtcloud import AsyncDbtCloudClient
from dbtcloud.errors import BadRequest, Conflict, DbtCloudError, NotFound, RateLimited, Unprocessable


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Keep one client, with its connections, as long as the service runs."""
    async with AsyncDbtCloudClient.from_env() as client:
        yield {"dbt_cloud": client}


app = FastAPI(lifespan=lifespan)
PASSED_ON = (BadRequest, NotFound, Conflict, Unprocessable, RateLimited)
finished_runs: list[int] = []


def dbt_cloud(request: Request) -> AsyncDbtCloudClient:
    """Return the client of the service."""
    return request.state.dbt_cloud


Client = Annotated[AsyncDbtCloudClient, Depends(dbt_cloud)]


@app.get("/projects")
async def list_projects(client: Client) -> list[dict[str, Any]]:
    """List the projects of the account."""
    return [{"id": project.id, "name": project.name} async for project in client.projects.list()]


@app.post("/jobs/{job_id}/runs", status_code=201)
async def run_job(job_id: int, client: Client, cause: str = "Triggered from FastAPI") -> dict[str, Any]:
    """Start a run of a job."""
    run = await client.jobs.run(job_id, cause=cause)
    return {"run_id": run.id, "status": run.status_humanized}


@app.get("/runs/{run_id}")
async def read_run(run_id: int, client: Client) -> dict[str, Any]:
    """Show a run."""
    run = await client.runs.get(run_id)
    return {"run_id": run.id, "status": run.status_humanized, "url": run.href}


@app.post("/webhooks/dbt-cloud")
async def take_webhook(request: Request, client: Client) -> dict[str, Any]:
    """Take a webhook of dbt Cloud, after checking that dbt Cloud has sent it."""
    secret = os.environ["DBT_CLOUD_WEBHOOK_SECRET"]
    try:
        event = client.webhooks.verify(await request.body(), request.headers.get("Authorization"), secret)
    except DbtCloudError as error:
        raise HTTPException(401, str(error)) from error
    if event.event_type == "job.run.completed":
        finished_runs.append(event.run_id)
    return {"finished_runs": finished_runs}


@app.exception_handler(DbtCloudError)
async def answer_error(_: Request, error: DbtCloudError) -> JSONResponse:
    """Pass on what dbt Cloud says about the request; any other failure is a 502 of this service."""
    status = error.status if isinstance(error, PASSED_ON) else 502
    return JSONResponse({"error": str(error)}, status_code=status)
