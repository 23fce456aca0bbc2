"""Fixtures for tests of the recipes."""

from recipe_program import fetch, run, site, variables

__all__ = ["fetch", "run", "site", "variables"]
