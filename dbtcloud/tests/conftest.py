"""Fixtures for every test of `dbtcloud`."""

pytest_plugins = ["dbtcloud.testing", "moments", "rehearsal", "wires.plugin"]
