"""The document of a closed quarter, and reading it for one viewer.

One canonical JSON text (sorted keys, no spaces, UTF-8) with every figure, label, series and text, so that pages and
print need nothing else.  People are stored as ids and named when it is shown.  Figures are unrestricted, each with
the number of people behind it: access is decided at reading, by the rules of that day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User

from insights.privacy.withhold import reason
from orgtree.access.access import Access
from programs.models import FrozenDocument, Objective, ObjectiveStatus, Ticket

SCHEMA_VERSION = 1


class FrozenDocumentError(Exception):
    """The text is not the one that was frozen, or of a schema that is not known."""


@dataclass(frozen=True)
class FrozenKeyResult:
    """As when the quarter was closed; `value`, `points` and what follows from them are None where they are withheld."""

    id: int
    title: str
    metric: str
    metric_name: str
    metric_version: int | None
    statistic: str
    unit_of_measure: str
    better: str
    target_kind: str
    change_percent: float | None
    baseline: float | None
    baseline_from: date | None
    baseline_to: date | None
    target: float | None
    value: float | None
    reason: str
    sample_size: int
    people: int  # the fewest behind it, whom something beside telemetry knew
    progress: float | None
    holds: bool | None
    score: float | None
    standing: str
    why: str
    points: tuple[tuple[date, float | None], ...]
    withheld: bool
    of_few: bool  # withheld because few people are behind it, wherever the viewer stands

    @property
    def is_guardrail(self) -> bool:
        return self.target_kind == "guardrail"

    @property
    def course(self) -> list[float | None]:
        """Its values, by week."""
        return [value for _, value in self.points]


@dataclass(frozen=True)
class FrozenCheckIn:
    """`account` is the id of whoever wrote it."""

    at: datetime
    account: int | None
    key_result: int | None
    confidence: str
    confidence_label: str
    note: str
    value: float | None


@dataclass(frozen=True)
class FrozenTicket:
    id: int
    title: str
    state: str
    state_label: str
    owner: int | None  # a person's id
    due_on: date
    completed_on: date | None


@dataclass(frozen=True)
class FrozenObjective:
    """`standing` is what was shown, `computed` what the figures said; `owner` is a person's id.

    `parent_id` is None and `parent_title` empty where that objective is not the viewer's to see.
    """

    id: int
    title: str
    description: str
    unit_id: int | None
    unit_slug: str
    unit_name: str
    owner: int | None
    is_mandatory: bool
    parent_id: int | None
    parent_title: str
    dropped_why: str
    is_dropped: bool
    standing: str
    computed: str
    why: str
    override_reason: str
    progress: float | None
    score: float | None
    carry_over: str
    retrospective: str
    key_results: tuple[FrozenKeyResult, ...]
    check_ins: tuple[FrozenCheckIn, ...]
    tickets: tuple[FrozenTicket, ...]


@dataclass(frozen=True)
class FrozenUnit:
    id: int
    slug: str
    name: str


@dataclass(frozen=True)
class FrozenQuarter:
    """`score` is the mean over the objectives that this viewer sees the score of; `closed_by` an account's id."""

    name: str
    start: date
    end: date
    closed_at: datetime
    closed_by: int | None
    forced_because: str
    retrospective: str
    objectives: tuple[FrozenObjective, ...]
    teams_without_objective: tuple[FrozenUnit, ...]
    score: float | None
    sha256: str


def canonical(content: Mapping[str, Any]) -> tuple[str, str]:
    """The text, and the SHA-256 of its UTF-8."""
    body = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return body, hashlib.sha256(body.encode()).hexdigest()


def read_frozen(document: FrozenDocument, access: Access) -> FrozenQuarter:
    """The quarter's objectives that this viewer may see, without figures that are not for them.

    Raises FrozenDocumentError where the text is not what was frozen.
    """
    content = content_of_document(document, SCHEMA_VERSION)
    objectives = read_objectives(content["objectives"], access)
    scores = [objective.score for objective in objectives if objective.score is not None]
    return FrozenQuarter(
        name=content["quarter"]["name"],
        start=date.fromisoformat(content["quarter"]["from"]),
        end=date.fromisoformat(content["quarter"]["to"]),
        closed_at=datetime.fromisoformat(content["closed_at"]),
        closed_by=content["closed_by"],
        forced_because=content["forced_because"],
        retrospective=content["retrospective"],
        objectives=objectives,
        teams_without_objective=tuple(
            FrozenUnit(**team) for team in content["teams_without_objective"] if access.visibility.can_see(team["id"])
        ),
        score=sum(scores) / len(scores) if scores else None,
        sha256=document.sha256,
    )


def content_of_document(document: FrozenDocument, *schema_versions: int) -> dict[str, Any]:
    """The frozen document.  Raises FrozenDocumentError where the text is another one, or its schema is none of those
    versions."""
    if hashlib.sha256(document.body.encode()).hexdigest() != document.sha256:
        raise FrozenDocumentError("The document's text does not match its stored SHA-256.")
    if document.schema_version not in schema_versions:
        raise FrozenDocumentError(f"Schema version {document.schema_version} is not known here.")
    content: dict[str, Any] = json.loads(document.body)
    return content


def freeze_content(
    content: Mapping[str, Any], kind: FrozenDocument.Kind, schema_version: int, *, by: User, at: datetime
) -> FrozenDocument:
    body, digest = canonical(content)
    return FrozenDocument.objects.create(
        kind=kind, schema_version=schema_version, body=body, sha256=digest, frozen_at=at, frozen_by=by
    )


