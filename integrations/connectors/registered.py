"""Imports every connector, each of which registers itself; add a new one here."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.connectors import gitea, github, jenkins, jira, pagerduty  # noqa: F401
from integrations.connectors.base import Connector, registry


def connectors() -> Mapping[str, type[Connector]]:
    """All registered providers, by slug."""
    return dict(registry)
