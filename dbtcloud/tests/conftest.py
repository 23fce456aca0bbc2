"""Fixtures for every test of `dbtcloud`."""

import signal

from hypothesis import settings

pytest_plugins = ["dbtcloud.testing", "extensive", "moments", "rehearsal", "wires.plugin"]

# A shell that starts pytest in the background makes it ignore SIGINT, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in each run; how long one takes depends on what else the machine does.
settings.register_profile("any machine", deadline=None, derandomize=True)
settings.load_profile("any machine")
