"""An incident as PagerDuty writes it, the draft that is made of it, and webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connectors.base import Settings
from integrations.connectors.drafts import MISSING, IncidentDraft
from integrations.connectors.errors import SchemaError
from integrations.connectors.pagerduty.connector import PagerDuty
from integrations.connectors.pagerduty.incidents import normalise_incident
from integrations.enums import Kind

PAGERDUTY = PagerDuty(Settings({"base_url": "https://api.example.com"}, {"token": "x"}))


def at(hour: int) -> datetime:
    return datetime(2026, 3, 2, hour, tzinfo=UTC)


def incident(**more: Any) -> dict[str, Any]:
    usual = {
        "id": "PT4KHLK",
        "type": "incident",
        "incident_number": 1234,
        "title": "The server is on fire",
        "status": "resolved",
        "urgency": "high",
        "service": {"id": "PF9KMXH", "summary": "Shop"},
        "created_at": "2026-03-02T09:00:00Z",
        "resolved_at": "2026-03-02T12:00:00Z",
    }
    return {**usual, **more}


def entry(kind: str, hour: int) -> dict[str, str]:
    return {"type": f"{kind}_log_entry", "created_at": at(hour).isoformat()}


def draft_of(of: dict[str, Any], *entries: dict[str, str], log: bool = True) -> IncidentDraft:
    (draft,) = normalise_incident({"incident": of, **({"log_entries": list(entries)} if log else {})})
    return draft


def test_times_are_those_of_the_log() -> None:
    draft = draft_of(incident(), entry("resolve", 12), entry("acknowledge", 11), entry("acknowledge", 10))
    assert (draft.started_at, draft.acknowledged_at, draft.resolved_at) == (at(9), at(10), at(12))
    assert (draft.key, draft.service, draft.native_severity) == ("#1234", "PF9KMXH", "high")


def test_an_incident_that_was_opened_again_ends_for_the_last_time() -> None:
    entries = (entry("resolve", 10), entry("unacknowledge", 11), entry("resolve", 14))
    assert draft_of(incident(), *entries).resolved_at == at(14)
    assert draft_of(incident(status="triggered", resolved_at=None), *entries).resolved_at is None


def test_one_that_was_resolved_before_anybody_acknowledged_it_was_never_acknowledged() -> None:
    assert draft_of(incident(), entry("resolve", 10)).acknowledged_at is None
    assert draft_of(incident(), log=False).acknowledged_at is MISSING


def test_three_hundred_escalations_change_no_time() -> None:
    escalations = [entry("escalate", 10) for _ in range(300)]
    assert draft_of(incident(), *escalations, entry("acknowledge", 11)).acknowledged_at == at(11)


def test_a_time_that_cannot_be_leaves_out_its_entry_alone() -> None:
    odd = {"type": "acknowledge_log_entry", "created_at": "0001-01-01T00:00:00Z"}
    draft = draft_of(incident(), odd, entry("acknowledge", 11))
    assert draft.acknowledged_at == at(11)
    assert draft.left_out == ("log_entries[0].created_at",)


def test_an_incident_that_was_merged_is_none_of_its_own() -> None:
    merged = incident(resolve_reason={"type": "merge_resolve_reason", "incident": {"id": "PX"}})
    assert draft_of(merged).deleted


@pytest.mark.parametrize(("priority", "severity"), [({"summary": "SEV-1"}, "SEV-1"), (None, "high"), ({}, "high")])
def test_a_priority_says_more_than_an_urgency(priority: dict[str, str] | None, severity: str) -> None:
    assert draft_of(incident(priority=priority)).native_severity == severity


def test_what_is_not_as_documented_names_its_field() -> None:
    with pytest.raises(SchemaError) as refused:
        draft_of(incident(created_at=None))
    assert refused.value.path == "incident.created_at"


# Webhooks --------------------------------------------------------------------------------------------------------


def signed(body: bytes, *secrets: str) -> dict[str, str]:
    signatures = [hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets]
    return {"x-pagerduty-signature": ",".join(f"v1={one}" for one in signatures), "x-webhook-id": "d-1"}


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {"event": {"id": "E1", "event_type": kind, "occurred_at": "2026-03-02T12:00:00Z", "data": data}}


def test_either_signature_does_while_a_secret_is_replaced() -> None:
    body = json.dumps(event("incident.resolved")).encode()
    arrival = PAGERDUTY.arrival(signed(body, "new", "old"), body, "old")
    assert arrival is not None
    assert (arrival.delivery_id, arrival.event) == ("d-1", "incident.resolved")
    assert PAGERDUTY.arrival(signed(body, "new"), body, "old") is None
    assert PAGERDUTY.arrival({**signed(body, "old"), "x-webhook-id": ""}, body, "old") is None
    assert PAGERDUTY.arrival({"x-pagerduty-signature": "v2=00", "x-webhook-id": "d"}, body, "old") is None


def test_a_resolved_incident_is_stored_at_once_and_its_log_read_soon() -> None:
    payload = event("incident.resolved", **incident(resolved_at=None, description="Secret words", number=1234))
    (record,) = PAGERDUTY.deliveries("incident.resolved", payload) or ()
    assert "Secret words" not in json.dumps(record.payload)
    (draft,) = record.normalise(record.payload)
    assert isinstance(draft, IncidentDraft)
    assert (draft.native_status, draft.acknowledged_at, draft.updated_at) == ("resolved", MISSING, at(12))
    assert PAGERDUTY.news("incident.resolved", payload) == ("PF9KMXH", Kind.INCIDENT)


def test_other_events_are_not_used() -> None:
    assert PAGERDUTY.deliveries("service.updated", event("service.updated", type="service")) is None
    assert PAGERDUTY.deliveries("incident.annotated", event("incident.annotated", type="incident_note")) is None
    assert PAGERDUTY.deliveries("incident.triggered", {"event": "none"}) is None
