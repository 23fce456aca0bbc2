"""The vocabulary of the local dbt Cloud: records, errors, the clock, durations and the plan of a run."""
