"""The route table, which has all endpoints. Requests for anything else get 501."""

from dbtcloud.local.api.routes import (
    accounts,
    artifacts,
    bulk_variables,
    control,
    discovery,
    environment_variables,
    environments,
    jobs,
    pages,
    projects,
    runs,
    trigger,
    webhooks,
)
from dbtcloud.local.api.routes.route import Route

# The first route that matches a request answers it, so `bulk/` comes before `{variable_id}/`.
_MODULES = (
    accounts,
    projects,
    environments,
    bulk_variables,
    environment_variables,
    jobs,
    trigger,
    runs,
    artifacts,
    webhooks,
    discovery,
    pages,
    control,
)

ROUTE_TABLE = tuple(Route(*entry) for module in _MODULES for entry in module.ROUTES)
"""Every endpoint, with those of the control plane and the pages."""
