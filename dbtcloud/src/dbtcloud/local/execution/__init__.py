"""The execution of one run of real dbt: its steps, its profile and its cancellation."""
