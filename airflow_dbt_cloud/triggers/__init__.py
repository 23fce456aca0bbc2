"""Triggers for dbt Cloud."""
