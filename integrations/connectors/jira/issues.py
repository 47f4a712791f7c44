"""Issues and what happened to them.

Cloud shows an address only where its person allows that, and changelogs hold ids alone.  So the account's id is a
person's login at Cloud: an address beside it, anywhere, says whose it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.connectors.base import Json
from integrations.connectors.drafts import (
    MISSING,
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
from integrations.connectors.reader import Reader
from integrations.enums import ItemField, Priority, StatusCategory

FIELDS = (
    *("project", "summary", "issuetype", "status", "priority", "resolution", "resolutiondate", "parent"),
    *("creator", "reporter", "assignee", "labels", "fixVersions", "created", "updated", "duedate"),
    "description",
)
CATEGORIES = {
    "new": StatusCategory.TODO,
    "undefined": StatusCategory.TODO,
    "indeterminate": StatusCategory.IN_PROGRESS,
    "done": StatusCategory.DONE,
}
"""By the key of Jira's own category, which every status has."""
PRIORITIES = {
    **dict.fromkeys(("blocker", "highest", "critical"), Priority.CRITICAL),
    **dict.fromkeys(("high", "major"), Priority.HIGH),
    "medium": Priority.MEDIUM,
    **dict.fromkeys(("low", "lowest", "minor", "trivial"), Priority.LOW),
}
# What changelogs call fields, without an id or with one; the ids of estimates are each site's own.
KEY = ("Key", "issuekey")
VALUES = {
    **dict.fromkeys(("Story Points", "Story point estimate"), ItemField.ESTIMATE),
    **dict.fromkeys(("Fix Version", "fixVersions"), ItemField.VERSION),
    "issuetype": ItemField.TYPE,
    "priority": ItemField.PRIORITY,
}
_NUMBER = re.compile(r"-?\d{1,9}(?:[.,]\d{1,6})?")
LARGEST_ESTIMATE = 1e6  # points; what is larger is no estimate


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one change: `before` and `after` are ids, `shown_before` and `shown_after` what a page shows."""

    at: datetime
    by: Who | None
    field: str
    before: str
    after: str
    shown_before: str
    shown_after: str


def normalise_issue(payload: Json) -> list[WorkItemDraft]:
    """`issue` as a search or a webhook gives it; `histories`, `fields` and `statuses` are added by the stream, and what
    follows from them is left out where they are not there.  `pages` is the address of the site.
    """
    reader = Reader(payload)
    issue = reader.object("issue") or Reader(None, "issue")
    if reader.boolean("deleted", default=False):
        return [_deleted(issue)]
    fields = issue.object("fields") or Reader({}, "issue.fields")
    changes = _changes(reader) if reader.has("histories") else None
    key, created_at = issue.text("key"), fields.time("created")
    status, versions = fields.text("status.name"), list(fields.objects("fixVersions"))
    return [
        WorkItemDraft(
            external_id=issue.identifier("id"),
            updated_at=fields.time("updated"),
            project=fields.identifier("project.id"),
            key=key,
            former_keys=MISSING if changes is None else _former_keys(changes, key),
            title=shown_title(fields.text("summary")),
            url=f"{reader.text('pages', default='').rstrip('/')}/browse/{key}" if reader.has("pages") else MISSING,
            native_type=fields.text("issuetype.name", default=""),
            native_status=status,
            status_category=CATEGORIES.get(fields.text("status.statusCategory.key", default=""), MISSING),
            first_category=MISSING if changes is None else _first_category(reader, fields, changes),
            native_priority=fields.text("priority.name", default=""),
            priority=PRIORITIES.get(fields.text("priority.name", default="").casefold(), Priority.UNKNOWN),
            resolution=fields.text("resolution.name", default=""),
            estimate=_estimate(payload) if reader.has("fields") else MISSING,
            parent_key=_parent(payload, fields) or ("" if reader.has("fields") else MISSING),
            native_team=_team(payload) if reader.has("fields") else MISSING,
            due_on=fields.part_date("duedate"),
            versions=tuple(version.text("name") for version in versions),
            release_on=min(filter(None, (version.part_date("releaseDate") for version in versions)), default=None),
            reporter=person(fields.object("reporter") or fields.object("creator")),
            assignee=person(fields.object("assignee")),
            labels=_labels(payload),
            has_description=fields.has("description"),
            created_at=created_at,
            resolved_at=fields.part_time("resolutiondate"),
            transitions=MISSING if changes is None else ProvidedParts(list(_transitions(reader, changes))),
            assignments=MISSING if changes is None else ProvidedParts(_assignments(changes, created_at, fields)),
            sprint_changes=MISSING
            if changes is None
            else ProvidedParts(_sprint_changes(payload, fields, changes, created_at)),
            value_changes=MISSING if changes is None else ProvidedParts(list(_value_changes(payload, changes))),
            impossible_times=tuple(reader.impossible_times),
        )
    ]


def _deleted(issue: Reader) -> WorkItemDraft:
    project = issue.identifier("fields.project.id")
    return WorkItemDraft(external_id=issue.identifier("id"), deleted=True, project=project, key=issue.text("key"))


def _changes(reader: Reader) -> list[Change]:
    """In their order, one for each field."""
    changes = []
    for history in reader.objects("histories"):
        at, by = history.part_time("created", required=True), person(history.object("author"))
        if at is None:
            continue
        for item in history.objects("items"):
            changes.append(
                Change(
                    at=at,
                    by=by,
                    field=item.text("fieldId", default="") or item.text("field"),
                    before=item.text("from", default=""),
                    after=item.text("to", default=""),
                    shown_before=item.text("fromString", default=""),
                    shown_after=item.text("toString", default=""),
                )
            )
    return changes


def _of_field(changes: Sequence[Change], *names: str) -> list[Change]:
    return [change for change in changes if change.field in names]


def _category_of(reader: Reader, status: str) -> StatusCategory | None:
    """By the status's id: two statuses of one site may have the same name."""
    statuses = reader.object("statuses")
    key = statuses.text(status, default="") if statuses is not None and status else ""
    return CATEGORIES.get(key)


