"""Issues and their history.

Cloud shows an address only if its person allows that, and changelogs hold only ids.  So the account's id is a person's
login at Cloud; an address that comes with it anywhere identifies the person.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

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
from integrations.connectors.reader import LONGEST_ID, Reader
from integrations.connectors.unchecked import object_of, objects_of, text_of
from integrations.enums import ItemField, Priority, StatusCategory

FIELDS = (
    *("project", "summary", "issuetype", "status", "priority", "resolution", "resolutiondate", "parent"),
    *("creator", "reporter", "assignee", "labels", "fixVersions", "created", "updated", "duedate"),
    *("description", "components"),
)
PEOPLE = ("assignee", "reporter", "creator")
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
# Changelogs' names of fields, without an id or with one; the ids of estimates differ by site.
KEY = ("Key", "issuekey")
VALUES = {
    **dict.fromkeys(("Fix Version", "fixVersions"), ItemField.VERSION),
    "issuetype": ItemField.TYPE,
    "priority": ItemField.PRIORITY,
}
# The usual names of custom fields in changelogs without ids, for payloads that do not name the chosen ones.
UNCHOSEN = {"Sprint": "sprints", "Story Points": "estimates", "Story point estimate": "estimates"}
_NUMBER = re.compile(r"-?\d{1,9}(?:[.,]\d{1,6})?")
# Data Center writes a sprint as text, …Sprint@1f2e[id=37,rapidViewId=8,state=CLOSED,name=…,goal=…], in an order that
# differs by version.  A name and a goal may hold anything, even text that looks like an id: the true one is at the
# front, else the last before the name, else the last of all.
_SPRINT = re.compile(
    r"[\w.]*sprint\w*(?:@\w+)?\[(?:id=(\d+)[,\]]|(?:(?!\bname=).)*,id=(\d+)[,\]]|.*,id=(\d+)[,\]])",
    re.IGNORECASE | re.DOTALL,
)
LARGEST_ESTIMATE = 1e6  # points; a larger number is no estimate


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a change: `before` and `after` are ids, `shown_before` and `shown_after` the displayed values."""

    at: datetime
    by: Who | None
    field: str
    before: str
    after: str
    shown_before: str
    shown_after: str


def normalise_issue(payload: Json) -> list[WorkItemDraft]:
    """`issue` from a search or a webhook.  `histories`, `fields` (ids of custom fields by kind), `names` (their ids by
    name), `statuses` and `people` (by key) are added by the stream; fields that depend on them are left out if they are
    missing. `pages` is the address of the site.
    """
    reader = Reader(payload)
    issue = Reader(payload.get("issue"), "issue", parent=reader)
    if reader.boolean("deleted", default=False):
        return [_deleted(issue)]
    fields = issue.object("fields") or Reader({}, "issue.fields")
    changes = _changes(reader)
    key, created_at = issue.text("key"), fields.time("created")
    released = fields.parts("fixVersions", lambda version: version.part_date("releaseDate"))
    return [
        WorkItemDraft(
            external_id=issue.identifier("id"),
            updated_at=fields.part_time("updated"),
            project=fields.identifier("project.id"),
            key=key,
            former_keys=MISSING if changes is None else _former_keys(changes, key),
            title=shown_title(fields.text("summary", default="")),
            url=f"{reader.text('pages', default='').rstrip('/')}/browse/{key}" if reader.has("pages") else MISSING,
            native_type=fields.text("issuetype.name", default=""),
            native_status=fields.text("status.name", default=MISSING),
            status_category=CATEGORIES.get(fields.text("status.statusCategory.key", default=""), MISSING),
            first_category=MISSING if changes is None else _first_category(reader, fields, changes),
            native_priority=fields.text("priority.name", default=""),
            priority=PRIORITIES.get(fields.text("priority.name", default="").casefold(), Priority.UNKNOWN),
            resolution=fields.text("resolution.name", default=""),
            estimate=_estimate(payload, fields) if reader.has("fields") else MISSING,
            parent_key=_parent(payload, fields) or ("" if reader.has("fields") else MISSING),
            native_team=_team(payload, fields) if reader.has("fields") else MISSING,
            due_on=fields.part_date("duedate"),
            versions=fields.names("fixVersions"),
            release_on=min(released or (), default=None),
            reporter=person(fields.object("reporter") or fields.object("creator")),
            assignee=person(fields.object("assignee")),
            labels=fields.texts("labels"),
            components=fields.names("components"),
            has_description=fields.has("description"),
            created_at=created_at,
            resolved_at=fields.part_time("resolutiondate"),
            transitions=MISSING if changes is None else ProvidedParts(list(_transitions(reader, changes))),
            assignments=MISSING
            if changes is None
            else ProvidedParts(_assignments(payload, changes, created_at, fields)),
            sprint_changes=MISSING
            if changes is None
            else ProvidedParts(_sprint_changes(payload, fields, changes, created_at)),
            value_changes=MISSING if changes is None else ProvidedParts(list(_value_changes(payload, changes))),
            left_out=tuple(reader.left_out),
        )
    ]


