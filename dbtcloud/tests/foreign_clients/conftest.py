"""Fixtures for tests with other people's clients."""

from foreign_client import certificate, certificate_authority, client, refused, server

__all__ = ["certificate", "certificate_authority", "client", "refused", "server"]
