"""Hooks for dbt Cloud."""
