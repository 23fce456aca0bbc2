"""Fixtures for tests with other people's clients."""

from foreign_client import certificate, client, refused, server

__all__ = ["certificate", "client", "refused", "server"]
