"""The HTML pages: a list of runs, and a page for each run."""
