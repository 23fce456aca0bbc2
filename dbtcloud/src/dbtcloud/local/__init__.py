"""dbt Cloud on your own machine: its Admin API, served on loopback, with real dbt behind it."""