def _deleted(issue: Reader) -> WorkItemDraft:
    project = issue.identifier("fields.project.id")
    return WorkItemDraft(external_id=issue.identifier("id"), deleted=True, project=project, key=issue.text("key"))


def _changes(reader: Reader) -> list[Change] | None:
    """The changes in order, one for each field; None if they are unknown."""
    names = object_of(reader.value("names"))

    def changes_of(history: Reader) -> list[Change]:
        at, by = history.part_time("created", required=True), person(history.object("author"))
        return [] if at is None else history.parts("items", lambda item: _change(item, at, by, names)) or []

    histories = reader.parts("histories", changes_of)
    return None if histories is None else list(chain.from_iterable(histories))


def _change(item: Reader, at: datetime, by: Who | None, names: Mapping[str, str]) -> Change:
    id_, name, made = (item.text(field, default="") for field in ("fieldId", "field", "fieldtype"))
    return Change(
        at=at,
        by=by,
        field=changed_field(id_, name, made, names),
        before=item.text("from", default=""),
        after=item.text("to", default=""),
        shown_before=item.text("fromString", default=""),
        shown_after=item.text("toString", default=""),
    )


def changed_field(id_: str, name: str, made: str, names: Mapping[str, str]) -> str:
    """The id of the field in a changelog item, or its name if it has none.

    Data Center writes no ids: `names` has those of custom fields by their names, in lower case.  `made` is jira for the
    fields that every site has.
    """
    return id_ or ("" if made == "jira" else names.get(" ".join(name.casefold().split()), "")) or name


def _changes_of(changes: Sequence[Change], *names: str) -> list[Change]:
    return [change for change in changes if change.field in names]


def _first(changes: Sequence[Change]) -> Change:
    """The first of the changes of one field: among those of the first moment, the one that no other led to."""
    together = [change for change in changes if change.at == changes[0].at]
    led_to = {change.after for change in together}
    return next((change for change in together if change.before not in led_to), together[0])


def _category_of(reader: Reader, status: str) -> StatusCategory | None:
    """The category by the status's id: two statuses of one site may have the same name."""
    statuses = reader.object("statuses")
    key = statuses.text(status, default="") if statuses is not None and status else ""
    return CATEGORIES.get(key)


def _first_category(reader: Reader, fields: Reader, changes: Sequence[Change]) -> StatusCategory | Missing:
    """The category of the initial status: the one that the first change left, else the current one."""
    moved = _changes_of(changes, "status")
    if moved:
        return _category_of(reader, _first(moved).before) or MISSING
    return CATEGORIES.get(fields.text("status.statusCategory.key", default=""), MISSING)


def _former_keys(changes: Sequence[Change], key: str) -> tuple[str, ...]:
    """The keys that it had in other projects."""
    keys = (change.shown_before for change in _changes_of(changes, *KEY))
    return tuple(dict.fromkeys(former for former in keys if former not in ("", key)))


def _transitions(reader: Reader, changes: Sequence[Change]) -> Iterator[TransitionDraft]:
    for change in _changes_of(changes, "status"):
        yield TransitionDraft(
            at=change.at,
            from_status=change.shown_before,
            to_status=change.shown_after,
            category=_category_of(reader, change.after),
            by=change.by,
        )


def _assignments(
    payload: Json, changes: Sequence[Change], created_at: datetime, fields: Reader
) -> list[AssignmentDraft]:
    """Assignments since its creation: the person whom the first change replaced had it until then."""
    people = [person(fields.object(name)) for name in PEOPLE]
    others = [person(Reader(user)) for user in objects_of([*object_of(payload.get("people")).values()])]
    named = (*others, *(change.by for change in changes), *people)
    known = {who.account: who for who in named if who is not None}
    moved = _changes_of(changes, "assignee")
    changed = _first(moved) if moved else None
    first = person_of_change(changed.before, changed.shown_before, known) if changed else people[0]
    assignments = [] if first is None else [AssignmentDraft(at=created_at, assignee=first)]
    for change in moved:
        assignee = person_of_change(change.after, change.shown_after, known)
        assignments.append(AssignmentDraft(at=change.at, assignee=assignee))
    return assignments


