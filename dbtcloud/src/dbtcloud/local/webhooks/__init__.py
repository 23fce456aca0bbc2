"""Webhooks: their payloads, the log of what was sent, and the sender."""
