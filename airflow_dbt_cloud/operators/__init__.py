"""Operators for dbt Cloud."""
