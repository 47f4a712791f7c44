"""Builds the document of a business review from today's data, with everything that page, presentation and print
show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import dropwhile
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Q, QuerySet

from core.json_documents import copied
from insights.benchmarks.baselines import grows_with_time
from insights.benchmarks.sets import chosen_set
from insights.catalogue.agents import agent_name
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find
from insights.engine.read import AnswerSet, UnitQueries
from insights.findings.words import names_behind, worded
from insights.forecasts.listing import DeliveryRisk, delivery_risks
from insights.models import Finding
from insights.privacy.stored import read_to_store
from insights.query import windows
from insights.query.query import Answer, Dimension, Freshness, Granularity, MetricValue, Query, Scope, Window
from insights.ui import tiles
from insights.ui.agreements import Agreement, agreements_on
from insights.ui.bands import band
from integrations.delivery.allocation.targets import targets_in_force
from integrations.models import InvestmentCategory
from integrations.models.allocation import UNLINKED, UNMATCHED
from orgtree.access.access import Access, aggregates_access, public_access
from orgtree.models import Unit, UnitPlace, UnitPlacement
from orgtree.trees.people_filter import PeopleFilter
from programs.closing.services.figures import (
    STAGE_STATISTICS,
    Amount,
    Figure,
    Period,
    described,
    stages_from,
    value_fields,
)
from programs.closing.services.freezing import frozen_objectives, frozen_unit
from programs.closing.services.frozen import FrozenDays, FrozenUnit, stored_document
from programs.key_results.services.reading import fewest
from programs.models import (
    FrozenDocument,
    Objective,
    Qbr,
    QbrAudience,
    QbrDecision,
    QbrPeriod,
    QbrSection,
    QbrState,
    Quarter,
    SectionKey,
    Ticket,
    TicketEffect,
    TicketState,
)
from programs.models.qbr import period_name
from programs.models.tickets import OPEN_STATES
from programs.qbr.queries import last_frozen
from programs.qbr.services.document import (
    AgentAmount,
    CategoryAmount,
    Effect,
    FrozenDecision,
    FrozenFinding,
    MeasuredTicket,
    NextObjective,
    PeriodAmount,
    QbrDocument,
    QbrSectionText,
    QbrTicket,
    UnitAmount,
    Week,
)
from programs.qbr.services.sections import (
    AGENTS,
    CATEGORIES,
    HIGHLIGHT_PHRASES,
    PERIODS,
    SECTIONS,
    SOURCES,
    STAGE_METRICS,
    STAGES_CHART,
    UNITS,
    WEEK,
)
from programs.quarters.fiscal_quarters import quarter_among, quarter_of
from programs.report.services.content import report_of
from programs.report.services.document import ReportDocument
from programs.teams.queries import teams_on, teams_tree, teams_without_objective
from programs.tickets.services.effects import first_measured_on

MOST_TICKETS = 60  # listed; the document also has the total
MOST_RISKS = 12  # deliveries that miss their planned day
MOST_UNITS = 12  # compared on a chart
MOST_FINDINGS = 60
MOST_NEXT = 12  # objectives of the next quarter that are listed
PERIODS_OF_TREND = 8  # two years of quarters


def document_of(qbr: Qbr, access: Access, *, today: date) -> QbrDocument:
    """The frozen document, or a draft with today's figures, as the viewer may see it.

    Readers of a signed review that is published beyond its unit, or to its meeting's participants, see it like somebody
    with access to everything; figures of few people stay hidden.  Raises FrozenDocumentError, QueryError.
    """
    if qbr.document is not None:
        return stored_document(QbrDocument, qbr.document).visible(_as_published(qbr, access))
    sections = list(qbr.sections.filter(is_included=True).order_by("position"))
    return content_of(qbr, sections, today=today).visible(access)


def _as_published(qbr: Qbr, access: Access) -> Access:
    visibility = access.visibility
    sees_unit = visibility.whole if qbr.unit_id is None else visibility.can_see(qbr.unit_id)
    is_of_unit = qbr.audience in (QbrAudience.UNIT, QbrAudience.LEADERSHIP)
    if qbr.state != QbrState.SIGNED or (is_of_unit and sees_unit):
        return access
    return replace(access, visibility=replace(visibility, whole=True, unit_ids=None))


def content_of(
    qbr: Qbr,
    sections: Sequence[QbrSection],
    *,
    today: date,
    frozen_at: datetime | None = None,
    frozen_by: int | None = None,
    freshness: Freshness = Freshness.OF_PAGES,
) -> QbrDocument:
    """Builds the document; `sections` are the included ones, in order, of a review with its unit.  Raises
    QueryError.
    """
    figures = _Figures(qbr, sections, today, freshness)
    tickets, number = _tickets(qbr)
    last = last_frozen(qbr)
    counted_to = windows.passed(qbr.window, today=today).end
    return QbrDocument(
        schema=QbrDocument.schema_versions[-1],
        kind=FrozenDocument.Kind.QBR.value,
        id=qbr.pk,
        revision=qbr.revision,
        reopened_because=qbr.reopened_because,
        unit=_unit(qbr.unit),
        period=Period(qbr.period_name, qbr.start, qbr.end, kind=qbr.period, counted_to=counted_to),
        before=_days_before(qbr, figures.before),
        frozen_at=frozen_at,
        frozen_by=frozen_by,
        written_by=tuple(sorted({pk for pk in (qbr.written_by_id, *(one.edited_by_id for one in sections)) if pk})),
        figures=figures.content(),
        charts=figures.charts(),
        objectives=frozen_objectives(objectives_of(qbr)),
        teams_without_objective=tuple(map(frozen_unit, _teams_without(qbr, today))),
        tickets=tuple(_ticket(ticket, today) for ticket in tickets),
        tickets_total=number,
        decisions=tuple(_decision(one, today) for one in qbr.decisions.select_related("ticket")),
        decided_in=last.period_name if last else "",
        decided=tuple(_decision(one, today) for one in last.decisions.select_related("ticket")) if last else (),
        next_objectives=tuple(
            NextObjective(id=one.pk, title=one.title, unit=_unit(one.unit), owner=one.owner_id)
            for one in _next_objectives(qbr)
        ),
        risks_on=today,
        delivery_risks=_delivery_risks(qbr, sections, today),
        findings=_findings(qbr, sections),
        report=_report(qbr, sections, today, freshness),
        sections=tuple(
            copied(
                QbrSectionText,
                section,
                name=str(section.get_key_display()),
                figures=tuple(key for key in figures.of_section(section) if key in figures.metrics),
                charts=tuple(f"{kind}:{key}" for kind, key in SECTIONS[section.key].charts if key in figures.metrics),
            )
            for section in sections
        ),
    )


def _days_before(qbr: Qbr, window: Window) -> FrozenDays:
    """The days to compare with: for a running period, as many days of the one before, named as such."""
    name, counted = period_name(qbr.period, window.start), windows.previous(qbr.window, today=qbr.end)
    part = "" if window == counted else f", first {window.days} days"
    return FrozenDays(f"{name}{part}", window.start, window.end)


def _is_steady(metric: Metric, now: MetricValue, before: MetricValue, weeks: Sequence[MetricValue]) -> bool:
    """Whether the metric's tile would say “no change”, so that a figure is never better here and unchanged
    elsewhere.
    """
    change = tiles.change(metric, now, before, "", weeks)
    return change is not None and change.judgement == "steady"


@dataclass(frozen=True)
class _Chart:
    kind: str
    metric: str


class _Figures:
    """Reads the figures of all sections at once."""

    def __init__(self, qbr: Qbr, sections: Sequence[QbrSection], today: date, freshness: Freshness) -> None:
        self._qbr, self._today = qbr, today
        self.before = windows.previous(qbr.window, today=today)
        self._charts = [_Chart(*chart) for section in sections for chart in SECTIONS[section.key].charts]
        keys = dict.fromkeys(
            (*(key for section in sections for key in self.of_section(section)), *SOURCES)
        ) | dict.fromkeys(chart.metric for chart in self._charts)
        self.metrics: Mapping[str, Metric] = {key: metric for key in keys if (metric := find(key)) is not None}
        self._charts = [chart for chart in self._charts if chart.metric in self.metrics]
        self._periods = _periods(qbr) if any(chart.kind == PERIODS for chart in self._charts) else []
        self._units = _units_to_compare(qbr, today) if any(chart.kind == UNITS for chart in self._charts) else []
        self._answers = self._read(freshness)

    def of_section(self, section: QbrSection) -> list[str]:
        return list(dict.fromkeys((*SECTIONS[section.key].metrics, *section.metrics)))

    def _read(self, freshness: Freshness) -> AnswerSet:
        window, scope = self._qbr.window, Scope(self._qbr.unit.slug if self._qbr.unit else None)

        def query(key: str, within: Window, **more: Any) -> Query:
            return Query(key, within, Granularity.WEEK, scope, **more)

        stages = [
            query(key, within, statistic=statistic)
            for within in (window, self.before)
            for key in (STAGE_METRICS if self._has(STAGES_CHART) else ())
            for statistic in STAGE_STATISTICS.values()
        ]
        by_segment = [
            query(key, window, segments=(dimension,))
            for kind, dimension in ((AGENTS, Dimension.AGENT), (CATEGORIES, Dimension.INVESTMENT))
            for key in self._drawn(kind)
        ]
        return read_to_store(
            totals=[
                *(query(key, within) for within in (window, self.before) for key in self.metrics),
                *stages,
                *by_segment,
                *(query(key, period) for key in self._drawn(PERIODS) for _, period in self._periods),
            ],
            series=[query(key, window) for key in self.metrics],
            units=[UnitQueries([Query(key, window) for key in self._drawn(UNITS)], [unit.pk for unit in self._units])],
            freshness=freshness,
        )

    def _has(self, kind: str) -> bool:
        return any(chart.kind == kind for chart in self._charts)

    def _drawn(self, kind: str) -> list[str]:
        return list(dict.fromkeys(chart.metric for chart in self._charts if chart.kind == kind))

    def content(self) -> dict[str, Figure]:
        """Figures by metric."""
        number, access = len(self.metrics), public_access()
        published = chosen_set(access.organisation.benchmark_set)
        now = [answer.total[0] for answer in self._answers.totals[:number]]
        before = [answer.total[0] for answer in self._answers.totals[number : 2 * number]]
        series = [answer.series for answer in self._answers.series]
        agreements = agreements_on(list(self.metrics), Scope(self._qbr.unit.slug if self._qbr.unit else None), access)
        return {
            key: Figure(
                **described(metric),
                phrase=HIGHLIGHT_PHRASES.get(key, ""),
                now=Amount(**value_fields(value)),
                before=Amount(**value_fields(value_before)),
                **self._agreed(answer.query, agreements.get(key)),
                band=band(published, key, value, metric.statistic),
                band_before=band(published, key, value_before, metric.statistic),
                is_steady=_is_steady(metric, value, value_before, weeks),
            )
            for (key, metric), value, value_before, weeks, answer in zip(
                self.metrics.items(), now, before, series, self._answers.totals, strict=False
            )
        }

    def _agreed(self, query: Query, agreement: Agreement | None) -> dict[str, Any]:
        """Threshold and target, if the benchmark is for the same statistic and period."""
        is_comparable = (
            agreement is not None
            and agreement.is_of_statistic(query)
            and agreement.period in (None, self._qbr.granularity)
        )
        return {
            "threshold": agreement.threshold if agreement and is_comparable else None,
            "target": agreement.target if agreement and is_comparable else None,
            "higher_is_better": agreement.higher_is_better if agreement and is_comparable else None,
        }

    def charts(self) -> dict[str, Any]:
        """The charts by kind and metric, as sections name them."""
        totals = iter(self._answers.totals[2 * len(self.metrics) :])
        stages = [stages_from(totals) for _ in range(2)] if self._has(STAGES_CHART) else []
        by_agent = {key: next(totals) for key in self._drawn(AGENTS)}
        by_category = {key: next(totals) for key in self._drawn(CATEGORIES)}
        by_period = {key: [next(totals).total[0] for _ in self._periods] for key in self._drawn(PERIODS)}
        by_week = dict(zip(self.metrics, self._answers.series, strict=True))
        drawn: dict[str, Any] = {}
        for chart in self._charts:
            name = f"{chart.kind}:{chart.metric}"
            if chart.kind == STAGES_CHART:
                drawn[name] = tuple(stages)
            elif chart.kind == AGENTS:
                drawn[name] = tuple(map(_agent, by_agent[chart.metric].total))
            elif chart.kind == CATEGORIES:
                drawn[name] = self._by_category(by_category[chart.metric])
            elif chart.kind == WEEK:
                drawn[name] = _weeks(by_week[chart.metric], self._today)
            elif chart.kind == PERIODS:
                drawn[name] = self._by_period(by_period[chart.metric])
            else:
                drawn[name] = self._by_unit(chart.metric)
        return drawn

    def _by_period(self, values: Sequence[MetricValue]) -> tuple[PeriodAmount, ...]:
        """Amounts by period, from the period of the first fact."""
        parts = [
            PeriodAmount(period=name, to_date=window.end > self._today, **value_fields(value))
            for (name, window), value in zip(self._periods, values, strict=True)
        ]
        return tuple(dropwhile(lambda part: not part.sample_size, parts))

    def _by_category(self, answer: Answer) -> tuple[CategoryAmount, ...]:
        """Categories with time or a target in their order, then time without a category."""
        shares = targets_in_force(self._qbr.unit, windows.quarter_of(self._qbr.start).start).shares
        values = {value.segment.get(Dimension.INVESTMENT, ""): value for value in answer.total}
        nothing = MetricValue(self._qbr.window, {}, value=0.0)
        names = {category.name: shares.get(category.pk) for category in InvestmentCategory.objects.all()}
        listed = {**names, **{name: None for name in (UNMATCHED, UNLINKED, *values) if name in values.keys() - names}}
        return tuple(
            CategoryAmount(
                category=name,
                target=None if target is None else float(target),
                **value_fields(values.get(name, nothing)),
            )
            for name, target in listed.items()
            if name in values or target is not None
        )

    def _by_unit(self, key: str) -> tuple[UnitAmount, ...]:
        [by_unit] = self._answers.units
        position = self._drawn(UNITS).index(key)
        rows = [
            UnitAmount(id=unit.pk, slug=unit.slug, name=unit.name, **value_fields(by_unit[unit.pk][position].total[0]))
            for unit in self._units
            if unit.pk in by_unit
        ]
        known = [row for row in rows if row.value is not None]
        return tuple(sorted(known, key=lambda row: (-row.sample_size, row.name))[:MOST_UNITS])


def _agent(value: MetricValue) -> AgentAmount:
    slug = value.segment.get(Dimension.AGENT, "")
    return AgentAmount(agent=slug, label=agent_name(slug) if slug else "Unknown", **value_fields(value))


def _weeks(answer: Answer, today: date) -> tuple[Week, ...]:
    """The weeks of the period; future ones are left out."""
    return tuple(
        Week(day=value.window.start, to_date=value.to_date, **value_fields(value))
        for value in answer.series
        if value.window.start <= today
    )


def _unit(unit: Unit | None) -> FrozenUnit | None:
    return frozen_unit(unit) if unit else None


def _during(qbr: Qbr) -> DateRange:
    return DateRange(qbr.start, qbr.end)


def _units_below(qbr: Qbr) -> Q:
    """Rows of the unit, and of units below it at any time of the period."""
    below = UnitPlacement.objects.filter(ancestor=qbr.unit, during__overlap=_during(qbr))
    return Q(unit=qbr.unit) | Q(unit__in=below.values("unit"))


def _units_to_compare(qbr: Qbr, today: date) -> list[Unit]:
    """The teams below the unit on the period's last day if they fit on a chart, else the units directly below it."""
    teams = teams_on(min(today, qbr.window.last_day))
    if qbr.unit is not None:
        below = UnitPlacement.objects.filter(ancestor=qbr.unit, during__overlap=_during(qbr))
        teams = teams.filter(pk__in=below.values("unit")).exclude(pk=qbr.unit.pk)
    listed = list(teams[: MOST_UNITS + 1])
    if 1 < len(listed) <= MOST_UNITS:
        return listed
    places = UnitPlace.objects.filter(during__overlap=_during(qbr))
    if qbr.unit is not None:
        return _placed(places.filter(parent=qbr.unit))
    tree = teams_tree()
    return _placed(places.filter(parent=None, unit__tree=tree.id)) if tree else []


