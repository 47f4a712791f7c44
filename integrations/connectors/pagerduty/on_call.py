"""Who is on call for a service in the coming month: the basis of a proposal for its owner.

https://developer.pagerduty.com/api-reference/: the entries of all escalation policies at once.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from integrations.connectors.base import Http, Json
from integrations.connectors.errors import PermanentError
from integrations.connectors.pagerduty.lists import list_all
from integrations.connectors.unchecked import object_of, text_of

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
            if email := text_of(object_of(entry, "user"), "email"):
                called[policy_of(entry)].add(email.lower())
    except PermanentError:
        return {}
    return {policy: sorted(emails) for policy, emails in called.items()}


def policy_of(record: Json) -> str:
    """The id of the escalation policy of a service, or of an entry of the schedule."""
    return text_of(object_of(record, "escalation_policy"), "id")
