"""What every test may ask for."""

pytest_plugins = [
    "dbtcloud.testing",
    "extensive",
    "inline_airflow",
    "moments",
    "rehearsal",
    "real_airflow.plugin",
    "wires.plugin",
]
