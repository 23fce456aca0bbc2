"""dbt Core in an environment of its own: made once, run as processes, never imported."""
