"""The document of a closed quarter, and the copy of it that a viewer may see.

Its text is canonical JSON with every figure, label, series and text, so that pages and print need nothing else.  People
are stored as ids, and named when it is shown.  Figures are stored in full, each with the number of people behind it:
access is decided on reading, by the rules of that day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, ClassVar, NamedTuple, Protocol, TypeVar

from django.contrib.auth.models import User
from pydantic import Field

from core.json_documents import NotStored, canonical, parsed
from insights.privacy.withhold import reason
from insights.query.query import Window
from orgtree.access.access import Access
from programs.models import FrozenDocument, Objective, ObjectiveStatus, Ticket

Frozen = TypeVar("Frozen", bound="FrozenContent")


class FrozenDocumentError(Exception):
    """Raised if the text is not the one that was frozen, or its schema is unknown."""


class OfMetric(Protocol):
    """The metric of a frozen value (empty: none) and the rules in force on its day, which decide who may see it."""

    @property
    def metric(self) -> str: ...
    @property
    def of_people(self) -> bool: ...
    @property
    def open_as_in_tools(self) -> bool: ...


class FrozenPoint(NamedTuple):
    """The value of a week, and the number of people behind it."""

    day: date
    value: float | None
    people: int


@dataclass(frozen=True)
class FrozenKeyResult:
    """A key result at the close of its quarter; `value`, `points` and the fields that depend on them are empty if
    withheld.
    """

    id: int
    title: str
    metric: str
    metric_name: str
    metric_version: int | None
    formula: str
    of_people: bool
    open_as_in_tools: bool
    statistic: str
    unit_of_measure: str
    better: str
    target_kind: str
    change_percent: float | None
    baseline: float | None
    baseline_from: date | None
    baseline_to: date | None
    baseline_people: int | None
    target: float | None
    value: float | None
    reason: str
    sample_size: int
    people: int  # the lowest number, without people known from telemetry alone
    progress: float | None
    holds: bool | None
    score: float | None
    standing: str
    why: str
    points: tuple[FrozenPoint, ...]
    withheld: Annotated[bool, NotStored] = False
    of_few: Annotated[bool, NotStored] = False  # withheld from every viewer because few people are behind it

    @property
    def is_guardrail(self) -> bool:
        return self.target_kind == "guardrail"

    @property
    def course(self) -> list[float | None]:
        """The weekly values."""
        return [point.value for point in self.points]

    def visible(self, unit_id: int | None, access: Access) -> FrozenKeyResult:
        """The key result, of that unit, as the viewer may see it."""
        hidden = why_hidden(self, self.people, unit_id, access)
        baseline_hidden = hidden or why_hidden(self, self.baseline_people or 0, unit_id, access)
        points = tuple(
            point._replace(value=self._point_value(point, unit_id, access), people=0) for point in self.points
        )
        copy = replace(self, points=points, baseline_people=None)
        if baseline_hidden:
            target = None if self.target_kind == "relative" else self.target
            copy = replace(copy, baseline=None, target=target, progress=None, score=None, why=hidden)
        if hidden:
            copy = replace(
                copy,
                value=None,
                reason=hidden,
                sample_size=0,
                people=0,
                holds=None,
                standing=ObjectiveStatus.UNKNOWN.value,
                points=(),
                withheld=True,
                of_few=_is_of_few(self, self.people, unit_id, access),
            )
        return copy

    def _point_value(self, point: FrozenPoint, unit_id: int | None, access: Access) -> float | None:
        is_hidden = point.people < access.minimum_group_size and why_hidden(self, point.people, unit_id, access)
        return None if is_hidden else point.value


@dataclass(frozen=True)
class FrozenCheckIn:
    """`account` is the id of the author's account."""

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
class FrozenUnit:
    id: int
    slug: str
    name: str


@dataclass(frozen=True)
class FrozenParent:
    id: int
    title: str


@dataclass(frozen=True)
class FrozenObjective:
    """`computed` is the status by the figures; `owner` is a person's id, and `override_by` an account's.

    `parent` is None if the viewer may not see that objective.
    """

    id: int
    title: str
    description: str
    template: str
    unit: FrozenUnit | None
    owner: int | None
    is_mandatory: bool
    parent: FrozenParent | None
    published_at: datetime | None
    is_dropped: bool
    dropped_why: str
    override: str
    override_reason: str
    override_by: int | None
    computed: str
    why: str
    progress: float | None
    score: float | None
    carry_over: str
    retrospective: str
    key_results: tuple[FrozenKeyResult, ...]
    check_ins: tuple[FrozenCheckIn, ...]
    tickets: tuple[FrozenTicket, ...]

    @property
    def standing(self) -> str:
        """The status that was shown."""
        return self.override or self.computed

    @property
    def is_of_few(self) -> bool:
        """Whether its status is withheld because it would reveal few people."""
        return any(result.of_few for result in self.key_results) and not self.override_reason

    def visible(self, objectives: Collection[int], tickets: Collection[int], access: Access) -> FrozenObjective:
        """The copy for a viewer who may see these objectives and tickets."""
        key_results = tuple(result.visible(self.unit.id if self.unit else None, access) for result in self.key_results)
        copy = replace(
            self,
            parent=self.parent if self.parent and self.parent.id in objectives else None,
            key_results=key_results,
            tickets=tuple(ticket for ticket in self.tickets if ticket.id in tickets),
        )
        withheld = next((result for result in key_results if result.withheld), None)
        if withheld is not None:
            copy = replace(copy, why=withheld.why, progress=None, score=None)
        if any(result.of_few for result in key_results):  # otherwise the status is shown, without its figures
            copy = replace(copy, computed=ObjectiveStatus.UNKNOWN.value)
        return copy