def _placed(places: QuerySet[UnitPlace]) -> list[Unit]:
    return list(Unit.objects.filter(pk__in=places.values("unit")).order_by("name", "pk"))


def objectives_of(qbr: Qbr) -> list[Objective]:
    """Published objectives, of quarters that the period is part of, of the unit and the units below it."""
    objectives = Objective.objects.filter(
        quarter__start__lt=qbr.end, quarter__end__gt=qbr.start, published_at__isnull=False
    )
    if qbr.unit is not None:
        objectives = objectives.filter(_units_below(qbr))
    ordered = objectives.order_by(F("unit__name").asc(nulls_first=True), "unit", "-is_mandatory", "pk")
    return list(ordered.select_related("quarter", "unit", "parent", "measure"))


def _teams_without(qbr: Qbr, today: date) -> Iterable[Unit]:
    quarter = quarter_of(qbr.start)
    if quarter._state.adding:
        return []
    teams = teams_without_objective(quarter, public_access().visibility, today=today)
    if qbr.unit is None:
        return teams
    below = UnitPlacement.objects.filter(ancestor=qbr.unit, during__overlap=_during(qbr))
    return teams.filter(pk__in=below.values("unit"))


def _periods(qbr: Qbr) -> list[tuple[str, Window]]:
    """Names and windows of the period and of those before it, earliest first."""
    windows_back = [qbr.window]
    known = list(Quarter.objects.filter(start__lt=qbr.end))
    while len(windows_back) < PERIODS_OF_TREND:
        day = windows_back[-1].start - timedelta(days=1)
        is_month = qbr.period == QbrPeriod.MONTH
        windows_back.append(
            windows.whole_bucket(day, Granularity.MONTH) if is_month else quarter_among(known, day).window
        )
    return [(period_name(qbr.period, window.start), window) for window in reversed(windows_back)]


