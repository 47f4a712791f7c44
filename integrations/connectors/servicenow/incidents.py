"""Incidents of ServiceNow, by the service that they concern.

https://www.servicenow.com/docs/r/it-service-management/incident-management/c_IncidentManagement.html

A child of another incident is another report of the same outage, and a cancelled incident is not an outage: neither
counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord
from integrations.connectors.drafts import MISSING, IncidentDraft, Missing, shown_title
from integrations.connectors.reader import Reader
from integrations.connectors.servicenow.tables import INCIDENTS, all_of, changed_rows, of_service

SOURCE = "servicenow_incident"
RESOLVED, CLOSED, CANCELLED = "6", "7", "8"
UNRESOLVED = frozenset({"1", "2", "3"})
FIELDS = (
    *("sys_id", "number", "short_description", "state", "priority", "business_service", "cmdb_ci"),
    *("opened_at", "resolved_at", "closed_at", "reopened_time", "caused_by", "parent_incident", "sys_updated_on"),
)


def normalise_incident(payload: Json) -> list[IncidentDraft]:
    """`servicenow_incident` is a row, `page` the instance's address."""
    reader = Reader(payload)
    row = reader.object(SOURCE) or Reader(None, SOURCE)
    return [
        IncidentDraft(
            external_id=row.identifier("sys_id.value"),
            updated_at=row.part_time("sys_updated_on.value"),
            deleted=row.text("state.value", default="") == CANCELLED or row.has("parent_incident.value"),
            service=row.text("business_service.value", default="") or row.text("cmdb_ci.value", default=""),
            key=row.text("number.value", default=""),
            title=shown_title(row.text("short_description.value", default="")),
            url=f"{reader.text('page', default='')}/incident.do?sys_id={row.identifier('sys_id.value')}",
            native_status=shown(row, "state"),
            native_severity=shown(row, "priority"),
            started_at=row.time("opened_at.value"),
            acknowledged_at=None,  # ServiceNow has no such thing
            resolved_at=_resolved_at(row),
            caused_by=row.text("caused_by.value", default=""),
            left_out=tuple(reader.left_out),
        )
    ]


def _resolved_at(row: Reader) -> datetime | Missing | None:
    """The end of the last resolution, None while there is none: a reopened incident keeps the time of the previous one.

    A custom state of an instance counts as resolved if there is a time of resolution.
    """
    times = [row.part_time(f"{name}.value") for name in ("resolved_at", "closed_at")]
    known = [at for at in times if at is not None]
    state = row.text("state.value", default="")
    if state in UNRESOLVED or (state not in (RESOLVED, CLOSED) and not known):
        return None
    reopened_at = row.part_time("reopened_time.value")
    later = [at for at in known if reopened_at is None or at >= reopened_at]
    return next(iter((*later, *known)), MISSING)


def shown(row: Reader, field: str) -> str:
    """The label that people read in the field; its value in an instance that sends none."""
    return row.text(f"{field}.display_value", default="") or row.text(f"{field}.value", default="")


def fetch_incidents(
    http: Http, resource: FetchedResource, cursor: Cursor, *, query: str, page: str, now: datetime
) -> Iterator[Page]:
    """Read all incidents of the service from an empty cursor, else those that changed; `query` says which count."""

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        return [
            RawRecord({SOURCE: entry["row"], "page": page}, normalise_incident, entry["id"], SOURCE)
            for entry in entries
        ]

    changes = changed_rows(INCIDENTS, all_of(of_service(resource.external_id), query), FIELDS, read=read)
    yield from changes.pages(http, cursor, now=now)
