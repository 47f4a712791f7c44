"""Gitea."""

from integrations.connectors.gitea.connector import Gitea

__all__ = ["Gitea"]