def _decision(decision: QbrDecision, today: date) -> FrozenDecision:
    """The decision with its ticket as of that day: a ticket completed later was still in progress."""
    ticket = decision.ticket
    state = TicketState(ticket.state) if ticket else None
    completed_on = ticket.completed_on if ticket and ticket.completed_on and ticket.completed_on <= today else None
    if state == TicketState.DONE and completed_on is None:
        state = TicketState.IN_PROGRESS
    return FrozenDecision(
        title=decision.title,
        reason=decision.reason,
        owner=ticket.owner_id if ticket else decision.owner_id,
        due_on=ticket.due_on if ticket else decision.due_on,
        ticket=ticket.pk if ticket else None,
        state=state.value if state else "",
        state_label=str(state.label) if state else "",
        completed_on=completed_on,
    )


def _next_objectives(qbr: Qbr) -> Iterable[Objective]:
    """Published objectives, of the first quarter that begins after the period, of the unit and the units below it."""
    objectives = Objective.objects.filter(
        quarter__start=quarter_of(qbr.end).start, published_at__isnull=False, dropped_at=None
    )
    if qbr.unit is not None:
        objectives = objectives.filter(_units_below(qbr))
    return objectives.order_by("-is_mandatory", "unit__name", "pk").select_related("unit")[:MOST_NEXT]


