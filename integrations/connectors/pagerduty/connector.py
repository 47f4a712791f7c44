"""PagerDuty as a connector: its form, its streams, and their readers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import ClassVar
from urllib.parse import urlsplit

from integrations.connectors.base import (
    Arrival,
    CheckedPermission,
    Cursor,
    FetchedResource,
    Field,
    Http,
    Json,
    Page,
    RawRecord,
    ResourceDraft,
    register,
    signed_with_sha256,
    tried,
)
from integrations.connectors.deployment_rules import SETTING, ConnectorWithRules, Rules
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.json_text import json_or_none
from integrations.connectors.pagerduty.change_events import SOURCE as CHANGE_EVENT
from integrations.connectors.pagerduty.change_events import (
    deployment_of,
    fetch_change_events,
    normalise_change_event,
    services_of,
)
from integrations.connectors.pagerduty.incidents import SOURCE, fetch_incidents, normalise_incident, without_texts
from integrations.connectors.pagerduty.lists import list_all, list_page, list_window
from integrations.connectors.unchecked import object_of, objects_of, text_of
from integrations.enums import Kind, ResourceKind

USE_ACCOUNT_KEY = "Use a read-only key of the account."
LOOKED_AT, LOOKED_BACK = 100, timedelta(days=30)  # change events examined by Test connection
AHEAD = timedelta(days=30)  # range of on-call schedules read: most rotations come round once
MOST_SIGNATURES = 10  # per delivery; each costs a hash of its body


@register
class PagerDuty(ConnectorWithRules):
    """Services, their incidents, and the incidents' history."""

    slug = "pagerduty"
    name = "PagerDuty"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.SERVICE: (Kind.INCIDENT, Kind.DEPLOYMENT)}
    fields: ClassVar[Sequence[Field]] = (
        Field(
            "base_url",
            "Base URL",
            "REST API address; accounts in the EU service region use https://api.eu.pagerduty.com.",
            default="https://api.pagerduty.com",
        ),
        Field("token", "API key", "A read-only key is enough: Integrations → API Access Keys.", secret=True),
        Field(
            SETTING,
            "Change events that are deployments",
            "One rule per line: a pattern of service/source, then environment= and, if needed, service=, repository=, "
            "sha= or unplanned=. */GitHub*: environment=production matches all events from GitHub; {environment} "
            "stands for the event's detail of that name. Empty: none. After a change, press Full sync.",
            required=False,
            multiline=True,
        ),
    )
    permissions = """\
- A **read-only REST API key** of the account: Integrations → API Access Keys → Create New API Key → Read-only. A
  user's key sees what that user sees.
- **Webhook** (optional): Integrations → Generic Webhooks (v3) → New Webhook, with the address that is shown here after
  saving, for the account or for services, all *incident* events. PagerDuty shows the secret once; enter it here as the
  webhook's secret. Without it the schedule finds everything some minutes later.
"""

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        """An account's pages are at its own name, https://acme.pagerduty.com or https://acme.eu.pagerduty.com."""
        try:
            host = urlsplit(values.get("base_url", "").strip()).hostname or ""
        except ValueError:
            return values
        if not host.endswith(".pagerduty.com") or host.startswith("api."):
            return values
        region = "eu." if host.endswith(".eu.pagerduty.com") else ""
        return {**values, "base_url": f"https://api.{region}pagerduty.com"}

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {
            "authorization": f"Token token={self.settings.secrets.get('token', '')}",
            "accept": "application/vnd.pagerduty+json;version=2",
        }

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        services, _ = list_page(http, "services", {})
        remedy = "" if services else "None is visible. Use a key of the account, or of a user who sees all services."
        return [
            CheckedPermission("Services", works=bool(services), remedy=remedy),
            tried(
                "Incidents",
                lambda: list_page(http, "incidents", {"date_range": "all"}),
                USE_ACCOUNT_KEY,
            ),
            tried("Log entries", lambda: list_page(http, "log_entries", {}), USE_ACCOUNT_KEY),
            tried("On-call schedules", lambda: list_page(http, "oncalls", {}), USE_ACCOUNT_KEY),
            _change_events(http, self.rules, now=datetime.now(UTC)),
        ]

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        on_call = on_call_by_policy(http, now=datetime.now(UTC))
        for service in list_all(http, "services"):
            if isinstance(service, dict) and service.get("id"):
                yield ResourceDraft(
                    ResourceKind.SERVICE,
                    external_id=str(service["id"]),
                    name=str(service.get("name") or service.get("summary") or service["id"]),
                    url=str(service.get("html_url") or ""),
                    archived=service.get("status") == "disabled",
                    details={
                        "created_at": str(service.get("created_at") or ""),
                        "on_call": on_call.get(policy_of(service), []),
                    },
                )

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        if kind == Kind.DEPLOYMENT:
            yield from fetch_change_events(http, resource, cursor, rules=self.rules, now=now)
        else:
            yield from fetch_incidents(http, resource, cursor, now=now)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return normalise_change_event(payload) if source == CHANGE_EVENT else normalise_incident(payload)

    # Webhooks, version 3 ----------------------------------------------------------------------------------------

    def arrival(self, headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
        """The delivery; while a secret is replaced, there are signatures of both, separated by commas."""
        signatures = [part.strip() for part in headers.get("x-pagerduty-signature", "").split(",")]
        given = [part.removeprefix("v1=") for part in signatures if part.startswith("v1=")]
        delivery = headers.get("x-webhook-id", "")
        if not delivery or not any(signed_with_sha256(body, secret, one) for one in given[:MOST_SIGNATURES]):
            return None
        about = object_of(json_or_none(body), "event")
        return Arrival(delivery, text_of(about, "event_type") or "unknown")

    def deliveries(self, event: str, payload: Json) -> Iterable[RawRecord] | None:
        incident = _incident_of(event, payload)
        if incident is None:
            return None
        about = payload["event"]
        record: Json = {"incident": without_texts(incident), "occurred_at": about.get("occurred_at")}
        return [RawRecord(record, normalise_incident, str(incident.get("id", "")), SOURCE)]

    def news(self, event: str, payload: Json) -> tuple[str, Kind] | None:
        """The service whose incident has changed: only its log says who acknowledged it and when."""
        service = text_of((_incident_of(event, payload) or {}).get("service"), "id")
        return (service, Kind.INCIDENT) if service else None


def _incident_of(event: str, payload: Json) -> Json | None:
    """The incident in a delivery; None for events of anything else, such as a note or a responder."""
    incident = object_of(payload, "event", "data")
    return incident if event.startswith("incident.") and incident.get("type") == "incident" else None


def _change_events(http: Http, rules: Rules, *, now: datetime) -> CheckedPermission:
    """The change events of the last month that count as deployments by the rules, with examples."""
    what = "Change events"
    try:
        listed = list_window(http, "change_events", {}, since=now - LOOKED_BACK, until=now)
        events = objects_of(list(islice(listed, LOOKED_AT)))
    except PermanentError as problem:
        remedy = f"{problem.problem} {USE_ACCOUNT_KEY}"
        return CheckedPermission(what, works=not rules.rules, remedy=remedy)
    deployed = [
        (event, values["environment"])
        for event in events
        for service in services_of(event)[:1]
        if (values := deployment_of(rules, event, service)) is not None
    ]
    examples = [f"“{event.get('summary') or event.get('id')}” → {environment}" for event, environment in deployed[:2]]
    named = f", such as {' and '.join(examples)}" if examples else ""
    count = f"{len(events):,}{' or more' if len(events) == LOOKED_AT else ''} in the last {LOOKED_BACK.days} days"
    return CheckedPermission(f"{what}: {count}, {len(deployed):,} of them deployments{named}", works=True)


def on_call_by_policy(http: Http, *, now: datetime) -> dict[str, list[str]]:
    """E-mail addresses of those on call in the coming month, by the id of the escalation policy.

    Empty for a key that may not see schedules.
    """
    params = {
        "since": now.isoformat(timespec="seconds"),
        "until": (now + AHEAD).isoformat(timespec="seconds"),
        "include[]": "users",
    }
    called: dict[str, set[str]] = defaultdict(set)
    try:
        for entry in list_all(http, "oncalls", params):
            if email := text_of(object_of(entry, "user"), "email"):
                called[policy_of(entry)].add(email.lower())
    except PermanentError:
        return {}
    return {policy: sorted(emails) for policy, emails in called.items()}


def policy_of(record: Json) -> str:
    """The id of the escalation policy of a service, or of an entry of the schedule."""
    return text_of(object_of(record, "escalation_policy"), "id")
