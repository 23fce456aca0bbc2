"""A real Airflow for tests: PostgreSQL, scheduler, triggerer, DAG processor and API server as processes."""

from real_airflow.instance import RealAirflow
from real_airflow.runs import Outcome, Run, TaskInstance

__all__ = ["Outcome", "RealAirflow", "Run", "TaskInstance"]
