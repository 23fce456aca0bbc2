"""The environment of a test's Airflow: a home of its own, and nothing of the user's configuration."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from real_airflow.processes import free_port

LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
USER, PASSWORD = "admin", "a made-up password"


@dataclass(frozen=True)
class Settings:
    """What a test's Airflow is told: where it lives, its database, its DAG folders, and extra variables."""

    home: Path
    database: str
    dag_folders: tuple[Path, ...]
    extra: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Where the web pages and the REST API are served."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Give the environment variables of every Airflow process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        # Tasks start `airflow` and `python` by name.
        kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
        own = {"AIRFLOW_HOME": str(self.home), "TMPDIR": str(self._temporary())}
        return kept | own | self._configuration() | dict(self.extra)

    def _configuration(self) -> dict[str, str]:
        return {
            f"AIRFLOW__{section}__{key}": str(value)
            for section, options in self._sections().items()
            for key, value in options.items()
        }

    def _sections(self) -> dict[str, dict[str, object]]:
        return {
            "CORE": {
                "EXECUTOR": "LocalExecutor",
                "PARALLELISM": 4,
                "LOAD_EXAMPLES": False,
                "DAGS_ARE_PAUSED_AT_CREATION": False,
                "TEST_CONNECTION": "Enabled",
                "FERNET_KEY": Fernet.generate_key().decode(),
                "EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
                "SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
                "SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": self._passwords(),
            },
            "DATABASE": {"SQL_ALCHEMY_CONN": self.database},
            "API": {"HOST": "127.0.0.1", "PORT": self.port, "BASE_URL": self.url, "WORKERS": 1},
            # Airflow 3.1.0 without an issuer cannot make a token with a later PyJWT than its own.
            "API_AUTH": {"JWT_SECRET": "s" * 64, "JWT_ISSUER": "tests"},
            "DAG_PROCESSOR": {"DAG_BUNDLE_CONFIG_LIST": self._bundles(), "MIN_FILE_PROCESS_INTERVAL": 600},
            "LOGGING": {"WORKER_LOG_SERVER_PORT": free_port(), "TRIGGER_LOG_SERVER_PORT": free_port()},
            # What has died is noticed within seconds.
            "SCHEDULER": {
                "TASK_INSTANCE_HEARTBEAT_TIMEOUT": 30,
                "TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 2,
            },
            "TRIGGERER": {"JOB_HEARTBEAT_SEC": 1, "TRIGGERER_HEALTH_CHECK_THRESHOLD": 10},
            "WORKERS": {"MIN_HEARTBEAT_INTERVAL": 2},
            "USAGE_DATA_COLLECTION": {"ENABLED": False},
        }

    def _temporary(self) -> Path:
        folder = self.home / "tmp"
        folder.mkdir(exist_ok=True)
        return folder

    def _passwords(self) -> Path:
        path = self.home / "passwords.json"
        path.write_text(json.dumps({USER: PASSWORD}))
        return path

    def _bundles(self) -> str:
        return json.dumps([_bundle(folder) for folder in self.dag_folders])


def _bundle(folder: Path) -> dict[str, object]:
    """Declare a folder of DAG files, looked at again every few seconds."""
    where = {"path": str(folder), "refresh_interval": 5}
    return {"name": f"tests_{folder.name}", "classpath": LOCAL_BUNDLE, "kwargs": where}
