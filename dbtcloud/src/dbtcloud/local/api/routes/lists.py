"""Lists of projects, environments and jobs: from query parameters to a query of the store."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from dbtcloud.local.api.requests.query import QueryParameters
from dbtcloud.local.model.records import ACTIVE, AccountRecord, EnvironmentRecord, JobRecord, ProjectRecord
from dbtcloud.local.store.database import Store
from dbtcloud.local.store.queries import DefinitionQuery

_D = TypeVar("_D", ProjectRecord, EnvironmentRecord, JobRecord)


def find_definitions(
    store: Store,
    kind: type[_D],
    account: AccountRecord,
    parameters: QueryParameters,
    within: Mapping[str, Sequence[int]] = {},
) -> tuple[list[_D], int]:
    """Return the page of definitions that match the parameters, and the total number."""
    equal = [*within.items(), *_column_conditions(parameters.values)]
    values = parameters.values
    above = max((values[name] for name in ("pk__gt", "id__gt") if name in values), default=None)
    query = DefinitionQuery(
        account.id, equal, _field_conditions(values), above, values.get("name__icontains"), values.get("name")
    )
    return store.definitions.find(kind, query, parameters.page())


def _field_conditions(values: Mapping[str, Any]) -> list[tuple[str, Sequence[int | str | None]]]:
    """Return the conditions on fields without a column, by their paths."""
    paths = {
        "dbt_version": "dbt_version",
        "deployment_type": "deployment_type",
        "type": "type",
        "credentials_id": "shown.credentials_id",
    }
    conditions: list[tuple[str, Sequence[int | str | None]]] = []
    for name, path in paths.items():
        conditions += [(path, [values[name]])] if name in values else []
        conditions += [(path, values[f"{name}__in"])] if f"{name}__in" in values else []
    if "triggers_schedule" in values:
        # JSON's true is 1 in SQLite. A trigger that was never set is false.
        conditions.append(("triggers.schedule", [1] if values["triggers_schedule"] else [0]))
    return conditions


def _column_conditions(values: Mapping[str, Any]) -> list[tuple[str, Sequence[int]]]:
    columns = {"pk": "id", "project_id": "project_id", "environment_id": "environment_id"}
    conditions: list[tuple[str, Sequence[int]]] = []
    for name, column in columns.items():
        conditions += [(column, [values[name]])] if name in values else []
        conditions += [(column, values[f"{name}__in"])] if f"{name}__in" in values else []
    state = values.get("state", ACTIVE)
    return conditions if state is None else [*conditions, ("state", [state])]
