"""Writing artifacts to files and object stores."""
