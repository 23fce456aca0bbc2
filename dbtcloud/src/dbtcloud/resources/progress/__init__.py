"""The progress of a run: polls, lines of its logs, and a bar in a terminal."""
