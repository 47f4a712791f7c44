"""Incidents: work items that match an admin's rules, by type, severity and tag.

    Bug, severity=1 - Critical, tag=incident
    Incident

A rule begins with the type; being a bug does not make a work item an incident.  If a rule names a severity and a tag,
the work item must have both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.connectors.azure.records import KEY, Place
from integrations.connectors.azure.work_items import (
    SEVERITIES,
    WorkItems,
    category_of,
    changes_in,
    team_of,
    transitions_in,
)
from integrations.connectors.base import Cursor, Http, Json, Page
from integrations.connectors.drafts import MISSING, IncidentDraft, Missing, TransitionDraft, shown_title
from integrations.connectors.reader import Reader
from integrations.connectors.references import issue_key
from integrations.connectors.unchecked import text_of
from integrations.enums import Severity, StatusCategory

SOURCE, SETTING = "incident_item", "incidents"
_FIELDS = {"severity": "Microsoft.VSTS.Common.Severity", "tag": "System.Tags"}
_DONE = ("Resolved", "Completed", "Removed")


class UnreadableRuleError(ValueError):
    """A line that is not a rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    type: str
    severity: str = ""
    tag: str = ""

    @property
    def condition(self) -> str:
        """The rule in the language of queries."""
        clauses = [f"[System.WorkItemType] = '{_quoted(self.type)}'"]
        if self.severity:
            clauses.append(f"[{_FIELDS['severity']}] = '{_quoted(self.severity)}'")
        if self.tag:
            clauses.append(f"[{_FIELDS['tag']}] CONTAINS '{_quoted(self.tag)}'")
        return " AND ".join(clauses)


def read_rules(text: str) -> list[Rule]:
    """An admin's rules.  Raises UnreadableRuleError with a sentence for the admin."""
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [_rule(number, line) for number, line in lines if line and line[0] != "#"]


def _rule(number: int, line: str) -> Rule:
    type_, *parts = (part.strip() for part in line.split(","))
    values: dict[str, str] = {}
    for part in parts:
        name, equals, value = (word.strip() for word in part.partition("="))
        if name not in _FIELDS or not equals or not value:
            raise UnreadableRuleError(f"Line {number}: “{part}” is neither severity=… nor tag=….")
        values[name] = value
    if not type_ or "=" in type_:
        raise UnreadableRuleError(f"Line {number} does not begin with a type: Bug, severity=1 - Critical.")
    if type_.casefold() == "bug" and not values:
        raise UnreadableRuleError(f"Line {number}: not every bug is an incident. Name a severity or a tag, too.")
    return Rule(type_, **values)


def _quoted(value: str) -> str:
    return value.replace("'", "''")


def normalise_incident(payload: Json) -> list[IncidentDraft]:
    """`incident_item`, a work item with its `updates` and `categories`."""
    reader = Reader(payload)
    item = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    number, changes = item.identifier("id"), changes_in(reader)
    transitions = None if changes is None else list(transitions_in(reader, changes))
    severity, state = item.text("severity", default=""), item.text("state", default="")
    return [
        IncidentDraft(
            external_id=number,
            updated_at=item.part_time("changed"),
            service=team_of(item) or MISSING,
            key=issue_key(KEY, int(number)) if number.isdecimal() else MISSING,
            title=shown_title(item.text("title", default="")),
            url=reader.text("page", default=MISSING),
            native_status=state,
            native_severity=severity,
            severity=SEVERITIES.get(severity[:1], Severity.UNKNOWN),
            started_at=item.time("created"),
            acknowledged_at=_acknowledged_at(transitions),
            resolved_at=_resolved_at(reader, state, transitions or ()),
            left_out=tuple(reader.left_out),
        )
    ]


def _acknowledged_at(transitions: Sequence[TransitionDraft] | None) -> datetime | Missing | None:
    """The first time that somebody worked on it; MISSING if its updates were not read."""
    if transitions is None:
        return MISSING
    started = (one.at for one in transitions if one.category is StatusCategory.IN_PROGRESS)
    return next(started, None)


def _resolved_at(reader: Reader, state: str, transitions: Sequence[TransitionDraft]) -> datetime | None:
    """The start of its last resolved period, if it is still resolved."""
    if category_of(reader, state) is None or not _is_done(reader, state):
        return None
    resolved: datetime | None = None
    for transition in transitions:
        if not _is_done(reader, transition.to_status):
            resolved = None
        elif resolved is None:
            resolved = transition.at
    return resolved


def _is_done(reader: Reader, state: str) -> bool:
    return text_of(reader.value("categories"), state) in _DONE


def fetch_incidents(
    http: Http, place: Place, cursor: Cursor, *, now: datetime, rules: Sequence[Rule]
) -> Iterator[Page]:
    """Read the incidents that match the rules: a changed one costs one request.  Changed rules read everything
    again.
    """
    condition = " OR ".join(f"({rule.condition})" for rule in rules)
    known = cursor if cursor.get("rules", condition) == condition else {}
    items = WorkItems(place, SOURCE, normalise_incident, condition)
    for page in items.pages(http, {name: value for name, value in known.items() if name != "rules"}, now=now):
        yield Page(page.records, {**page.cursor, "rules": condition}, page.left, complete=page.complete)
