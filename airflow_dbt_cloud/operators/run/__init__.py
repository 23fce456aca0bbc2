"""How a task comes to its run, follows it, and ends it."""
