"""Measurements beside the provider that this one replaces; each module is one command, see README.md."""
