"""Run a dbt Cloud job from a script, and print what became of each model.

    python script.py JOB

JOB is the job's id or its name. The exit code is 0 if the run succeeded. The script reads DBT_CLOUD_TOKEN,
DBT_CLOUD_ACCOUNT_ID and DBT_CLOUD_HOST.
"""

import sys

from dbtcloud import run_dbt_cloud_job
from dbtcloud.errors import DbtCloudError


def main(job: str) -> int:
    """Run the job and return the exit code."""
    result = run_dbt_cloud_job(job, cause="Started by a script", wait_seconds=2, timeout=3600)
    for row in result.report.to_rows():
        print(f"{row['status']:8} {row['unique_id']}")
    print(f"Run {result.run_id}: {result['status_humanized']} ({result.url})")
    return 0 if result.is_successful else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"Usage: {sys.argv[0]} JOB")
    try:
        sys.exit(main(sys.argv[1]))
    except DbtCloudError as error:
        sys.exit(f"{error}")
