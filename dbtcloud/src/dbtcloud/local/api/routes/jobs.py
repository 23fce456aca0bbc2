"""Jobs: list, get, create, update, delete."""

from dataclasses import replace

from aiohttp import web

from dbtcloud.local.api.requests.body import read_body
from dbtcloud.local.api.requests.jobs import JOB_SCHEMA, new_job, updated_job
from dbtcloud.local.api.requests.query import (
    PAGING,
    Readers,
    parse_query,
    read_boolean,
    read_integer,
    read_integers,
    read_order,
    read_state,
    read_strings,
    read_text,
)
from dbtcloud.local.api.responses.envelope import data_response, list_response
from dbtcloud.local.api.routes.include_related import job_with_related
from dbtcloud.local.api.routes.lists import find_definitions
from dbtcloud.local.api.routes.path_objects import account_of, cloud_of, definition_of
from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import DELETED, EnvironmentRecord, JobRecord
from dbtcloud.local.orchestration.deletion import delete

_FILTERS: Readers = {
    **PAGING,
    "dbt_version__in": read_strings,
    "environment_id": read_integer,
    "is_fusion_ready": read_boolean,
    "is_system": read_boolean,
    "name__icontains": read_text,
    "order_by": read_order("id", "name", "created_at"),
    "pk": read_integer,
    "pk__in": read_integers,
    "project_id": read_integer,
    "project_id__in": read_integers,
    "state": read_state,
    "triggers_schedule": read_boolean,
}


async def _list_jobs(request: web.Request) -> web.Response:
    """Answer with a page of jobs. None is a system job, and none is ready for Fusion."""
    account, parameters, cloud = account_of(request), parse_query(request, _FILTERS), cloud_of(request)
    matches_none = parameters.values.get("is_system") or parameters.values.get("is_fusion_ready")
    within: dict[str, list[int]] = {"id": []} if matches_none else {}
    jobs, total = find_definitions(cloud.store, JobRecord, account, parameters, within)
    contents = [job_with_related(cloud, job, parameters.include) for job in jobs]
    return list_response(contents, total, parameters.page(), parameters.applied_filters(account.id))


async def _get_job(request: web.Request) -> web.Response:
    """Answer with one job."""
    include = parse_query(request, {}).include
    return data_response(
        job_with_related(cloud_of(request), definition_of(request, JobRecord, "job_id"), include)
    )


async def _create_job(request: web.Request) -> web.Response:
    """Create a job and answer with it and 201."""
    account, cloud = account_of(request), cloud_of(request)
    empty = JobRecord(
        cloud.store.definitions.next_id(JobRecord), "", account.id, created_at=cloud.clock.now()
    )
    body = await read_body(request, JOB_SCHEMA)
    job = new_job(body, replace(empty, threads=1))
    _check_owners(request, job, body)
    cloud.store.definitions.put(job)
    return data_response(job_with_related(cloud, job, frozenset()), 201)


async def _update_job(request: web.Request) -> web.Response:
    """Update a job. A state of 2 deletes it."""
    job, cloud = definition_of(request, JobRecord, "job_id"), cloud_of(request)
    body = await read_body(request, JOB_SCHEMA)
    changed = replace(updated_job(body, job), updated_at=cloud.clock.now())
    _check_owners(request, changed, body)
    if changed.state == DELETED:
        changed = delete(cloud, changed)
    cloud.store.definitions.put(changed)
    return data_response(job_with_related(cloud, changed, frozenset()))


async def _delete_job(request: web.Request) -> web.Response:
    """Delete a job and cancel its unfinished runs."""
    cloud = cloud_of(request)
    return data_response(
        job_with_related(cloud, delete(cloud, definition_of(request, JobRecord, "job_id")), frozenset())
    )


def _check_owners(request: web.Request, job: JobRecord, body: dict[str, object]) -> None:
    """Check that a job has the account of the path and an environment of its project."""
    if body.get("account_id") not in {None, job.account_id}:
        raise ApiException.bad_request(
            {"account_id": f"{body['account_id']!r} is not the account of the path"}
        )
    environment = cloud_of(request).store.definitions.get(EnvironmentRecord, job.environment_id)
    owners = (job.account_id, job.project_id)
    if environment is None or (environment.account_id, environment.project_id) != owners:
        raise ApiException.not_found()


_JOBS = "/api/v2/accounts/{account_id}/jobs/"
_JOB = f"{_JOBS}{{job_id}}/"
_NO_EFFECT = (
    "Deferral, lint, compare changes, cost optimisation and webhooks of git providers are stored and shown, "
    "and have no effect."
)

ROUTES = (
    Route(
        "GET",
        _JOBS,
        _list_jobs,
        ("jobs", "read"),
        "`is_system=true` and `is_fusion_ready=true` find nothing. `custom_environment_variables` and "
        "`fusion_readiness` are not included.",
    ),
    Route("POST", _JOBS, _create_job, ("jobs", "write"), _NO_EFFECT),
    Route("GET", _JOB, _get_job, ("jobs", "read"), "`fusion_readiness` is not included."),
    Route(
        "POST",
        _JOB,
        _update_job,
        ("jobs", "write"),
        f"Fields that are not in the body stay as they are; dbt Cloud requires the whole job. {_NO_EFFECT}",
    ),
    Route(
        "DELETE",
        _JOB,
        _delete_job,
        ("jobs", "write"),
        "Answers 200 and the job, as dbt Cloud does, where the specification says 204.",
    ),
)
