"""Consequences of a point of the executive report for customers, cost or dates, as far as records link them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from django.db.models import Q

from insights.catalogue.registry import get
from insights.forecasts.listing import DeliveryRisk, delivery_risks, late_words
from insights.ui import wording
from integrations.delivery.records.initiatives import InitiativeKind
from orgtree.access.access import aggregates_access
from orgtree.models import Unit
from orgtree.trees.people_filter import PeopleFilter
from programs.models import KeyResult, Objective, Quarter
from programs.report.services.document import BEFORE, NOW, Fact, Point, ReportDocument, Sentence, SourceKind, source
from programs.report.services.wording import CUSTOMERS, DATES, LATE, LATE_AGAIN, NOT_LINKED, ON_CUSTOMERS, SPEND
from programs.roadmaps.services.personas import HAND_KEPT

Linked = Mapping[str, Sequence[tuple[str, str]]]


class Consequences:
    """Finds the consequences of points of a unit (None: the whole organisation).  `facts_of` gives a metric's facts by
    key.
    """

    def __init__(
        self, unit: Unit | None, today: date, linked: Linked, facts_of: Callable[[str], Mapping[str, Fact]]
    ) -> None:
        self._unit, self._today, self._linked, self._facts_of = unit, today, linked, facts_of
        self._risks: dict[str | None, DeliveryRisk | None] = {}

    def of(self, concerns: tuple[str, ...], key: str = "", unit: Unit | None = None) -> Sentence:
        """A business figure linked by an objective, else a date of these people's work, else bugs found by
        customers.
        """
        if (linked := self._by_objective(key)) is not None:
            return linked
        if DATES in concerns and (risk := self._risk(unit or self._unit)) is not None:
            at = (source(SourceKind.DELIVERY, risk.kind, risk.key),)
            facts = {
                "name": Fact(
                    text=f"{risk.reference} {risk.name}" if risk.kind == InitiativeKind.VERSION else risk.name,
                    sources=at,
                ),
                "late": Fact(text=late_words(risk), value=risk.days_late, sources=at, how="85% date − planned day"),
                "planned": Fact(text=wording.day(risk.planned_on), sources=at),
            }
            return Sentence.of(LATE, facts)
        if ON_CUSTOMERS in concerns:
            facts = {**self._facts_of(CUSTOMERS)}
            if NOW in facts and BEFORE in facts:
                text = "Customers: they found {now} bugs in the quarter, after {before} in {quarter}."
                return Sentence.of(text, facts)
        return Sentence(text=NOT_LINKED)

    def cost(self) -> Sentence:
        """The AI spend in words."""
        spend = self._facts_of(SPEND)
        if NOW not in spend:
            return Sentence(text=NOT_LINKED)
        text = "Cost: {now} of AI spend in the quarter" + (", after {before} in {quarter}." if BEFORE in spend else ".")
        return Sentence.of(text, spend)

    def _by_objective(self, key: str) -> Sentence | None:
        for hand, title in self._linked.get(key, ()):
            facts = {**self._facts_of(hand)}
            if NOW in facts:
                facts["metric"] = Fact(text=get(hand).label)
                facts["objective"] = Fact(text=title)
                after = ", after {before} in {quarter}" if BEFORE in facts else ""
                return Sentence.of(f"{{metric}} is {{now}}{after}, linked by the objective “{{objective}}”.", facts)
        return None

    def _risk(self, unit: Unit | None) -> DeliveryRisk | None:
        """The delivery of these people that is furthest behind."""
        slug = unit.slug if unit else None
        if slug not in self._risks:
            risks = delivery_risks(aggregates_access(), people=PeopleFilter(slug), today=self._today)
            self._risks[slug] = next(iter(risks), None)
        return self._risks[slug]


def described_once(document: ReportDocument) -> ReportDocument:
    """Describes each late delivery at its first mention; later points only name it."""
    described: set[str] = set()

    def again(point: Point) -> Point:
        late = point.consequence
        if late.text != LATE:
            return point
        if str(late) in described:
            return replace(point, consequence=Sentence.of(LATE_AGAIN, late.facts))
        described.add(str(late))
        return point

    return document.with_points(again)


def linked_by_objectives(of_unit: Q, quarter: Quarter) -> Linked:
    """The hand-kept metrics in the same objective of the quarter as a metric, by that metric, with the objective's
    title.
    """
    objectives = Objective.objects.filter(of_unit, quarter__start=quarter.start, dropped_at=None)
    results = KeyResult.objects.filter(objective__in=objectives.filter(published_at__isnull=False))
    by_objective: dict[tuple[int, str], list[str]] = {}
    rows = results.order_by("objective", "position").values_list("objective", "objective__title", "metric")
    for pk, title, metric in rows:
        by_objective.setdefault((pk, title), []).append(metric)
    linked: dict[str, list[tuple[str, str]]] = {}
    for (_, title), keys in by_objective.items():
        hands = [key for key in keys if key.startswith(HAND_KEPT)]
        for key in keys:
            if key and not key.startswith(HAND_KEPT):
                linked.setdefault(key, []).extend((hand, title) for hand in hands)
    return linked
