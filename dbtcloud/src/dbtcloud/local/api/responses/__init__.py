"""Responses of the API, with the fields that dbt Cloud's have."""
