"""Work items with their whole history: state, assignee, iteration, estimate, type and priority over time.

A query names the ids of those that changed, newest first; their fields come for a hundred at once, and the updates of
each in a request of its own.  Updates of links alone have no time, and are not read.

https://learn.microsoft.com/rest/api/azure/devops/wit/wiql/query-by-wiql, /wit/work-items/get-work-items-batch,
/wit/updates/list, /wit/work-item-types/list
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from integrations.connectors.azure.lists import PER_PAGE, VERSION, entries_in, get, list_by_number
from integrations.connectors.azure.records import KEY, Place, account, person_fields
from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.changes import GRAIN, Changes, ListedPage, written
from integrations.connectors.drafts import (
    MISSING,
    AnyDraft,
    AssignmentDraft,
    Missing,
    ProvidedParts,
    SprintChangeDraft,
    TransitionDraft,
    ValueChangeDraft,
    Who,
    WorkItemDraft,
    shown_title,
)
from integrations.connectors.errors import GoneError
from integrations.connectors.json_text import list_in
from integrations.connectors.reader import Reader
from integrations.connectors.references import issue_key
from integrations.connectors.unchecked import object_of, objects_of, record_of, text_of
from integrations.enums import ItemField, Priority, Severity, StatusCategory

SOURCE = "work_item"
CATEGORIES: Mapping[str, StatusCategory] = {
    "Proposed": StatusCategory.TODO,
    "InProgress": StatusCategory.IN_PROGRESS,
    "Resolved": StatusCategory.IN_PROGRESS,  # done, and not yet verified
    "Completed": StatusCategory.DONE,
    "Removed": StatusCategory.DONE,
}
NAMES: Mapping[str, str] = {  # of fields, without the dots that paths are made of
    "System.AreaPath": "area",
    "System.AssignedTo": "assignee",
    "System.ChangedDate": "changed",
    "System.CommentCount": "comments",
    "System.CreatedBy": "reporter",
    "System.CreatedDate": "created",
    "System.Description": "description",
    "System.IterationId": "iteration",
    "System.Parent": "parent",
    "System.Reason": "reason",
    "System.State": "state",
    "System.Tags": "tags",
    "System.TeamProject": "project",
    "System.Title": "title",
    "System.WorkItemType": "type",
    "Microsoft.VSTS.Common.ClosedDate": "closed",
    "Microsoft.VSTS.Common.Priority": "priority",
    "Microsoft.VSTS.Common.Severity": "severity",
    "Microsoft.VSTS.Scheduling.DueDate": "due",
    "Microsoft.VSTS.Scheduling.Effort": "effort",  # of the process Scrum
    "Microsoft.VSTS.Scheduling.Size": "size",  # of CMMI
    "Microsoft.VSTS.Scheduling.StoryPoints": "points",  # of Agile
    "Microsoft.VSTS.Scheduling.TargetDate": "target",
}
ESTIMATES = ("points", "effort", "size")
PRIORITIES = {1: Priority.CRITICAL, 2: Priority.HIGH, 3: Priority.MEDIUM, 4: Priority.LOW}
SEVERITIES = {"1": Severity.CRITICAL, "2": Severity.HIGH, "3": Severity.MEDIUM, "4": Severity.LOW}
_VALUES = {
    **dict.fromkeys(ESTIMATES, ItemField.ESTIMATE),
    "type": ItemField.TYPE,
    "priority": ItemField.PRIORITY,
}
_NUMBERS = frozenset({*ESTIMATES, "iteration", "priority"})
_LARGEST_ESTIMATE = 1e6


def normalise_work_item(payload: Json) -> list[WorkItemDraft]:
    """`work_item` with its fields by the names above; `updates`, oldest first; `categories`, of the states of its type;
    `project` and `page`, of the stream.
    """
    reader = Reader(payload)
    item = Reader(payload.get("work_item"), "work_item", parent=reader)
    number, changes = item.identifier("id"), changes_in(reader)
    status, reason = item.text("state", default=""), item.text("reason", default="")
    category = category_of(reader, status)
    parent = item.integer("parent", default=None)
    is_done = category is StatusCategory.DONE
    priority = item.integer("priority", default=None)
    type_ = item.text("type", default="")
    tags = item.text("tags", default="")
    transitions = None if changes is None else list(transitions_in(reader, changes))
    return [
        WorkItemDraft(
            external_id=number,
            updated_at=item.part_time("changed"),
            project=reader.identifier("project"),
            key=issue_key(KEY, int(number)) if number.isdecimal() else number,
            title=shown_title(item.text("title", default="")),
            url=reader.text("page", default=MISSING),
            native_type=type_,
            native_status=status,
            status_category=category or MISSING,
            first_category=_first_category(reader, changes, category),
            native_priority="" if priority is None else str(priority),
            priority=PRIORITIES.get(priority or 0, Priority.UNKNOWN),
            resolution=reason if is_done else "",
            estimate=_estimate(item),
            parent_key=issue_key(KEY, parent) if parent else "",
            native_team=team_of(item),
            due_on=_day(item.part_time("due") or item.part_time("target")),
            versions=(),
            release_on=None,
            reporter=account(item.object("reporter")),
            assignee=account(item.object("assignee")),
            labels=tuple(filter(None, (tag.strip() for tag in tags.split(";")))),
            has_description=item.boolean("described", default=MISSING),
            comment_count=item.integer("comments", default=MISSING),
            created_at=item.time("created"),
            resolved_at=(item.part_time("closed") or _done_at(transitions or ())) if is_done else None,
            transitions=MISSING if transitions is None else ProvidedParts(transitions),
            assignments=MISSING if changes is None else ProvidedParts(_assignments(changes)),
            sprint_changes=MISSING if changes is None else ProvidedParts(list(_sprint_changes(changes))),
            value_changes=MISSING if changes is None else ProvidedParts(list(_value_changes(changes))),
            left_out=tuple(reader.left_out),
        )
    ]


def category_of(reader: Reader, state: str) -> StatusCategory | None:
    return CATEGORIES.get(text_of(reader.value("categories"), state))


def team_of(item: Reader) -> str:
    """The last name of its area path: teams own areas, and the project's root area belongs to no team."""
    _, below, name = item.text("area", default="").rpartition("\\")
    return name if below else ""


