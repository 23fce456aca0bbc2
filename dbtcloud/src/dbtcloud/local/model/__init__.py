"""The vocabulary of the local dbt Cloud: records, errors, the clock and the plan of a run."""
