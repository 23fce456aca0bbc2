"""The Admin API's endpoints that are served, one handler each; a route table closes each module."""
