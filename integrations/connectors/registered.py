"""Imports every connector, each of which registers itself; add a new one here."""

from __future__ import annotations

from collections.abc import Mapping

import integrations.connectors.anthropic.connector
import integrations.connectors.azure.connector
import integrations.connectors.bitbucket.connector
import integrations.connectors.copilot.connector
import integrations.connectors.cursor.connector
import integrations.connectors.gemini.connector
import integrations.connectors.gitea.connector
import integrations.connectors.github.connector
import integrations.connectors.gitlab.connector
import integrations.connectors.harness.connector
import integrations.connectors.jenkins.connector
import integrations.connectors.jira.connector
import integrations.connectors.linear.connector
import integrations.connectors.openai.connector
import integrations.connectors.pagerduty.connector
import integrations.connectors.servicenow.connector
import integrations.connectors.sonarqube.connector  # noqa: F401
from integrations.connectors.base import Connector, registry


def connectors() -> Mapping[str, type[Connector]]:
    """All registered providers, by slug."""
    return dict(registry)
