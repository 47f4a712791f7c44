"""Incidents and their history; the stream of a service's incidents, newest first.

PagerDuty lists incidents by creation, at most half a year and ten thousand at a time.  The first reading goes back page
by page, each ending where the one before began, so that it never comes near that cap.  Later readings request newly
created and open incidents; incidents that were open before and no longer are get requested one by one.

A cursor is one of
  {}                           nothing was read yet
  {"since", "open"}            everything was read up to `since`; `open` are the ids that were unresolved then
  {"began", "until", "open"}   the first reading is under way: incidents older than `until` are still to be read
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord
from integrations.connectors.drafts import MISSING, IncidentDraft, Missing, shown_title
from integrations.connectors.errors import GoneError, TransientError
from integrations.connectors.pagerduty.lists import LONGEST_WINDOW, list_all, list_page, list_window, window_params
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import object_of, objects_of, text_of, time_of

SOURCE = "incident"
OVERLAP = timedelta(minutes=5)
SECOND = timedelta(seconds=1)
BEGINNING = datetime(2009, 1, 1, tzinfo=UTC)  # PagerDuty has no incidents that are older
UNRESOLVED = ("triggered", "acknowledged")
ACKNOWLEDGED, RESOLVED = "acknowledge_log_entry", "resolve_log_entry"
MERGED = "merge_resolve_reason"


def normalise_incident(payload: Json) -> list[IncidentDraft]:
    """`incident` from the list or a webhook; the stream adds `log_entries`, without which the acknowledgement is left
    out.

    An incident that was merged into another one is not counted separately.  Severity follows from the value mappings:
    of the priority, or of the urgency if the account has no priorities.
    """
    reader = Reader(payload)
    incident = reader.object("incident") or Reader(None, "incident")
    status = incident.text("status", default="")
    is_resolved = status == "resolved" or (not status and incident.has("resolved_at"))
    merged = incident.text("resolve_reason.type", default="") == MERGED
    number = incident.integer("incident_number", default=None) or incident.integer("number", default=None)
    return [
        IncidentDraft(
            external_id=incident.identifier("id"),
            updated_at=incident.part_time("updated_at") or reader.part_time("occurred_at"),
            deleted=merged,
            service=incident.text("service.id", default="") or incident.text("service.summary", default=""),
            key="" if number is None else f"#{number}",
            title=shown_title(incident.text("title", default="")),
            url=incident.text("html_url", default=""),
            native_status=status,
            native_severity=incident.text("priority.summary", default="") or incident.text("urgency", default=""),
            started_at=incident.time("created_at"),
            acknowledged_at=_acknowledged_at(reader),
            resolved_at=_resolved_at(reader, incident) if is_resolved else None,
            left_out=tuple(reader.left_out),
        )
    ]


def _acknowledged_at(reader: Reader) -> datetime | Missing | None:
    """The first acknowledgement, if any: an incident may be resolved before anybody acknowledged it."""
    times = _times(reader, ACKNOWLEDGED)
    return MISSING if times is None else min(times, default=None)


def _resolved_at(reader: Reader, incident: Reader) -> datetime | Missing:
    """The last resolution: the incident may have been reopened."""
    last = max(_times(reader, RESOLVED) or (), default=None)
    at = last or incident.part_time("resolved_at") or incident.part_time("last_status_change_at")
    return MISSING if at is None else at


def _times(reader: Reader, kind: str) -> list[datetime] | None:
    """The times of log entries of this kind; None without a log."""

    def time_of_entry(entry: Reader) -> datetime | None:
        return entry.part_time("created_at", required=True) if entry.text("type", default="") == kind else None

    return reader.parts("log_entries", time_of_entry)


def fetch_incidents(http: Http, resource: FetchedResource, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read everything from an empty cursor, else new incidents and those that were open."""
    if "since" in cursor:
        yield _news(http, resource, cursor, now)
    else:
        yield from _everything(http, resource, cursor, now)


