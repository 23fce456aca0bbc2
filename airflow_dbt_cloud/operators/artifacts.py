"""The operator that fetches an artifact of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.operators.hooked import HookedOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class DbtCloudGetJobRunArtifactOperator(HookedOperator):
    """Fetch an artifact of a run into a file; returns the file's name.

    Args:
        run_id: The run.
        path: The artifact, such as "manifest.json" or "compiled/shop/models/orders.sql".
        step: The step whose artifact is meant; the last if None.
        output_file_name: Where to write it; `{run_id}_{path}` with `/` as `-` if None. Relative names are
            relative to the worker's folder.
        kwargs: Arguments of `HookedOperator` and of Airflow's BaseOperator.

    Raises:
        DbtCloudApiException: If there is no such artifact, or dbt Cloud cannot be reached.
    """

    template_fields = ("dbt_cloud_conn_id", "run_id", "path", "account_id", "output_file_name")

    def __init__(
        self,
        *,
        run_id: int | str,
        path: str,
        step: int | None = None,
        output_file_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id
        self.path = path
        self.step = step
        self.output_file_name = output_file_name
        self._names_itself = output_file_name is None
        if output_file_name is None:
            self.output_file_name = self._default_name()

    def _default_name(self) -> str:
        """Before rendering a template, so that other tasks can refer to it when the DAG is parsed."""
        return f"{self.run_id}_{self.path}".replace("/", "-")

    def execute(self, context: Context) -> str:  # noqa: ARG002 -- Airflow's signature
        """Fetch the artifact and write its bytes as they came."""
        artifact = self.hook.get_job_run_artifact(
            run_id=self.run_id, path=self.path, account_id=self._account(), step=self.step
        )
        name = self._default_name() if self._names_itself else str(self.output_file_name)
        target = Path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(artifact.content)
        self.log.info("Wrote %s of run %s to %s.", self.path, self.run_id, target)
        self.output_file_name = name
        return name
