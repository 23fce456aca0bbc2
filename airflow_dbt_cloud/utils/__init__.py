"""Functions at the import paths of the official provider."""
