"""Status and progress of job runs, for operators, sensors, triggers and the hook."""
