"""Run a real dbt project by a real Airflow and a local dbt Cloud; `--ui` leaves both running instead."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from airflow_home import DAG_ID, AirflowHome
from narration import tell, told
from pages import serve_pages
from summary import summarise

from dbtcloud.local.server.in_thread import LocalDbtCloud
from dbtcloud.testing import connection_json

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = PROJECT / ".demo"


def main() -> int:
    """Give the exit status: 0 when dbt built everything and Airflow saw it."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--ui", action="store_true", help="leave Airflow's web pages and dbt Cloud running")
    wants_pages = parser.parse_args().ui
    tell("dbt: an environment of its own, made once")
    subprocess.run([sys.executable, "-m", "dbtcloud.cli", "prepare"], check=True)
    artifacts = FOLDER / "dbt-cloud"
    shutil.rmtree(artifacts, ignore_errors=True)
    with LocalDbtCloud(data_dir=artifacts) as cloud:
        tell(f"dbt Cloud: served on {cloud.url}, account {cloud.account_id}")
        home = AirflowHome(FOLDER / "airflow", PROJECT / "example_dags", connection_json(cloud))
        tell(f"Airflow {home.version()}: migrating the database in {home.folder}")
        home.migrate()
        return serve_pages(home, cloud) if wants_pages else run(home, cloud, artifacts)


def run(home: AirflowHome, cloud: LocalDbtCloud, artifacts: Path) -> int:
    """Run the deferred example and show what came of it."""
    tell(f"DAG {DAG_ID}: example_dags/{DAG_ID}.py, which waits in a trigger")
    airflow_succeeded = told(
        home.command("dags", "test", DAG_ID), home.environment(), home.folder / "run.log"
    )
    dbt_succeeded = summarise(cloud, artifacts)
    if not airflow_succeeded:
        print(f"Airflow's run failed; its whole log is in {home.folder / 'run.log'}")
    return 0 if airflow_succeeded and dbt_succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
