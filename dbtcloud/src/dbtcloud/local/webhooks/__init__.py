"""Webhooks: subscriptions and events, the log of what was sent, and the sender."""
