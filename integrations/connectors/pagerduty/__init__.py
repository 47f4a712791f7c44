"""PagerDuty."""

from integrations.connectors.pagerduty.connector import PagerDuty

__all__ = ["PagerDuty"]
