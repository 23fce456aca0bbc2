"""Read the active project of `~/.dbt/dbt_cloud.yml`, the file of dbt's own tools.

Its fields are those of the page "dbt_cloud.yml file" of dbt's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTINGS_FILE = "~/.dbt/dbt_cloud.yml"


@dataclass(frozen=True, slots=True)
class ActiveProject:
    """The credentials of a project, each empty if there is none.

    Attributes:
        fault: Why the file could not be read, as a sentence, or "".
    """

    token: str = ""
    account_id: str = ""
    host: str = ""
    fault: str = ""


def read_active_project() -> ActiveProject:
    """Return the credentials of the active project, all empty if the file or the project is missing."""
    try:
        text = Path(SETTINGS_FILE).expanduser().read_text("utf-8")
    except FileNotFoundError:
        return ActiveProject()
    except (OSError, RuntimeError, ValueError) as error:
        return ActiveProject(fault=f"{SETTINGS_FILE} cannot be read ({type(error).__name__}).")
    try:
        import yaml
    except ImportError:
        return ActiveProject(fault=f"{SETTINGS_FILE} cannot be read without PyYAML: install dbtcloud[yaml].")
    try:
        return _active_project(yaml.safe_load(text))
    except yaml.YAMLError:
        return ActiveProject(fault=f"{SETTINGS_FILE} is not valid YAML.")  # its text has a token


def _active_project(document: Any) -> ActiveProject:
    settings = document if isinstance(document, Mapping) else {}
    context = settings.get("context")
    context = context if isinstance(context, Mapping) else {}
    projects = settings.get("projects")
    listed = [each for each in projects if isinstance(each, Mapping)] if isinstance(projects, list) else []
    active = str(context.get("active-project") or "")
    for project in listed:
        is_only = not active and len(listed) == 1
        if is_only or active in {str(project.get("project-id")), str(project.get("project-name"))}:
            host = project.get("account-host") or context.get("active-host")
            values = (project.get("token-value"), project.get("account-id"), host)
            return ActiveProject(*(str(value or "").strip() for value in values))
    if not listed:
        return ActiveProject(fault=f"{SETTINGS_FILE} lists no projects.")
    return ActiveProject(fault=f"{SETTINGS_FILE} does not say which of its projects is active.")
