"""Fuzzing: the recorded answers of the local dbt Cloud, odd changes to them, and all that reads them."""
