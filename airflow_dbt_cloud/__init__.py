"""Run dbt Cloud jobs from Apache Airflow."""

__version__ = "0.1.0"
