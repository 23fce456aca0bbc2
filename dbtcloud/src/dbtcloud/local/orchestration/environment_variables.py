"""Environment variables of projects, environments and jobs: which value holds, and what is shown of it."""

import re
from collections.abc import Mapping
from typing import Any

from dbtcloud.local.model.api_errors import bad_request
from dbtcloud.local.model.records import ACTIVE, EnvironmentVariable, JobRecord
from dbtcloud.local.store.interface import DefinitionQuery, PageQuery, Store

SCOPES = ("project", "environment", "job", "user")
"""The types of variables; of those that concern a run, a later one overrides an earlier one."""

SECRET_PREFIX = "DBT_ENV_SECRET"  # noqa: S105 - a prefix of names
"""Values of names that begin so are never shown (dbt's documentation on environment variables)."""

_ALL = PageQuery(limit=-1)
_HIDDEN = "**********"
_NAME = re.compile(r"DBT_[A-Z0-9_]+")


def variables_in(store: Store, account_id: int, project_id: int) -> list[EnvironmentVariable]:
    """Return every value that a project's variables have, in whichever scope."""
    query = DefinitionQuery(account_id, [("project_id", [project_id]), ("state", [ACTIVE])])
    return store.definitions.find(EnvironmentVariable, query, _ALL)[0]


def variables_of(store: Store, job: JobRecord) -> dict[str, str]:
    """Return the variables that dbt sees in a run of a job: the job's own value before its environment's."""
    values = variables_in(store, job.account_id, job.project_id)
    concerned = sorted(
        (each for each in values if concerns(each, job)), key=lambda each: SCOPES.index(each.type)
    )
    return {each.name: each.value for each in concerned}


def concerns(variable: EnvironmentVariable, job: JobRecord) -> bool:
    """Return whether a value is of the job, of its environment or of its project as a whole."""
    return (
        variable.type == "project"
        or (variable.type == "environment" and variable.environment_id == job.environment_id)
        or (variable.type == "job" and variable.job_definition_id == job.id)
    )


def shown_value(variable: EnvironmentVariable) -> str:
    """Return the value as the API shows it."""
    return _HIDDEN if variable.name.startswith(SECRET_PREFIX) else variable.value


def brief(variable: EnvironmentVariable) -> dict[str, Any]:
    """Write a value within a table of variables: `{id, value}`."""
    return {"id": variable.id, "value": shown_value(variable)}


def check_variable(name: Any, values: Mapping[str, Any]) -> None:
    """Refuse what cannot be a variable.

    Raises:
        ApiException: 400: the name does not begin with `DBT_` or is not in capitals, or a value is not a
            string that a process can be given.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise bad_request(
            {"name": f"{name!r}: names of environment variables begin with DBT_ and are in capital letters."}
        )
    for where, value in values.items():
        if not isinstance(value, str) or "\0" in value:
            raise bad_request({where: f"{value!r} is not of type 'string'"})
