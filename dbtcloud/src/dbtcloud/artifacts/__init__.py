"""Readers of the artifacts that dbt writes, from any binary stream."""
