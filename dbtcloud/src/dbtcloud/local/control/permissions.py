"""Permission sets, which say what a token may read and change.

They come from the tables of account and project permissions in dbt Cloud's documentation ("Enterprise
permissions"). The local dbt Cloud has no permissions by environment, so sets that are read-only by default
stay read-only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

# Reading accounts needs no permission.
_RESOURCES = ("projects", "environments", "jobs", "runs", "env_vars", "webhooks", "metadata")
_EVERYTHING = dict.fromkeys(_RESOURCES, "write")
_VIEW = dict.fromkeys(("projects", "environments", "jobs", "runs", "env_vars", "metadata"), "read")
# Access by resource, for each permission set. "write" includes "read".
_PERMISSION_SETS = {
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
    "project_creator": {name: "write" for name in _RESOURCES if name != "webhooks"},
    "security_admin": {"projects": "read"},
    "metadata_only": {"metadata": "read"},
    "webhooks_only": {"webhooks": "write"},
    "billing_admin": {},
    "semantic_layer_only": {},
}


@dataclass(frozen=True, slots=True)
class Grant:
    """The permissions of a token: the union of its permission sets."""

    permission_sets: tuple[str, ...]

    @classmethod
    def of(cls, permission_sets: Iterable[str]) -> Self:
        """Return the grant of some permission sets.

        Raises:
            ValueError: A permission set is unknown.
        """
        names = tuple(permission_sets)
        if unknown := [name for name in names if name not in _PERMISSION_SETS]:
            known = ", ".join(sorted(_PERMISSION_SETS))
            raise ValueError(f"There is no permission set {', '.join(map(str, unknown))}; there are {known}.")
        return cls(names)

    def allows(self, resource: str, access: str) -> bool:
        """Return whether the resource may be read (`access` is "read") or changed ("write")."""
        held = {_PERMISSION_SETS[name].get(resource) for name in self.permission_sets}
        return "write" in held or access in held


OWNER = Grant(("owner",))
"""The permissions of the server's own token."""
