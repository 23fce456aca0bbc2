"""Doing the same for many pages or artifacts at once, in threads."""
