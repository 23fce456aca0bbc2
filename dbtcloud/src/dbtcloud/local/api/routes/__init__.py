"""The routes of the Admin API: a handler for each endpoint, and at the end of each module its `ROUTES`."""
