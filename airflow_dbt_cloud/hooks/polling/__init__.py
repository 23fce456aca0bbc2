"""Polling the status of runs, in a triggerer and on a worker."""
