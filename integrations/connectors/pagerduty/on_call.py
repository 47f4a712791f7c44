"""Who is on call for a service in the coming month: the basis of a proposal for its owner.

https://developer.pagerduty.com/api-reference/: the entries of all escalation policies at once.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.base import Http
from integrations.connectors.errors import CredentialRefusedError, PermanentError
from integrations.connectors.pagerduty.lists import list_all

AHEAD = timedelta(days=30)  # in which most rotations come round once


def on_call_by_policy(http: Http, *, now: datetime) -> dict[str, list[str]]:
    """E-mail addresses by the id of the escalation policy; empty for a key that may not see schedules."""
    params = {
        "since": now.isoformat(timespec="seconds"),
        "until": (now + AHEAD).isoformat(timespec="seconds"),
        "include[]": "users",
    }
    called: dict[str, set[str]] = defaultdict(set)
    try:
        for entry in list_all(http, "oncalls", "oncalls", params):
            if isinstance(entry, dict) and (email := _of(entry, "user", "email")):
                called[_of(entry, "escalation_policy", "id")].add(email.lower())
    except CredentialRefusedError:
        raise
    except PermanentError:
        return {}
    return {policy: sorted(emails) for policy, emails in called.items()}


def policy_of(service: dict[str, Any]) -> str:
    return _of(service, "escalation_policy", "id")


def _of(record: dict[str, Any], part: str, name: str) -> str:
    held = record.get(part)
    value = held.get(name) if isinstance(held, dict) else None
    return value if isinstance(value, str) else ""
