"""The hook for dbt Cloud, and what it is made of."""

from airflow_dbt_cloud import require_same_version

require_same_version()
