"""Pages and artifacts that are read in several threads."""