def read_objectives(entries: Sequence[Mapping[str, Any]], access: Access) -> tuple[FrozenObjective, ...]:
    """Those of a document that this viewer may see, without figures that are not for them; two queries."""
    named = {entry["id"] for entry in entries}
    served = {entry["parent"]["id"] for entry in entries if entry["parent"]}
    visible = set(
        Objective.objects.within(access.visibility).filter(pk__in=named | served).values_list("pk", flat=True)
    )
    tickets = [ticket["id"] for entry in entries for ticket in entry["tickets"]]
    readable = set(Ticket.objects.within(access.visibility).filter(pk__in=tickets).values_list("pk", flat=True))
    return tuple(_objective(entry, access, readable, visible) for entry in entries if entry["id"] in visible)


def _objective(
    document: Mapping[str, Any], access: Access, readable: Collection[int], visible: Collection[int]
) -> FrozenObjective:
    """`readable` are tickets, `visible` objectives that this viewer may see."""
    unit = document["unit"] or {"id": None, "slug": "", "name": ""}
    key_results = tuple(_key_result(entry, unit["id"], access) for entry in document["key_results"])
    is_hidden = any(result.withheld for result in key_results)
    is_of_few = any(result.of_few for result in key_results)  # else how it stood is told, without its figures
    computed = ObjectiveStatus.UNKNOWN.value if is_of_few else document["computed"]
    parent = document["parent"] or {"id": None, "title": ""}
    return FrozenObjective(
        **{name: document[name] for name in _OBJECTIVE_TEXTS},
        unit_id=unit["id"],
        unit_slug=unit["slug"],
        unit_name=unit["name"],
        parent_id=parent["id"] if parent["id"] in visible else None,
        parent_title=parent["title"] if parent["id"] in visible else "",
        standing=document["override"] or computed,
        computed=computed,
        why=next(result.why for result in key_results if result.withheld) if is_hidden else document["why"],
        progress=None if is_hidden else document["progress"],
        score=None if is_hidden else document["score"],
        key_results=key_results,
        check_ins=tuple(
            FrozenCheckIn(**{**entry, "at": datetime.fromisoformat(entry["at"])}) for entry in document["check_ins"]
        ),
        tickets=tuple(
            FrozenTicket(**{**entry, "due_on": _day(entry["due_on"]), "completed_on": _day(entry["completed_on"])})
            for entry in document["tickets"]
            if entry["id"] in readable
        ),
    )


_OBJECTIVE_TEXTS = (
    *("id", "title", "description", "owner", "is_mandatory", "dropped_why", "is_dropped", "override_reason"),
    *("carry_over", "retrospective"),
)
_KEY_RESULT_TEXTS = (
    *("id", "title", "metric", "metric_name", "metric_version", "statistic", "unit_of_measure", "better"),
    *("target_kind", "change_percent"),
)


def _key_result(document: Mapping[str, Any], unit_id: int | None, access: Access) -> FrozenKeyResult:
    hidden = why_hidden(document, document["people"], unit_id, access)
    baseline_hidden = hidden or why_hidden(document, document["baseline_people"] or 0, unit_id, access)
    is_relative, small = document["target_kind"] == "relative", access.minimum_group_size
    return FrozenKeyResult(
        **{name: document[name] for name in _KEY_RESULT_TEXTS},
        baseline=None if baseline_hidden else document["baseline"],
        baseline_from=_day(document["baseline_from"]),
        baseline_to=_day(document["baseline_to"]),
        target=None if baseline_hidden and is_relative else document["target"],
        value=None if hidden else document["value"],
        reason=hidden or document["reason"],
        sample_size=0 if hidden else document["sample_size"],
        people=0 if hidden else document["people"],
        progress=None if baseline_hidden else document["progress"],
        holds=None if hidden else document["holds"],
        score=None if baseline_hidden else document["score"],
        standing=ObjectiveStatus.UNKNOWN.value if hidden else document["standing"],
        why=hidden or ("" if baseline_hidden else document["why"]),
        points=()
        if hidden
        else tuple(
            (
                date.fromisoformat(day),
                None if people < small and why_hidden(document, people, unit_id, access) else value,
            )
            for day, value, people in document["points"]
        ),
        withheld=bool(hidden),
        of_few=bool(hidden) and _is_of_few(document, document["people"], unit_id, access),
    )


def why_hidden(document: Mapping[str, Any], people: int, unit_id: int | None, access: Access) -> str:
    """Why a value of so many `people` is not this viewer's to see, by what the document says of its metric; or empty.

    `document` has `metric`, and `of_people` and `open_as_in_tools` of that day.
    """
    if not document["metric"]:
        return ""
    visibility = access.visibility
    if not (visibility.whole if unit_id is None else visibility.can_see(unit_id)):
        return (
            "You don't have access to the figures of this unit."
            if unit_id
            else "You don't have access to the figures of the whole organisation."
        )
    return reason(access) if _is_of_few(document, people, unit_id, access) else ""


def _is_of_few(document: Mapping[str, Any], people: int, unit_id: int | None, access: Access) -> bool:
    is_own = unit_id is not None and unit_id in access.visibility.slugs.values() and document["open_as_in_tools"]
    if not document["metric"] or access.shows_small_groups or not document["of_people"] or is_own:
        return False
    return 0 < people < access.minimum_group_size


def _day(text: str | None) -> Any:
    return None if text is None else date.fromisoformat(text)
