"""Sensors for dbt Cloud."""
