"""Fixtures for every test of `dbtcloud`."""

pytest_plugins = ["dbtcloud.testing", "extensive", "moments", "rehearsal", "wires.plugin"]