def _delivery_risks(qbr: Qbr, sections: Sequence[QbrSection], today: date) -> tuple[DeliveryRisk, ...]:
    """Risks of initiatives that the unit works on; none if no section prints them."""
    if not {SectionKey.PLANNING, SectionKey.RISKS} & {section.key for section in sections}:
        return ()
    people = PeopleFilter(qbr.unit.slug if qbr.unit else None)
    return tuple(delivery_risks(aggregates_access(), people=people, today=today)[:MOST_RISKS])


def _findings(qbr: Qbr, sections: Sequence[QbrSection]) -> tuple[FrozenFinding, ...]:
    """The findings that were open at any time of the period, those that got worse first, by hours; none if no section
    prints them.
    """
    if not {SectionKey.FINDINGS, SectionKey.BOTTLENECKS} & {section.key for section in sections}:
        return ()
    open_in = Q(found_on__lt=qbr.end) & (Q(ended_on=None) | Q(ended_on__gte=qbr.start))
    findings = Finding.objects.by_rules_in_force().filter(open_in)
    if qbr.unit is not None:
        findings = findings.filter(_units_below(qbr))
    listed = [*findings.select_related("unit").order_by("found_on", "chance", "pk")]
    names = names_behind(listed)
    in_words = [(one, words) for one in listed if (words := worded(one, names))]
    in_words.sort(key=lambda pair: (not pair[1].is_worse, -pair[1].hours))
    return tuple(
        copied(
            FrozenFinding,
            one,
            unit=_unit(one.unit),
            title=words.title,
            hours=words.hours,
            hours_low=words.hours_low,
            hours_high=words.hours_high,
            state_label=str(one.get_state_display()),
        )
        for one, words in in_words[:MOST_FINDINGS]
    )