def _first_category(reader: Reader, fields: Reader, changes: Sequence[Change]) -> StatusCategory | Missing:
    """Of the status in which it was created: the one that the first change left, else the one that it has."""
    moved = _of_field(changes, "status")
    if moved:
        return _category_of(reader, moved[0].before) or MISSING
    return CATEGORIES.get(fields.text("status.statusCategory.key", default=""), MISSING)


def _former_keys(changes: Sequence[Change], key: str) -> tuple[str, ...]:
    """Those that it had in other projects."""
    keys = (change.shown_before for change in _of_field(changes, *KEY))
    return tuple(dict.fromkeys(former for former in keys if former not in ("", key)))


def _transitions(reader: Reader, changes: Sequence[Change]) -> Iterator[TransitionDraft]:
    for change in _of_field(changes, "status"):
        yield TransitionDraft(
            at=change.at,
            from_status=change.shown_before,
            to_status=change.shown_after,
            category=_category_of(reader, change.after),
            by=change.by,
        )


def _assignments(changes: Sequence[Change], created_at: datetime, fields: Reader) -> list[AssignmentDraft]:
    """From its creation on: whom the first change took it from had it until then."""
    people = [person(fields.object(name)) for name in ("assignee", "reporter", "creator")]
    known = {who.account: who for who in (*(change.by for change in changes), *people) if who is not None}
    moved = _of_field(changes, "assignee")
    first = person_of_change(moved[0].before, moved[0].shown_before, known) if moved else people[0]
    assignments = [] if first is None else [AssignmentDraft(at=created_at, assignee=first)]
    for change in moved:
        assignee = person_of_change(change.after, change.shown_after, known)
        assignments.append(AssignmentDraft(at=change.at, assignee=assignee))
    return assignments


