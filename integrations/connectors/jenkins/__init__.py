"""Jenkins: controllers of the weekly and the long-term support line."""

from integrations.connectors.jenkins.connector import Jenkins

__all__ = ["Jenkins"]
