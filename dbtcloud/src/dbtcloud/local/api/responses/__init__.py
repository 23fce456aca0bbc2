"""Response schemas: what the API answers, written as dbt Cloud does."""
