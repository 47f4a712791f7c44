"""Change events that an admin calls deployments, by rules over their service and sender.

https://developer.pagerduty.com/docs/send-change-event

A change event never changes, so later readings request only new ones.  A cursor is {} or {"since"}, or {"began",
"until"} while the first reading goes back.  Without rules nothing is requested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord
from integrations.connectors.deployment_rules import Rules, deployment_by, is_unplanned
from integrations.connectors.drafts import DeploymentDraft
from integrations.connectors.pagerduty.incidents import OVERLAP
from integrations.connectors.pagerduty.lists import LONGEST_WINDOW, list_window
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import object_of, objects_of, time_of
from integrations.enums import RunStatus

SOURCE = "change_event"
KEPT_FOR = timedelta(days=365)  # if the creation time of the service is unknown
_SHA = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT = re.compile(r"https?://[^/]+/[^?#]+?/(?:-/)?commit/(?P<sha>[0-9a-f]{40})")
_REPOSITORY = re.compile(
    r"https?://(?P<remote>[^/]+/[^/?#]+/[^/?#]+)/(?:-/)?(?:commit|pull|actions|tree|releases|pipelines)"
)
SHA_DETAILS = ("sha", "commit", "commit_sha", "revision", "git_sha")
REPOSITORY_DETAILS = ("repository", "repo")


def deployment_of(rules: Rules, event: Json, service: str) -> Json | None:
    """The values by the first rule that matches an event of this service; None: it is no deployment."""
    texts = {name: str(value) for name, value in object_of(event, "custom_details").items()}
    matching = [
        rule for rule in rules.rules if any(rule.matches(f"{service}/{source}") for source in sources_of(event))
    ]
    return deployment_by(matching, texts)


def services_of(event: Json) -> list[str]:
    return [str(one.get("summary") or one.get("id") or "") for one in objects_of(event.get("services"))]


def sources_of(event: Json) -> list[str]:
    """The sender: the integration, and the name that it gave itself."""
    named = [object_of(event, "integration").get("summary"), event.get("source")]
    return [str(name) for name in named if name] or [""]


def normalise_change_event(payload: Json) -> list[DeploymentDraft]:
    """`event` from the list, `service` whose list it was, `deployment` with the values by its rule.

    An event that names no repository is placed by the name of its service.  It is a deployment of the repository, like
    those of code hosts, so that both are one rollout, unless the rule names a service.
    """
    reader = Reader(payload)
    event = reader.object("event") or Reader(None, "event")
    values = reader.object("deployment") or Reader({}, "deployment")
    at = event.time("timestamp")
    links = [link.text("href", default="") for link in event.objects("links")]
    repository = values.text("repository", default="") or _repository(payload["event"], links)
    return [
        DeploymentDraft(
            external_id=event.identifier("id"),
            updated_at=at,
            repository=repository or reader.text("service", default=""),
            service=values.text("service", default=""),
            native_environment=values.text("environment"),
            status=RunStatus.SUCCESS,
            native_status="change event",
            sha=_sha(values.text("sha", default=""), payload["event"], links),
            url=event.text("html_url", default="") or next((link for link in links if link), ""),
            created_at=at,
            started_at=at,
            finished_at=at,
            unplanned=is_unplanned(values.text("unplanned", default="")),
            left_out=tuple(reader.left_out),
        )
    ]


def _sha(ruled: str, event: Json, links: Sequence[str]) -> str:
    """The commit by the rule, else from the event's details, else from a link to the commit."""
    named = (_detail(event, name) for name in SHA_DETAILS)
    linked = (found["sha"] for link in links if (found := _COMMIT.match(link)))
    return next((sha.lower() for sha in (ruled, *named, *linked) if _SHA.fullmatch(sha.lower())), "")


def _repository(event: Json, links: Sequence[str]) -> str:
    """The repository that the event names, else the address that its links begin with."""
    named = next((name for detail in REPOSITORY_DETAILS if (name := _detail(event, detail))), "")
    return named or next((found["remote"] for link in links if (found := _REPOSITORY.match(link))), "")


def _detail(event: Json, name: str) -> str:
    value = object_of(event, "custom_details").get(name)
    return value.strip() if isinstance(value, str) else ""


def fetch_change_events(
    http: Http, resource: FetchedResource, cursor: Cursor, *, rules: Rules, now: datetime
) -> Iterator[Page]:
    """Read everything from an empty cursor, half a year at a time, newest first; else events since the last reading."""
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
    """The events in the window that the rules call deployments."""
    path = f"services/{resource.external_id}/change_events"
    listed = list_window(http, path, {}, since=since, until=until)
    found = {str(event.get("id")): event for event in objects_of(list(listed))}
    return [record for event in found.values() if (record := _record(resource, rules, event)) is not None]


def _record(resource: FetchedResource, rules: Rules, event: dict[str, Any]) -> RawRecord | None:
    deployment = deployment_of(rules, event, resource.name)
    if deployment is None:
        return None
    payload = {"event": event, "service": resource.name, "deployment": deployment}
    return RawRecord(payload, normalise_change_event, str(event.get("id", "")), SOURCE)
