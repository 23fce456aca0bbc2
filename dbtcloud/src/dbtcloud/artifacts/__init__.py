"""Readers of what dbt writes about a run; they know the files, not where they come from."""
