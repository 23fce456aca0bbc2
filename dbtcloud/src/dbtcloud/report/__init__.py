"""The report and the retry plan of a run, computed from the run, its steps and its artifacts."""