def _report(qbr: Qbr, sections: Sequence[QbrSection], today: date, freshness: Freshness) -> ReportDocument | None:
    """The parts of the quarter's executive report that the sections use; None if they use none."""
    parts = [SECTIONS[section.key].part for section in sections if SECTIONS[section.key].part]
    if not parts:
        return None
    return report_of(qbr.unit, quarter_of(qbr.start), today=today, freshness=freshness, parts=parts)


def _tickets(qbr: Qbr) -> tuple[list[Ticket], int]:
    """Tickets that ended in the period, then those open at its end, by day; and their total number."""
    ended_in = Q(state=TicketState.DONE, completed_on__gte=qbr.start, completed_on__lt=qbr.end)
    still_open = Q(state__in=OPEN_STATES) | Q(state=TicketState.DONE, completed_on__gte=qbr.end)
    tickets = Ticket.objects.filter(ended_in | (still_open & Q(starts_on__lt=qbr.end)))
    if qbr.unit is not None:
        tickets = tickets.filter(_units_below(qbr))
    ordered = tickets.select_related("unit", "effect").order_by(F("completed_on").asc(nulls_last=True), "due_on", "pk")
    listed = list(ordered[: MOST_TICKETS + 1])
    return listed[:MOST_TICKETS], len(listed) if len(listed) <= MOST_TICKETS else tickets.count()


