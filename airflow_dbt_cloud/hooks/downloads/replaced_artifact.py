"""Stores what a replaced `get_job_run_artifact` returns."""

from __future__ import annotations

import json
from typing import Any

from airflow_dbt_cloud.hooks.downloads.storage import Target, resolve_destination
from dbtcloud.client.downloads.atomic_download import AtomicDownload


def body_of(answer: Any, path: str) -> bytes:
    """Return an artifact's bytes: those of a response, else of `json()` or `text`."""
    content = getattr(answer, "content", None)
    if isinstance(content, bytes):
        return content
    text = json.dumps(answer.json()) if path.endswith(".json") else answer.text
    return str(text).encode()


def store_artifact(answer: Any, path: str, target: Target) -> str:
    """Write an artifact to a file or an object store, and return the target as text.

    Raises:
        DbtCloudError: If it cannot be written.
    """
    where = resolve_destination(target)
    with AtomicDownload(where, f"Artifact {path!r}") as file:
        file.begin()
        file.write(body_of(answer, path))
        file.end()
    return str(where)
