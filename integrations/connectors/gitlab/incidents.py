"""Incidents: issues of that type, with their severity; the notes say when somebody acknowledged them.

https://docs.gitlab.com/api/issues/#list-project-issues with `issue_type`;
app/services/system_notes/incidents_service.rb has the words of the notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import MISSING, IncidentDraft, Missing, shown_title
from integrations.connectors.errors import GoneError
from integrations.connectors.gitlab.changes import changes_in
from integrations.connectors.gitlab.group_changes import GroupChanges
from integrations.connectors.gitlab.issues import CLOSED, INCIDENT
from integrations.connectors.gitlab.records import Note, Place, notes_in, read_notes, said
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import record_of, text_of
from integrations.enums import Severity

SOURCE = INCIDENT
SEVERITIES = {severity.value: severity for severity in Severity}
_STATUS = re.compile(r"changed the (?:incident )?status to \*\*(\w+)\*\*", re.IGNORECASE)


def normalise_incident(payload: Json) -> list[IncidentDraft]:
    """`incident`, an issue of that type from a list, and its `notes`."""
    reader = Reader(payload)
    incident = Reader(payload.get("incident"), "incident", parent=reader)
    notes, severity = notes_in(reader), incident.text("severity", default="").lower()
    state = incident.text("state", default="")
    ended_at = incident.part_time("closed_at") if state == CLOSED else None
    return [
        IncidentDraft(
            external_id=incident.identifier("id"),
            updated_at=incident.part_time("updated_at"),
            repository=incident.identifier("project_id"),
            key=incident.text("references.full", default=MISSING),
            title=shown_title(incident.text("title", default="")),
            url=incident.text("web_url", default=MISSING),
            native_status=state,
            native_severity=severity,
            severity=SEVERITIES.get(severity, Severity.UNKNOWN),
            started_at=incident.time("created_at"),
            acknowledged_at=_acknowledged_at(notes),
            resolved_at=min(filter(None, (ended_at, _resolved_at(notes))), default=None),
            left_out=tuple(reader.left_out),
        )
    ]


def _acknowledged_at(notes: Sequence[Note] | None) -> datetime | Missing | None:
    """The first time; MISSING if the notes were not read."""
    if notes is None:
        return MISSING
    return next((at for at, note in notes if _status(note) == "acknowledged"), None)


def _resolved_at(notes: Sequence[Note] | None) -> datetime | None:
    """The time of its last status, if that is resolved: people resolve an incident first and close it later."""
    last = next(((at, status) for at, note in reversed(notes or ()) if (status := _status(note))), None)
    return last[0] if last and last[1] == "resolved" else None


def _status(note: Reader) -> str:
    found = _STATUS.match(said(note))
    return found[1].lower() if found else ""


def fetch_incidents(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read incidents: a changed one costs one request."""

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        return [record for entry in entries for record in _read(http, place, entry)]

    changes = changes_in(
        place.path("issues"),
        params={"state": "all", "scope": "all", "issue_type": INCIDENT},
        read=read,
        group=GroupChanges(place, "issues", INCIDENT),
    )
    yield from changes.pages(http, cursor, now=now)


def _read(http: Http, place: Place, entry: Json) -> Iterator[RawRecord]:
    number = text_of(entry, "iid")
    try:
        notes = read_notes(http, place.path("issues", number)) if number else None
    except GoneError:  # deleted since it was listed
        return
    yield record_of(SOURCE, normalise_incident, entry, notes=notes)
