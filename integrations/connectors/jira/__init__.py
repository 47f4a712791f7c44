"""Jira: Cloud, and Data Center until its end in March 2029."""

from integrations.connectors.jira.connector import Jira

__all__ = ["Jira"]
