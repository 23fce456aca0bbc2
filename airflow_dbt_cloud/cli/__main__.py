"""Lets ``python -m airflow_dbt_cloud.cli`` do what the console script does."""

import sys

from airflow_dbt_cloud.cli import main

sys.exit(main())
