"""What every test may ask for."""

pytest_plugins = [
    "airflow_dbt_cloud.testing",
    "inline_airflow",
    "moments",
    "rehearsal",
    "real_airflow.plugin",
    "wires.plugin",
]
