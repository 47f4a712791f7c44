"""The document of a business review, and the copy of it that a viewer may see: without values that would reveal few
people.

What is hidden is decided on reading, by the rules of that day; pages, print, PDF, CSV and API show nothing else.
Figures are stored in full, each with the number of people behind it; people are ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Self

from insights.catalogue.lead_time_stages import Bottleneck, bottleneck
from insights.forecasts.listing import DeliveryRisk
from orgtree.access.access import Access
from programs.closing.services.figures import Amount, Figure, MetricText, Period, Stage
from programs.closing.services.frozen import (
    FrozenContent,
    FrozenDays,
    FrozenObjective,
    FrozenUnit,
    OfMetric,
    visible_ids,
    visible_objectives,
    visible_teams,
    visible_tickets,
    why_hidden,
)
from programs.qbr.services.sections import AGENTS, CATEGORIES, SECTIONS, SOURCES, STAGES_CHART, UNITS
from programs.report.services.document import Point, ReportDocument


@dataclass(frozen=True, kw_only=True)
class Week(Amount):
    """The value of the week that begins on `day`."""

    day: date
    to_date: bool
    key: ClassVar[str] = ""

    @property
    def label(self) -> str:
        return self.day.isoformat()


@dataclass(frozen=True, kw_only=True)
class AgentAmount(Amount):
    """The value of an agent, by its slug."""

    agent: str
    label: str

    @property
    def key(self) -> str:
        return self.agent


@dataclass(frozen=True, kw_only=True)
class CategoryAmount(Amount):
    """The time spent on an investment category, by name, and its target share of all time in percent."""

    category: str
    target: float | None

    @property
    def key(self) -> str:
        return self.category

    @property
    def label(self) -> str:
        return self.category


@dataclass(frozen=True, kw_only=True)
class UnitAmount(Amount):
    id: int
    slug: str
    name: str

    @property
    def key(self) -> str:
        return self.slug

    @property
    def label(self) -> str:
        return self.name

    def visible(self, of: OfMetric, unit_id: int | None, access: Access) -> Self:
        return super().visible(of, self.id, access)


@dataclass(frozen=True, kw_only=True)
class PeriodAmount(Amount):
    """The value of a month or quarter: the review's or an earlier one; `to_date` while it is running."""

    period: str
    to_date: bool

    @property
    def key(self) -> str:
        return self.period

    @property
    def label(self) -> str:
        return self.period


Part = Stage | Week | AgentAmount | CategoryAmount | UnitAmount | PeriodAmount


@dataclass(frozen=True)
class Chart:
    """`rows` holds one series of parts; for lead time's stages, two: the period and the one before it."""

    kind: str
    figure: Figure
    rows: Sequence[Sequence[Part]]

    @property
    def parts(self) -> Sequence[Part]:
        return self.rows[0] if self.rows else ()

    @property
    def bottleneck(self) -> Bottleneck | None:
        """The bottleneck of lead time in the period; None for charts that do not show its stages."""
        stages = {part.key: part.figures for part in self.parts if isinstance(part, Stage)}
        return bottleneck(stages) if self.kind == STAGES_CHART else None


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The metric in the weeks before an action and in those after it, and the interval of the change.

    If `weekly`, values are means of weeks.
    """

    before: float | None
    after: float | None
    change_low: float | None
    change_high: float | None
    people: int
    weekly: bool = False


@dataclass(frozen=True, kw_only=True)
class QbrTicket:
    """`owner` is a person's id; `effect` is None if nothing was measured or the viewer may not see it."""

    id: int
    title: str
    unit: FrozenUnit | None
    owner: int | None
    due_on: date
    completed_on: date | None
    state: str
    state_label: str
    days_late: int
    metric: str
    effect: Effect | None
    measured_on: date | None  # the earliest day

    @property
    def is_done(self) -> bool:
        return self.state == "done"


@dataclass(frozen=True, kw_only=True)
class MeasuredTicket(MetricText, QbrTicket):
    """A ticket with a metric."""

    def visible(self, access: Access) -> MeasuredTicket:
        is_hidden = self.effect and why_hidden(self, self.effect.people, self.unit.id if self.unit else None, access)
        return replace(self, effect=None) if is_hidden else self


@dataclass(frozen=True, kw_only=True)
class FrozenDecision:
    """A decision that was asked for, or one of the previous review; `owner` is a person's id.

    `state` is the state of its ticket on the day of freezing; empty without a ticket.
    """

    title: str
    reason: str
    owner: int | None
    due_on: date
    ticket: int | None = None
    state: str = ""
    state_label: str = ""
    completed_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class NextObjective:
    """An objective published for the quarter after the period; `owner` is a person's id."""

    id: int
    title: str
    unit: FrozenUnit | None
    owner: int | None


@dataclass(frozen=True, kw_only=True)
class FrozenFinding:
    """A finding of the period, with its state on the day of freezing.

    `hours` is the waiting time per month, between `hours_low` and `hours_high` (95 %), on [since, ended_on).
    """

    id: int
    unit: FrozenUnit | None
    metric: str
    title: str
    hours: float
    found_on: date
    state: str
    state_label: str
    ended_on: date | None
    reason: str
    since: date | None = None
    hours_low: float = 0.0
    hours_high: float = 0.0

    def is_visible(self, access: Access) -> bool:
        visibility = access.visibility
        return visibility.whole if self.unit is None else visibility.can_see(self.unit.id)


