"""dbt Core, installed in its own virtual environment and run as a child process."""
