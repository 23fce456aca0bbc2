"""job_runs."""
