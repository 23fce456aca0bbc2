"""The configuration of a server: read from options or a YAML file, and resolved to projects that can run."""
