"""What a finished run has to say, worked out from the run, its steps and its artifacts."""
