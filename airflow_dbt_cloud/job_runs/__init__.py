"""What operators, sensors, triggers and the hook share about a job run."""