def _ticket(ticket: Ticket, today: date) -> QbrTicket:
    """The ticket as of that day: one completed later was still in progress."""
    completed_on = ticket.completed_on if ticket.completed_on and ticket.completed_on <= today else None
    state = TicketState(ticket.state)
    if state == TicketState.DONE and completed_on is None:
        state = TicketState.IN_PROGRESS
    metric = find(ticket.metric) if ticket.metric else None
    effect: TicketEffect | None = getattr(ticket, "effect", None)
    is_measured = effect is not None and effect.of_version == ticket.version and completed_on is not None
    as_of_today = {
        "unit": _unit(ticket.unit),
        "owner": ticket.owner_id,
        "completed_on": completed_on,
        "state": state.value,
        "state_label": str(state.label),
        "days_late": max(0, (today - ticket.due_on).days) if state in OPEN_STATES else 0,
        "measured_on": first_measured_on(completed_on) if completed_on else None,
    }
    if metric is None:
        return copied(QbrTicket, ticket, **as_of_today, effect=None)
    people = fewest(effect.people_before, effect.people_after) if effect else 0
    weekly = grows_with_time(metric)
    measured = copied(Effect, effect, people=people, weekly=weekly) if effect and is_measured else None
    return copied(MeasuredTicket, ticket, **as_of_today, **described(metric), effect=measured)
