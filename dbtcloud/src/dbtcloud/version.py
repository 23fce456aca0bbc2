"""The version of this package, in a module of its own because modules of all layers need it."""

__version__ = "0.1.0"
