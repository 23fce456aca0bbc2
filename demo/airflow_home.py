"""An Airflow in a folder of its own, without the user's configuration."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

DAG_ID = "run_deferred"
LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"


class AirflowHome:
    """A home folder with a SQLite database, one folder of DAGs and one connection."""

    def __init__(self, folder: Path, dags: Path, connection: str) -> None:
        self.folder, self._dags, self._connection = folder, dags, connection
        folder.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def version() -> str:
        """Return the version of the installed Airflow."""
        return version("apache-airflow")

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """Return an `airflow` command of this environment."""
        return [sys.executable, "-m", "airflow", *arguments]

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment variables that make every Airflow process use this home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
        bundle = {"name": "demo", "classpath": LOCAL_BUNDLE, "kwargs": {"path": str(self._dags)}}
        # `airflow standalone` looks its components up on PATH.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        return {
            **kept,
            "PATH": path,
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW_CONN_DBT_CLOUD_DEFAULT": self._connection,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
            **more,
        }

    def migrate(self) -> None:
        """Create or update the database.

        Raises:
            SystemExit: If that fails, with the output of Airflow.
        """
        done = subprocess.run(
            self.command("db", "migrate"), env=self.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"airflow db migrate failed:\n{done.stdout}{done.stderr}")
