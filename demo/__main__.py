"""Run a real dbt project with a real Airflow and a local dbt Cloud; `--ui` leaves both running instead."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from airflow_home import DAG_ID, AirflowHome
from output import print_heading, run_and_report
from pages import serve_pages
from summary import summarise

from dbtcloud.local.server.in_thread import LocalDbtCloud
from dbtcloud.testing import connection_json

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = PROJECT / ".demo"


def main() -> int:
    """Return the exit code: 0 if dbt built everything and Airflow reported success."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--ui", action="store_true", help="leave Airflow's web pages and dbt Cloud running")
    wants_pages = parser.parse_args().ui
    print_heading("dbt: installing it into an environment of its own, once")
    subprocess.run([sys.executable, "-m", "dbtcloud.cli", "prepare"], check=True)
    artifacts = FOLDER / "dbt-cloud"
    shutil.rmtree(artifacts, ignore_errors=True)
    with LocalDbtCloud(data_dir=artifacts) as cloud:
        print_heading(f"dbt Cloud: served on {cloud.url}, account {cloud.account_id}")
        home = AirflowHome(FOLDER / "airflow", PROJECT / "example_dags", connection_json(cloud))
        print_heading(f"Airflow {home.version()}: migrating the database in {home.folder}")
        home.migrate()
        return serve_pages(home, cloud) if wants_pages else run(home, cloud, artifacts)


def run(home: AirflowHome, cloud: LocalDbtCloud, artifacts: Path) -> int:
    """Run the deferred example and print its results."""
    print_heading(f"DAG {DAG_ID}: example_dags/{DAG_ID}.py, which waits in the triggerer")
    airflow_succeeded = run_and_report(
        home.command("dags", "test", DAG_ID), home.environment(), home.folder / "run.log"
    )
    dbt_succeeded = summarise(cloud, artifacts)
    if not airflow_succeeded:
        print(f"Airflow's run failed; the complete log is in {home.folder / 'run.log'}")
    return 0 if airflow_succeeded and dbt_succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
