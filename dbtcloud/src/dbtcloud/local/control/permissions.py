"""Permission sets: what a token with one may read and change.

From the tables of account and project permissions in dbt Cloud's documentation (enterprise permissions). A
user's environment-level permissions are not there, so sets that are read-only by default stay so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

RESOURCES = ("projects", "environments", "jobs", "runs", "env_vars", "webhooks", "metadata")
"""What a permission is about; reading accounts takes none."""

_EVERYTHING = dict.fromkeys(RESOURCES, "write")
_VIEW = dict.fromkeys(("projects", "environments", "jobs", "runs", "env_vars", "metadata"), "read")
PERMISSION_SETS = {
    "owner": _EVERYTHING,
    "account_admin": _EVERYTHING,
    "admin": _EVERYTHING,
    "member": _EVERYTHING,
    "account_viewer": _VIEW,
    "readonly": _VIEW,
    "stakeholder": _VIEW,
    "job_viewer": _VIEW,
    "job_runner": {"runs": "write", "jobs": "read"},
    "job_admin": {**_VIEW, "environments": "write", "env_vars": "write", "jobs": "write", "runs": "write"},
    "developer": {**_VIEW, "projects": "write", "env_vars": "write", "webhooks": "write"},
    "analyst": {**_VIEW, "projects": "write", "env_vars": "write"},
    "git_admin": {**_VIEW, "projects": "write", "env_vars": "write"},
    "database_admin": {**_VIEW, "projects": "write", "env_vars": "write"},
    "team_admin": {**_VIEW, "projects": "write", "env_vars": "write"},
    "project_creator": {name: "write" for name in RESOURCES if name != "webhooks"},
    "security_admin": {"projects": "read"},
    "metadata_only": {"metadata": "read"},
    "webhooks_only": {"webhooks": "write"},
    "billing_admin": {},
    "semantic_layer_only": {},
}
"""Access by resource, for each permission set: `write` includes `read`."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is allowed: the sum of its permission sets."""

    permission_sets: tuple[str, ...]

    def allows(self, resource: str, access: str) -> bool:
        """Return whether the resource may be read (`access` is "read") or changed ("write")."""
        held = {PERMISSION_SETS[name].get(resource) for name in self.permission_sets}
        return "write" in held or access in held


OWNER = Grant(("owner",))
"""What the server's own token is allowed."""


def grant(permission_sets: Iterable[str]) -> Grant:
    """Return the grant of some permission sets; ValueError for one that is not known."""
    names = tuple(permission_sets)
    if unknown := [name for name in names if name not in PERMISSION_SETS]:
        known = ", ".join(sorted(PERMISSION_SETS))
        raise ValueError(f"There is no permission set {', '.join(map(str, unknown))}; there are {known}.")
    return Grant(names)