def _sprint_changes(
    payload: Json, fields: Reader, changes: Sequence[Change], created_at: datetime
) -> list[SprintChangeDraft]:
    """In and out of sprints, by their ids; before the first change it was where that change took it from."""
    names = _custom(payload, "sprints")
    moved = _of_field(changes, *names, "Sprint")
    now = [sprint.identifier("id") for name in names for sprint in fields.objects(name)]
    drafts = [
        SprintChangeDraft(at=created_at, sprint=sprint, added=True)
        for sprint in (_ids(moved[0].before) if moved else now)
    ]
    for change in moved:
        before, after = _ids(change.before), _ids(change.after)
        left, joined = [one for one in before if one not in after], [one for one in after if one not in before]
        drafts += [SprintChangeDraft(at=change.at, sprint=sprint, added=False) for sprint in left]
        drafts += [SprintChangeDraft(at=change.at, sprint=sprint, added=True) for sprint in joined]
    return drafts


def _value_changes(payload: Json, changes: Sequence[Change]) -> Iterator[ValueChangeDraft]:
    fields = VALUES | dict.fromkeys(_custom(payload, "estimates"), ItemField.ESTIMATE)
    for change in changes:
        if (field := fields.get(change.field)) is not None:
            yield ValueChangeDraft(at=change.at, field=field, before=change.shown_before, after=change.shown_after)


def _ids(listed: str) -> list[str]:
    """Of a changelog, which writes `12, 15`."""
    return [word for word in (part.strip() for part in listed.split(",")) if word]


def _custom(payload: Json, kind: str) -> list[str]:
    """The ids of the site's own fields of a kind; none where the payload does not name them."""
    return [str(name) for name in (payload.get("fields") or {}).get(kind, ())]


def _estimate(payload: Json) -> float | None:
    """In points, from the first field that holds a number; some sites keep it as text."""
    values = payload["issue"].get("fields") or {}
    for name in _custom(payload, "estimates"):
        value = values.get(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = float(value.strip().replace(",", "."))
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value) if 0 <= value <= LARGEST_ESTIMATE else None
    return None


def _parent(payload: Json, fields: Reader) -> str:
    """An epic's stories name it as their parent; older sites have a field of their own for that."""
    key = fields.text("parent.key", default="")
    for name in _custom(payload, "epics"):
        key = key or fields.text(name, default="")
    return key


def _team(payload: Json) -> str:
    """The name of its team, from the first field that holds one: an object, an option, or text."""
    values = payload["issue"].get("fields") or {}
    for name in _custom(payload, "teams"):
        value = values.get(name)
        team = value[0] if isinstance(value, list) and value else value
        if isinstance(team, dict):
            team = team.get("name") or team.get("value") or team.get("title")
        if isinstance(team, str) and team.strip():
            return shown_title(team.strip())
    return ""


def _labels(payload: Json) -> tuple[str, ...]:
    labels = (payload["issue"].get("fields") or {}).get("labels")
    if not isinstance(labels, list):
        return ()
    return tuple(label.replace("\0", "") for label in labels if isinstance(label, str))


def person(user: Reader | None) -> Who | None:
    """None for nobody.  Data Center has names as logins, and keys in changelogs."""
    if user is None:
        return None
    account = user.text("accountId", default="") or user.text("key", default="")
    login = user.text("accountId", default="") or user.text("name", default="") or account
    email = user.text("emailAddress", default="")
    if not (login or email):
        return None
    is_app = user.text("accountType", default="") == "app"
    return Who(login=login, email=email, name=user.text("displayName", default=""), account=account, bot=is_app)


def person_of_change(account: str, name: str, known: Mapping[str, Who]) -> Who | None:
    """Whom a changelog names by account and displayed name; `known` are the people of the issue by account."""
    return known.get(account) or Who(login=account, account=account, name=name) if account else None
