"""What every test may ask for."""

import signal

pytest_plugins = [
    "dbtcloud.testing",
    "extensive",
    "inline_airflow",
    "moments",
    "rehearsal",
    "real_airflow.plugin",
    "single_task",
    "wires.plugin",
]

# A shell that starts pytest in the background makes it ignore SIGINT, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
