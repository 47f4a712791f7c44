"""GitHub: github.com and Enterprise Server, with a token or as a GitHub App."""

from integrations.connectors.github.connector import GitHub

__all__ = ["GitHub"]
