"""Request schemas: query parameters and bodies, read and checked as dbt Cloud does."""