def _estimate(item: Reader) -> float | None:
    for name in ESTIMATES:
        value = item.value(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value) if 0 <= value <= _LARGEST_ESTIMATE else None
        if value is not None:
            item.leave_out(name)
    return None


def _day(at: datetime | None) -> date | None:
    return at.date() if at else None


# Updates ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """An update: `fields` has those that it changed, each with `old` and `new`; the first update is the creation."""

    at: datetime
    by: Who | None
    fields: Reader

    def values(self, name: str) -> tuple[str, str] | None:
        """The values before and after as text; None if it did not change the field."""
        sides = self.fields.object(name)
        if sides is None:
            return None
        value_of = _number if name in _NUMBERS else _text
        return value_of(sides, "old"), value_of(sides, "new")


def _text(sides: Reader, side: str) -> str:
    return sides.text(side, default="")


def _number(sides: Reader, side: str) -> str:
    value = sides.value(side)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(int(value)) if value == int(value) else str(value)
    if value is not None:
        sides.leave_out(side)
    return ""


def changes_in(reader: Reader) -> list[Change] | None:
    """The updates in order of time; None if they were not read."""
    changes = reader.parts("updates", _change)
    return None if changes is None else sorted(changes, key=lambda change: change.at)


def _change(update: Reader) -> Change | None:
    at, fields = update.part_time("at", required=True), update.object("fields")
    return None if at is None or fields is None else Change(at, account(update.object("by")), fields)


def transitions_in(reader: Reader, changes: Sequence[Change]) -> Iterator[TransitionDraft]:
    for change in changes:
        before, after = change.values("state") or ("", "")
        if before and after:
            category = category_of(reader, after)
            yield TransitionDraft(at=change.at, from_status=before, to_status=after, category=category, by=change.by)


def _first_category(
    reader: Reader, changes: Sequence[Change] | None, category: StatusCategory | None
) -> StatusCategory | Missing:
    if changes is None:
        return MISSING
    moved = [values for change in changes if (values := change.values("state"))]
    first = (moved[0][0] or moved[0][1]) if moved else ""
    return (category_of(reader, first) if first else category) or MISSING


def _done_at(transitions: Sequence[TransitionDraft]) -> datetime | None:
    done = [transition.at for transition in transitions if transition.category is StatusCategory.DONE]
    return max(done, default=None)


def _assignments(changes: Sequence[Change]) -> list[AssignmentDraft]:
    found = [
        AssignmentDraft(at=change.at, assignee=account(change.fields.object("assignee.new")))
        for change in changes
        if change.fields.has("assignee")
    ]
    return found[1:] if found and found[0].assignee is None else found


def _sprint_changes(changes: Sequence[Change]) -> Iterator[SprintChangeDraft]:
    for change in changes:
        before, after = change.values("iteration") or ("", "")
        if before:
            yield SprintChangeDraft(at=change.at, sprint=before, added=False, by=change.by)
        if after:
            yield SprintChangeDraft(at=change.at, sprint=after, added=True, by=change.by)


