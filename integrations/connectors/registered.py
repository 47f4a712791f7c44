"""Imports every connector; add a new one here."""

from integrations.connectors.github import GitHub

__all__ = ["GitHub"]
