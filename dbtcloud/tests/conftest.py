"""Fixtures for every test of `dbtcloud`."""

import signal

pytest_plugins = ["dbtcloud.testing", "extensive", "moments", "rehearsal", "wires.plugin"]

# A shell that starts pytest in the background makes it ignore SIGINT, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
