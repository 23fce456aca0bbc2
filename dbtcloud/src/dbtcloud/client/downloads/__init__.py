"""Download artifacts to files and read them."""
