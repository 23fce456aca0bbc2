"""The environment variables of projects, environments and jobs."""

import re
from collections.abc import Mapping
from typing import Any

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import ACTIVE, EnvironmentVariable, JobRecord
from dbtcloud.local.store.database import Store
from dbtcloud.local.store.queries import DefinitionQuery, PageQuery

SCOPES = ("project", "environment", "job", "user")
"""The scopes of variables. A later scope overrides an earlier one."""

_ALL = PageQuery(limit=-1)
_NAME = re.compile(r"DBT_[A-Z0-9_]+")


def project_variables(store: Store, account_id: int, project_id: int) -> list[EnvironmentVariable]:
    """Return all variables of a project, in all scopes."""
    query = DefinitionQuery(account_id, [("project_id", [project_id]), ("state", [ACTIVE])])
    return store.definitions.find(EnvironmentVariable, query, _ALL)[0]


def job_variables(store: Store, job: JobRecord) -> dict[str, str]:
    """Return the environment variables of a run of a job."""
    values = project_variables(store, job.account_id, job.project_id)
    applicable = sorted(
        (each for each in values if each.applies_to(job)), key=lambda each: SCOPES.index(each.type)
    )
    return {each.name: each.value for each in applicable}


def check_variable(name: Any, values: Mapping[str, Any]) -> None:
    """Check the name and the values of a variable.

    Raises:
        ApiException: 400 for a name that does not begin with `DBT_` or is not in capitals, and for a value
            that is not text or contains a null character.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ApiException.bad_request(
            {"name": f"{name!r}: names of environment variables begin with DBT_ and are in capital letters."}
        )
    for where, value in values.items():
        if not isinstance(value, str) or "\0" in value:
            raise ApiException.bad_request({where: f"{value!r} is not of type 'string'"})
