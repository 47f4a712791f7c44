"""Imports every connector; a new one is added here."""

from integrations.connectors.github import GitHub

__all__ = ["GitHub"]