@dataclass(frozen=True, kw_only=True)
class QbrSectionText:
    """`figures` are keys of metrics, `charts` are names: see `QbrDocument.charts_of`."""

    key: str
    name: str
    headline: str
    commentary: str
    figures: tuple[str, ...]
    charts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class QbrDocument(FrozenContent):
    """`frozen_by` and `written_by` are account ids; `frozen_at` is None for a draft."""

    schema_versions: ClassVar[tuple[int, ...]] = (1, 2, 3, 4, 5, 6, 7, 8)
    """In schema 1, stages of lead time have only means; 1 and 2 have no revision, decisions or objectives to come;
    before 4 there are no delivery risks, before 5 no findings, before 6 no day and no interval of a finding's hours,
    before 7 no parts of the executive report, and before 8 no figure is steady because of its normal variation.
    """

    id: int
    revision: int = 1
    reopened_because: str = ""
    unit: FrozenUnit | None
    period: Period
    before: FrozenDays
    frozen_at: datetime | None
    frozen_by: int | None
    written_by: tuple[int, ...]
    figures: Mapping[str, Figure]
    charts: Mapping[str, tuple[tuple[Stage, ...], ...] | tuple[Part, ...]]
    objectives: tuple[FrozenObjective, ...]
    teams_without_objective: tuple[FrozenUnit, ...]
    tickets: tuple[MeasuredTicket | QbrTicket, ...]
    tickets_total: int
    sections: tuple[QbrSectionText, ...]
    decisions: tuple[FrozenDecision, ...] = ()
    decided_in: str = ""  # the period of the previous review
    decided: tuple[FrozenDecision, ...] = ()  # in the previous review
    next_objectives: tuple[NextObjective, ...] = ()
    risks_on: date | None = None  # when the delivery risks were computed
    delivery_risks: tuple[DeliveryRisk, ...] = ()
    findings: tuple[FrozenFinding, ...] = ()
    report: ReportDocument | None = None  # with the parts that its sections use

    @property
    def all_figures(self) -> Sequence[Figure]:
        return list(self.figures.values())

    @property
    def sources(self) -> Sequence[Figure]:
        return [self.figures[key] for key in SOURCES if key in self.figures]

    def figures_of(self, section: QbrSectionText) -> Sequence[Figure]:
        return [self.figures[key] for key in section.figures]

    def points_of(self, section: QbrSectionText) -> Sequence[Point]:
        """The points that the section takes from the executive report."""
        part = SECTIONS[section.key].part
        return getattr(self.report, part) if self.report and part else ()

    def charts_of(self, section: QbrSectionText) -> Sequence[Chart]:
        charts = []
        for name in section.charts:
            kind, _, metric = name.partition(":")
            drawn: Any = self.charts[name]
            charts.append(Chart(kind, self.figures[metric], drawn if kind == STAGES_CHART else [drawn]))
        return charts

    def visible(self, access: Access) -> QbrDocument:
        """The document as the viewer may see it; four queries."""
        readable = visible_tickets([ticket.id for ticket in self.tickets], access)
        planned = visible_ids([objective.id for objective in self.next_objectives], access)
        tickets = [ticket for ticket in self.tickets if ticket.id in readable]
        return replace(
            self,
            figures={key: figure.visible(self._unit_id, access) for key, figure in self.figures.items()},
            charts={name: self._visible_chart(name, access) for name in self.charts},
            objectives=visible_objectives(self.objectives, access),
            teams_without_objective=visible_teams(self.teams_without_objective, access),
            tickets=tuple(one.visible(access) if isinstance(one, MeasuredTicket) else one for one in tickets),
            tickets_total=self.tickets_total - len(self.tickets) + len(tickets),
            next_objectives=tuple(one for one in self.next_objectives if one.id in planned),
            findings=tuple(one for one in self.findings if one.is_visible(access)),
            report=self.report.visible(access) if self.report else None,
        )

    @property
    def _unit_id(self) -> int | None:
        return self.unit.id if self.unit else None

    def _visible_chart(self, name: str, access: Access) -> Any:
        kind, _, metric = name.partition(":")
        figure, drawn = self.figures[metric], self.charts[name]
        if kind in (AGENTS, CATEGORIES):  # no tool shows whose agent it was, or what a week was spent on
            figure = replace(figure, open_as_in_tools=False)

        def visible(parts: Any) -> tuple[Part, ...]:
            return tuple(part.visible(figure, self._unit_id, access) for part in parts)

        if kind == STAGES_CHART:  # parts of a sum: if one is missing, the others do not make a whole
            rows = map(visible, drawn)
            return tuple(row if all(part.value is not None for part in row) else () for row in rows)
        parts = visible(drawn)
        return tuple(part for part in parts if part.value is not None or part.hidden) if kind == UNITS else parts