def _sprint_changes(
    payload: Json, fields: Reader, changes: Sequence[Change], created_at: datetime
) -> list[SprintChangeDraft]:
    """Additions to and removals from sprints, by their ids; before the first change it was where that change took it
    from.  A sub-task shows the sprints of its parent, and has none of its own.
    """
    names = _custom(payload, "sprints")
    moved = _changes_of(changes, *names, *_unchosen(payload, "sprints"))
    is_part = fields.value("issuetype.subtask") is True
    now = [] if is_part else [sprint for name in names for sprint in _sprints(fields, name)]
    drafts = [
        SprintChangeDraft(at=created_at, sprint=sprint, added=True)
        for sprint in (_ids(_first(moved).before) if moved else now)
    ]
    for change in moved:
        before, after = _ids(change.before), _ids(change.after)
        left, joined = [one for one in before if one not in after], [one for one in after if one not in before]
        drafts += [SprintChangeDraft(at=change.at, sprint=sprint, added=False, by=change.by) for sprint in left]
        drafts += [SprintChangeDraft(at=change.at, sprint=sprint, added=True, by=change.by) for sprint in joined]
    return drafts


def _sprints(fields: Reader, name: str) -> Iterator[str]:
    """The ids of the sprints in a field: from objects, or from Data Center's texts."""
    listed = fields.value(name)
    for position, sprint in enumerate(listed if isinstance(listed, list) else [listed]):
        text = _SPRINT.match(sprint) if isinstance(sprint, str) else None
        is_option = "value" in object_of(sprint)  # of a select list
        found = next(filter(None, text.groups()), "") if text else text_of(sprint, "id")
        if found and not is_option:
            yield found[:LONGEST_ID]
        elif sprint is not None:
            fields.leave_out(f"{name}[{position}]" if isinstance(listed, list) else name)


def _value_changes(payload: Json, changes: Sequence[Change]) -> Iterator[ValueChangeDraft]:
    estimates = (*_custom(payload, "estimates"), *_unchosen(payload, "estimates"))
    fields = VALUES | dict.fromkeys(estimates, ItemField.ESTIMATE)
    for change in changes:
        if (field := fields.get(change.field)) is not None:
            yield ValueChangeDraft(
                at=change.at, field=field, before=change.shown_before, after=change.shown_after, by=change.by
            )


def _ids(listed: str) -> list[str]:
    """The ids in a changelog, which writes `12, 15`."""
    return [word for word in (part.strip() for part in listed.split(",")) if word]


def _custom(payload: Json, kind: str) -> list[str]:
    """The ids of the custom fields of a kind; none if the payload does not name them."""
    return [str(name) for name in object_of(payload, "fields").get(kind, ())]


def _unchosen(payload: Json, kind: str) -> list[str]:
    """The usual names of such fields, if the payload does not name the chosen ones."""
    return [] if "names" in payload else [name for name, its_kind in UNCHOSEN.items() if its_kind == kind]


def _estimate(payload: Json, fields: Reader) -> float | None:
    """The estimate in points, from the first field that holds a number; some sites store it as text."""
    for name in _custom(payload, "estimates"):
        value = fields.value(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = float(value.strip().replace(",", "."))
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value) if 0 <= value <= LARGEST_ESTIMATE else None
        if value is not None:
            fields.leave_out(name)
    return None


def _parent(payload: Json, fields: Reader) -> str:
    """The parent's key; an epic's stories name it as their parent, and older sites have a custom field for it."""
    key = fields.text("parent.key", default="")
    for name in _custom(payload, "epics"):
        key = key or fields.text(name, default="")
    return key


def _team(payload: Json, fields: Reader) -> str:
    """The name of its team, from the first field that holds one: an object, an option, or text."""
    for name in _custom(payload, "teams"):
        value = fields.value(name)
        team = value[0] if isinstance(value, list) and value else value
        if isinstance(team, dict):
            team = team.get("name") or team.get("value") or team.get("title")
        if isinstance(team, str) and team.strip():
            return shown_title(team.strip())
        if value not in (None, "", []):
            fields.leave_out(name)
    return ""


def person(user: Reader | None) -> Who | None:
    """The person; None for nobody.  Data Center has names as logins, and keys in changelogs."""
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
    """The person whom a changelog names by account and displayed name; `known` are the people of the issue by
    account.
    """
    return known.get(account) or Who(login=account, account=account, name=name) if account else None
