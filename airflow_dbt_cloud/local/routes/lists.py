"""Lists of projects, environments and jobs: query parameters to a question for the store."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from airflow_dbt_cloud.local.models import ACTIVE, Account, Environment, Job, Project
from airflow_dbt_cloud.local.parameters import Parameters
from airflow_dbt_cloud.local.store import DefinitionQuery, Store

D = TypeVar("D", Project, Environment, Job)


def find_definitions(
    store: Store,
    kind: type[D],
    account: Account,
    parameters: Parameters,
    within: Mapping[str, Sequence[int]] = {},
) -> tuple[list[D], int]:
    """Return the page that the parameters ask for, and how many there are in all."""
    equal = [*within.items(), *_equal(parameters.values)]
    values = parameters.values
    query = DefinitionQuery(account.id, equal, values.get("name__icontains"), values.get("name"))
    return store.definitions.find(kind, query, parameters.page())


def _equal(values: Mapping[str, Any]) -> list[tuple[str, Sequence[int]]]:
    columns = {"pk": "id", "project_id": "project_id", "environment_id": "environment_id"}
    conditions: list[tuple[str, Sequence[int]]] = []
    for name, column in columns.items():
        conditions += [(column, [values[name]])] if name in values else []
        conditions += [(column, values[f"{name}__in"])] if f"{name}__in" in values else []
    state = values.get("state", ACTIVE)
    return conditions if state is None else [*conditions, ("state", [state])]
