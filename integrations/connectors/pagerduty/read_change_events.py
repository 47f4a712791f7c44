"""The stream of a service's change events, where an admin's rules call some of them deployments.

A change event never changes, so that later readings ask for what came since.  A cursor is {} or {"since"}, or
{"began", "until"} while the first reading goes back.  Without rules nothing is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.base import Cursor, FetchedResource, Http, Page, RawRecord
from integrations.connectors.deployment_rules import Rules
from integrations.connectors.pagerduty.change_events import deployment_of, normalise_change_event
from integrations.connectors.pagerduty.lists import LONGEST_WINDOW, list_window
from integrations.connectors.pagerduty.read_incidents import OVERLAP
from integrations.connectors.unchecked import objects_of, time_of

SOURCE = "change_event"
KEPT_FOR = timedelta(days=365)  # where it is not known since when the service exists


def fetch_change_events(
    http: Http, resource: FetchedResource, cursor: Cursor, *, rules: Rules, now: datetime
) -> Iterator[Page]:
    """Everything from an empty cursor, half a year at once, the newest first; else what came since."""
    if not rules.rules:
        yield Page((), {}, left=0, complete=True)
        return
    if since := cursor.get("since"):
        records = _between(http, resource, rules, datetime.fromisoformat(str(since)), now + OVERLAP)
        yield Page(records, {"since": (now - OVERLAP).isoformat()}, left=0)
        return
    began = str(cursor.get("began") or now.isoformat())
    until = datetime.fromisoformat(str(cursor.get("until") or (now + OVERLAP).isoformat()))
    first = time_of(resource.details, "created_at") or datetime.fromisoformat(began) - KEPT_FOR
    while until > first:
        records = _between(http, resource, rules, until - LONGEST_WINDOW, until)
        until -= LONGEST_WINDOW
        yield Page(records, {"began": began, "until": until.isoformat()})
    yield Page((), {"since": (datetime.fromisoformat(began) - OVERLAP).isoformat()}, left=0, complete=True)


def _between(http: Http, resource: FetchedResource, rules: Rules, since: datetime, until: datetime) -> list[RawRecord]:
    """Those that the rules call deployments."""
    path = f"services/{resource.external_id}/change_events"
    listed = list_window(http, path, "change_events", {}, since=since, until=until)
    found = {str(event.get("id")): event for event in objects_of(list(listed))}
    return [record for event in found.values() if (record := _record(resource, rules, event)) is not None]


def _record(resource: FetchedResource, rules: Rules, event: dict[str, Any]) -> RawRecord | None:
    deployment = deployment_of(rules, event, resource.name)
    if deployment is None:
        return None
    payload = {"event": event, "service": resource.name, "deployment": deployment}
    return RawRecord(payload, normalise_change_event, str(event.get("id", "")), SOURCE)
