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


class ProjectVariables:
    """The environment variables of one project.

    Args:
        store: the store that has them.
        account_id: the account of the project.
        project_id: the project.
    """

    def __init__(self, store: Store, account_id: int, project_id: int) -> None:
        self._store, self._account_id, self._project_id = store, account_id, project_id

    def values(self) -> list[EnvironmentVariable]:
        """Return the values of all variables, in all scopes."""
        query = DefinitionQuery(self._account_id, [("project_id", [self._project_id]), ("state", [ACTIVE])])
        return self._store.definitions.find(EnvironmentVariable, query, _ALL)[0]

    def for_job(self, job: JobRecord) -> dict[str, str]:
        """Return the environment variables of a run of a job, which is one of the project."""
        applicable = sorted(
            (each for each in self.values() if each.applies_to(job)),
            key=lambda each: SCOPES.index(each.type),
        )
        return {each.name: each.value for each in applicable}

    @staticmethod
    def check(name: Any, values: Mapping[str, Any]) -> None:
        """Check the name and the values of a variable.

        Raises:
            ApiException: 400 for a name that does not begin with `DBT_` or is not in capitals, and for a
                value that is not text or contains a null character.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            message = f"{name!r}: names of environment variables begin with DBT_ and are in capital letters."
            raise ApiException.bad_request({"name": message})
        for where, value in values.items():
            if not isinstance(value, str) or "\0" in value:
                raise ApiException.bad_request({where: f"{value!r} is not of type 'string'"})