@dataclass(frozen=True)
class FrozenDays:
    """A named period on [start, end)."""

    name: str
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)


@dataclass(frozen=True, kw_only=True)
class FrozenContent:
    """The parts of every frozen document; `sha256` is the hash of the stored text."""

    schema_versions: ClassVar[tuple[int, ...]] = (1,)  # those that can be read; the last one is written

    schema: int
    kind: str
    sha256: Annotated[str, NotStored] = ""


@dataclass(frozen=True, kw_only=True)
class FrozenQuarter(FrozenContent):
    """`closed_by` is an account id."""

    quarter: FrozenDays
    closed_at: datetime
    closed_by: int | None
    forced_because: str
    retrospective: str
    objectives: tuple[FrozenObjective, ...]
    teams_without_objective: tuple[FrozenUnit, ...]

    @property
    def score(self) -> float | None:
        """The mean over the objectives whose score this viewer may see."""
        scores = [objective.score for objective in self.objectives if objective.score is not None]
        return sum(scores) / len(scores) if scores else None


def freeze(document: FrozenContent, *, by: User, at: datetime) -> FrozenDocument:
    """Store the text; the database refuses to change it."""
    body, digest = canonical(document)
    return FrozenDocument.objects.create(
        kind=document.kind, schema_version=document.schema, body=body, sha256=digest, frozen_at=at, frozen_by=by
    )


def stored_document(kind: type[Frozen], stored: FrozenDocument) -> Frozen:
    """The frozen document.  Raises FrozenDocumentError if the text has changed or its schema is unknown."""
    if hashlib.sha256(stored.body.encode()).hexdigest() != stored.sha256:
        raise FrozenDocumentError("The document's text does not match its stored SHA-256.")
    if stored.schema_version not in kind.schema_versions:
        raise FrozenDocumentError(f"Schema version {stored.schema_version} is not known here.")
    try:
        return replace(parsed(kind, stored.body), sha256=stored.sha256)
    except ValueError as problem:
        raise FrozenDocumentError(f"The document is not as its schema says: {problem}") from problem


def read_frozen(stored: FrozenDocument, access: Access) -> FrozenQuarter:
    """The quarter's objectives that this viewer may see, without the figures withheld from them.

    Raises FrozenDocumentError if the text is not the one that was frozen.
    """
    document = stored_document(FrozenQuarter, stored)
    return replace(
        document,
        objectives=visible_objectives(document.objectives, access),
        teams_without_objective=visible_teams(document.teams_without_objective, access),
    )


def visible_teams(teams: Sequence[FrozenUnit], access: Access) -> tuple[FrozenUnit, ...]:
    return tuple(team for team in teams if access.visibility.can_see(team.id))


def visible_objectives(objectives: Sequence[FrozenObjective], access: Access) -> tuple[FrozenObjective, ...]:
    """The objectives that the viewer may see, without figures withheld from them; two queries."""
    named = {objective.id for objective in objectives} | {one.parent.id for one in objectives if one.parent}
    visible = visible_ids(named, access)
    tickets = visible_tickets([ticket.id for objective in objectives for ticket in objective.tickets], access)
    return tuple(objective.visible(visible, tickets, access) for objective in objectives if objective.id in visible)


def visible_ids(objectives: Collection[int], access: Access) -> set[int]:
    return set(Objective.objects.within(access.visibility).filter(pk__in=objectives).values_list("pk", flat=True))


def visible_tickets(ids: Collection[int], access: Access) -> set[int]:
    return set(Ticket.objects.within(access.visibility).filter(pk__in=ids).values_list("pk", flat=True))


def why_hidden(of: OfMetric, people: int, unit_id: int | None, access: Access) -> str:
    """The reason why a value with so many `people` behind it is hidden from this viewer; empty if it is not."""
    if not of.metric:
        return ""
    visibility = access.visibility
    if not (visibility.whole if unit_id is None else visibility.can_see(unit_id)):
        return (
            "You don't have access to the figures of this unit."
            if unit_id
            else "You don't have access to the figures of the whole organisation."
        )
    return reason(access) if _is_of_few(of, people, unit_id, access) else ""


def _is_of_few(of: OfMetric, people: int, unit_id: int | None, access: Access) -> bool:
    is_own = unit_id is not None and unit_id in access.visibility.slugs.values() and of.open_as_in_tools
    if not of.metric or access.shows_small_groups or not of.of_people or is_own:
        return False
    return 0 < people < access.minimum_group_size