def _everything(http: Http, resource: FetchedResource, cursor: Cursor, now: datetime) -> Iterator[Page]:
    began = str(cursor.get("began") or now.isoformat())
    until = datetime.fromisoformat(str(cursor.get("until") or (now + OVERLAP).isoformat()))
    unresolved = {str(known) for known in cursor.get("open", ())}
    first = time_of(resource.details, "created_at") or BEGINNING
    offset = 0
    while until > first:
        window = max(until - LONGEST_WINDOW, first - OVERLAP)
        entries, more = _created(http, resource, window, until, offset)
        _confirm_window(entries, until)
        unresolved |= {text_of(incident, "id") for incident in entries if incident.get("status") in UNRESOLVED}
        oldest = min((at for at in map(_created_at, entries) if at is not None), default=None)
        if not more:
            until, offset = window, 0
        elif oldest is not None and oldest + SECOND < until:
            until, offset = oldest + SECOND, 0
        else:  # a whole page in one second
            offset += len(entries)
        if offset == 0:
            way = {"began": began, "until": until.isoformat(), "open": sorted(unresolved)}
        else:  # not to be resumed within that second
            way = {**cursor, "began": began}
        yield Page([_record(http, incident) for incident in entries], way)
    ended = {"since": (datetime.fromisoformat(began) - OVERLAP).isoformat(), "open": sorted(unresolved)}
    yield Page((), ended, left=0, complete=True)


def _news(http: Http, resource: FetchedResource, cursor: Cursor, now: datetime) -> Page:
    since = datetime.fromisoformat(str(cursor["since"]))
    before = {str(id_) for id_ in cursor.get("open", ())}
    of_service = {"service_ids[]": resource.external_id}
    created = list_window(http, "incidents", of_service, since=since, until=now + OVERLAP)
    found = {text_of(incident, "id"): incident for incident in objects_of(list(created))}
    params = {**of_service, "statuses[]": list(UNRESOLVED), "date_range": "all"}
    still_open = objects_of(list(list_all(http, "incidents", params)))
    unresolved = {text_of(incident, "id"): incident for incident in still_open}
    found |= unresolved
    for id_ in sorted(before - found.keys()):
        if (ended := _one(http, id_)) is not None:
            found[id_] = ended
    changed = [incident for incident in found.values() if _changed(incident, since)]
    cursor = {"since": (now - OVERLAP).isoformat(), "open": sorted(unresolved)}
    return Page([_record(http, incident) for incident in changed], cursor, left=0)


def _confirm_window(entries: list[Json], until: datetime) -> None:
    """Raise TransientError if the page has later incidents, which belong to an earlier page: a proxy or cache repeated
    it.
    """
    if any(at > until for at in map(_created_at, entries) if at is not None):
        raise TransientError("PagerDuty answered with incidents that are newer than those requested.")


def _created(
    http: Http, resource: FetchedResource, since: datetime, until: datetime, offset: int
) -> tuple[list[Json], bool]:
    """The incidents created within a window, newest first; and whether there are more."""
    params = {"service_ids[]": resource.external_id, **window_params(since, until)}
    entries, more = list_page(http, "incidents", params, offset=offset)
    return objects_of(entries), more


def _one(http: Http, incident: str) -> Json | None:
    """The incident; None if it is gone."""
    try:
        document = http.get(f"incidents/{incident}").json()
    except GoneError:
        return None
    return object_of(document, "incident") or None


def _record(http: Http, incident: Json) -> RawRecord:
    id_ = text_of(incident, "id")
    payload: Json = {"incident": without_texts(incident)}
    with suppress(GoneError):
        payload["log_entries"] = [
            {name: entry.get(name) for name in ("type", "created_at")}
            for entry in list_all(http, f"incidents/{id_}/log_entries", {"is_overview": "true"})
            if isinstance(entry, dict)
        ]
    return RawRecord(payload, normalise_incident, id_, SOURCE)


def without_texts(incident: Json) -> Json:
    """The incident without texts from monitoring, which may hold anything."""
    return {name: value for name, value in incident.items() if name not in ("body", "description", "alerts")}


def _created_at(incident: Json) -> datetime | None:
    return time_of(incident, "created_at")


def _changed(incident: Json, since: datetime) -> bool:
    """Whether it changed since the last reading; if PagerDuty does not say, it may have."""
    at = time_of(incident, "updated_at") or time_of(incident, "last_status_change_at")
    return at is None or at >= since
