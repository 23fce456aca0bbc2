"""Checks and types of the arguments of resources."""
