"""Incidents and what happened to them."""

from __future__ import annotations

from datetime import datetime

from integrations.connectors.base import Json
from integrations.connectors.drafts import MISSING, IncidentDraft, Missing, shown_title
from integrations.connectors.reader import Reader

ACKNOWLEDGED, RESOLVED = "acknowledge_log_entry", "resolve_log_entry"
MERGED = "merge_resolve_reason"


def normalise_incident(payload: Json) -> list[IncidentDraft]:
    """`incident` as the list or a webhook gives it; `log_entries` are added by the stream, and the acknowledgement is
    left out without them.

    An incident that was merged into another one is that one, and none of its own.  Severity follows from the value
    mappings: of the priority, or of the urgency where the account has no priorities.
    """
    reader = Reader(payload)
    incident = reader.object("incident") or Reader(None, "incident")
    status = incident.text("status")
    merged = incident.text("resolve_reason.type", default="") == MERGED
    number = incident.integer("incident_number", default=None) or incident.integer("number", default=None)
    return [
        IncidentDraft(
            external_id=incident.identifier("id"),
            updated_at=incident.time("updated_at", default=None) or reader.time("occurred_at", default=None),
            deleted=merged,
            service=incident.text("service.summary", default=""),
            key="" if number is None else f"#{number}",
            title=shown_title(incident.text("title", default="")),
            url=incident.text("html_url", default=""),
            native_status=status,
            native_severity=incident.text("priority.summary", default="") or incident.text("urgency", default=""),
            started_at=incident.time("created_at"),
            acknowledged_at=_acknowledged_at(reader),
            resolved_at=_resolved_at(reader, incident) if status == "resolved" else None,
            impossible_times=tuple(reader.impossible_times),
        )
    ]


def _acknowledged_at(reader: Reader) -> datetime | Missing | None:
    """For the first time, if at all: an incident may be resolved before anybody acknowledged it."""
    if not reader.has("log_entries"):
        return MISSING
    return min(_times(reader, ACKNOWLEDGED), default=None)


def _resolved_at(reader: Reader, incident: Reader) -> datetime | Missing:
    """For the last time: it may have been opened again."""
    last = max(_times(reader, RESOLVED), default=None)
    at = last or incident.part_time("resolved_at") or incident.part_time("last_status_change_at")
    return MISSING if at is None else at


def _times(reader: Reader, kind: str) -> list[datetime]:
    entries = (entry for entry in reader.objects("log_entries") if entry.text("type", default="") == kind)
    times = (entry.part_time("created_at", required=True) for entry in entries)
    return [at for at in times if at is not None]
