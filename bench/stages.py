"""Stages and weekly figures of teams for 50,000 pull requests, compared with averaging rows in Python."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from itertools import product

from django.db.models import Min
from django.utils import timezone

from bench.delivery_facts import DeliverySize, generate_delivery_once
from bench.figures import Limit, Measured
from bench.organisation_rows import HAND_BUILT_TREE
from bench.stages_in_python import Figures, stages_in_python
from bench.timing import rolled_back, seconds_of
from insights.catalogue.registry import get
from insights.engine.fact_query import Edges, GroupKey, ResolvedScope, ScopeKind, windows_of
from insights.engine.plan import Clock, measure_queries_of
from insights.engine.results import MeasuredFacts
from insights.query import windows
from insights.query.query import Granularity, Statistic, Window
from integrations.delivery.pull_requests.figures import recompute_figures
from integrations.models import PullRequestFigures
from orgtree.models import Unit

TIMES_FASTER = 10
PULL_REQUESTS = 50_000
STAGES: Mapping[str, str] = {  # metric → the stage's name in stages_in_python.py
    "pr.coding_time": "coding",
    "pr.pickup_time": "pickup",
    "pr.review_time": "review",
    "pr.merge_time": "merge",
    "pr.cycle_time": "cycle",
}


def stages(size: DeliverySize, *, pull_requests: int = PULL_REQUESTS) -> list[Measured]:
    """Of the last so many merged pull requests, with the others of the weeks that they fill."""
    generate_delivery_once(size)
    weeks = last_weeks(pull_requests)
    ids = list(PullRequestFigures.objects.filter(merged_on__range=_days(weeks)).values_list("pk", flat=True))
    began = time.perf_counter()
    stages_in_python(weeks)
    in_python = time.perf_counter() - began
    with rolled_back():
        PullRequestFigures.objects.filter(pk__in=ids).update(cycle_seconds=None)  # so that every row is written
        deriving = seconds_of(lambda: recompute_figures(ids))
    figures = seconds_of(lambda: weekly_figures(weeks))
    limit = Limit("s: rows loaded and averaged in Python", in_python)
    conditions = f"{len(ids):,} pull requests of {weeks.days // 7} weeks, five stages, teams with those above them"
    return [
        Measured(
            name="stages and weekly figures of teams",
            value=deriving + figures,
            unit="s",
            goal=f"≥ {TIMES_FASTER} × faster than in Python",
            met=in_python >= TIMES_FASTER * (deriving + figures),
            limit=limit,
            conditions=f"stages derived and stored anew {deriving:.1f} s, figures {figures:.1f} s; {conditions}",
        ),
        Measured(
            name="weekly figures of teams alone",
            value=figures,
            unit="s",
            goal=f"≥ {TIMES_FASTER} × faster than in Python",
            met=in_python >= TIMES_FASTER * figures,
            limit=limit,
            conditions="as whenever a page asks: stages are derived once, when something is told of a pull request",
        ),
    ]


def last_weeks(pull_requests: int) -> Window:
    """The whole weeks, the running one among them, that hold the last so many merged pull requests."""
    ids = PullRequestFigures.objects.filter(merged_on__isnull=False).order_by("-merged_at")[:pull_requests].values("pk")
    first = PullRequestFigures.objects.filter(pk__in=ids).aggregate(first=Min("merged_on"))["first"]
    edges = _edges(Window(first, timezone.localdate() + timedelta(days=1)))
    return Window(edges[0], edges[-1])


def weekly_figures(weeks: Window) -> Figures:
    """Median and mean of each stage by unit and week, from facts; the same statement as on pages."""
    units = tuple(Unit.objects.filter(tree__slug=HAND_BUILT_TREE).values_list("pk", flat=True))
    clock, placement = Clock.read(), ResolvedScope(ScopeKind.UNITS, units)
    edges = _edges(weeks)
    needs = {stage: measure_queries_of(get(stage), (edges,), placement, clock) for stage in STAGES}
    facts = MeasuredFacts.read(fact_query for of_stage in needs.values() for fact_query in of_stage.values())
    figures: Figures = {}
    for stage, needed in needs.items():
        outcome_of = facts.outcomes(get(stage), needed, clock)
        for unit, week in product(units, windows_of(edges)):
            outcome = outcome_of(GroupKey(unit, week, ()))
            if outcome.value is not None:
                both = outcome.statistics[Statistic.MEDIAN], outcome.statistics[Statistic.MEAN]
                figures[unit, week.start, STAGES[stage]] = both
    return figures


def _edges(days: Window) -> Edges:
    """The borders of all whole weeks that touch these days."""
    weeks = windows.buckets(days, Granularity.WEEK)
    return (*(week.whole.start for week in weeks), weeks[-1].whole.end)


def _days(weeks: Window) -> tuple[object, object]:
    return weeks.start, weeks.end - timedelta(days=1)
