"""Calls that create, change and delete what an account has: projects, variables, webhook subscriptions."""
