"""The life of a task's run, and the starters that obtain it."""
