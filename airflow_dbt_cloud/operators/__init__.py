"""Operators for dbt Cloud."""

from airflow_dbt_cloud import require_same_version

require_same_version()