def _value_changes(changes: Sequence[Change]) -> Iterator[ValueChangeDraft]:
    """Changes after the creation."""
    for change in changes[1:]:
        for name, field in _VALUES.items():
            values = change.values(name)
            if values is not None and values[0] != values[1]:
                yield ValueChangeDraft(at=change.at, field=field, before=values[0], after=values[1], by=change.by)


# Reading ------------------------------------------------------------------------------------------------------------


def fetch_work_items(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read work items: a changed one costs one request, and a hundred of them three more."""
    yield from WorkItems(place, SOURCE, normalise_work_item).pages(http, cursor, now=now)


@dataclass(frozen=True, slots=True)
class WorkItems:
    """The work items of a project that meet a condition, as records of that source."""

    place: Place
    source: str
    normalise: Callable[[Json], Sequence[AnyDraft]]
    condition: str = ""

    def pages(self, http: Http, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
        changes = Changes(
            list_page=self._page,
            read=lambda entries: list(self._records(http, entries)),
            answered="Azure DevOps answered a query of work items",
            time_field="changed",
        )
        yield from changes.pages(http, cursor, now=now)

    def _page(self, http: Http, since: str, before: datetime | None, number: int) -> ListedPage:
        """A page of ids; a query has no offset, so a later page of the same moment requests more and skips the earlier
        ones.
        """
        clauses = ["[System.TeamProject] = @project"]
        clauses += [f"({self.condition})"] if self.condition else []
        clauses += [f"[System.ChangedDate] >= '{since}'"] if since else []
        clauses += [f"[System.ChangedDate] < '{written(before + GRAIN)}'"] if before is not None else []
        order = "ORDER BY [System.ChangedDate] DESC, [System.Id] DESC"
        query = f"SELECT [System.Id] FROM WorkItems WHERE {' AND '.join(clauses)} {order}"  # noqa: S608  # WIQL
        path, most = self.place.api("wit/wiql"), number * PER_PAGE
        response = http.post(f"{path}?api-version={VERSION}&timePrecision=true&$top={most}", json={"query": query})
        listed = list_in(response.json(), "workItems", f"Azure DevOps answered {path}")
        ids = [int(id_) for item in listed if (id_ := text_of(item, "id")).isdecimal()]
        entries = self._batch(http, ids[most - PER_PAGE :])
        return ListedPage(entries, len(listed) < most, response.headers)

    def _batch(self, http: Http, ids: Sequence[int]) -> list[Json]:
        """The fields of work items, in this order; one that was deleted since is left out."""
        if not ids:
            return []
        path = self.place.api("wit/workitemsbatch")
        answer = http.post(f"{path}?api-version={VERSION}", json={"ids": list(ids), "errorPolicy": "omit"})
        by_id = {text_of(item, "id"): item for item in objects_of(entries_in(answer, path))}
        return [_flat(by_id[str(id_)]) for id_ in ids if str(id_) in by_id]

    def _records(self, http: Http, entries: Sequence[Json]) -> Iterator[RawRecord]:
        types = self._categories(http) if entries else {}
        for entry in entries:
            number = text_of(entry, "id")
            try:
                listed, _ = list_by_number(http, self.place.api("wit/workItems", number, "updates"), {})
            except GoneError:  # deleted since it was listed
                continue
            yield record_of(
                self.source,
                self.normalise,
                entry,
                updates=[_update(update) for update in listed if isinstance(update.get("fields"), dict)],
                categories=types.get(text_of(entry, "type"), {}),
                project=self.place.project,
                page=self.place.page("_workitems/edit", number),
            )

    def _categories(self, http: Http) -> Mapping[str, Mapping[str, str]]:
        """Type → state → category."""
        path = self.place.api("wit/workitemtypes")
        return {
            text_of(one, "name"): {
                text_of(state, "name"): text_of(state, "category") for state in objects_of(one.get("states"))
            }
            for one in objects_of(entries_in(get(http, path), path))
        }


def _flat(item: Json) -> Json:
    """The work item without texts, with the fields that are read by names of ours."""
    fields = object_of(item, "fields")
    named = {name: person_fields(fields[field]) for field, name in NAMES.items() if fields.get(field) is not None}
    described = bool(str(named.pop("description", "")).strip())
    return {"id": item.get("id"), **named, "described": described}


def _update(update: Json) -> Json:
    """The update with the fields that are read."""
    changed = {
        name: {
            side: person_fields(values[key])
            for side, key in (("old", "oldValue"), ("new", "newValue"))
            if key in values
        }
        for field, name in NAMES.items()
        if name != "description" and (values := object_of(update, "fields", field))
    }
    at = object_of(changed, "changed").get("new") or update.get("revisedDate")
    return {"at": at, "by": person_fields(update.get("revisedBy")), "fields": changed}
