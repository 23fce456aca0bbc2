"""dbt Cloud from any Python program, and a dbt Cloud on your own machine."""

__version__ = "0.1.0"
