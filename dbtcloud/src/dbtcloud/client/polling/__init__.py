"""Polling many runs of an account together, for all that wait for them on one event loop."""
