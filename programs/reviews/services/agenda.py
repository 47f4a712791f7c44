"""Builds the agenda of a monthly review from the unit's data, and decides which of its figures a reader may see.

Changes compare the four weeks before the agenda's end with the four weeks before those, so that both have equally many
of each weekday.  Benchmarks are compared with the unit's current values at the end of the month and of the month
before, as their pages show them.  Figures are read for the viewer who prepares the review; anything withheld from them
is no point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field

from core.json_documents import from_fields, to_fields
from insights.benchmarks.changes import MeasuredChange, WindowPair, measured_changes, pair_until
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import AI, DELIVERY, find, get, metrics
from insights.figure_records.restatements import restatements
from insights.findings.words import names_behind, worded
from insights.forecasts.listing import NOT_SOON, delivery_risks, moved_words
from insights.models import Finding
from insights.privacy.visible import visible_totals
from insights.privacy.withhold import is_withheld
from insights.query.enums import BelongsTo, Better, UnitOfMeasure
from insights.query.query import Answer, Freshness, Query, Scope, Window
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.models import Unit, UnitPlacement
from orgtree.trees.people_filter import PeopleFilter
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark, benchmarks_for, focus_above, newest_focus
from programs.benchmarks.services.current_values import CurrentValue, benchmark_query, current_values
from programs.key_results.services.reading import fewest
from programs.models import BenchmarkVersion, Objective, ObjectiveStatus, PointKind, Quarter, Review, ReviewPoint
from programs.models.objectives import LONGEST_TITLE
from programs.objectives.queries.filters import ObjectiveFilters
from programs.objectives.queries.objectives import ObjectiveProgress, progress_of
from programs.teams.queries import teams_without_objective
from programs.tickets.queries import TicketFilters

MOST_OF_A_KIND = 20  # more is no agenda; the last point counts the rest
HEADLINES: Sequence[str] = (*AI, *DELIVERY)  # keys of metrics
AT_RISK = (ObjectiveStatus.AT_RISK, ObjectiveStatus.OFF_TRACK)
# Metrics that move together by one cause and share one point of the agenda.  Spend of any kind is one cause, too.
CAUSES: Mapping[str, Sequence[str]] = {
    "use of agents": ("ai.active_developers", "ai.adoption_rate", "ai.sessions_per_developer", "ai.sessions"),
    "yield of agents": ("ai.committed_code_share", "ai.ship_rate", "ai.error_rate"),
    "waiting for review": ("pr.pickup_time", "pr.review_time", "pr.cycle_time", "dora.lead_time"),
    "failed changes": ("dora.change_failure_rate", "dora.recovery_time", "dora.rework_rate"),
    "amount of changes": ("pr.throughput", "dora.deployment_frequency"),
}
LONGEST_REFERENCE = 80
MORE = "more"  # the reference of the point that counts the unlisted ones


@dataclass(frozen=True, kw_only=True)
class MetricFigures:
    """The figures of a point about a metric: two values with their samples, and the days of the later value."""

    metric: str
    version: int  # of the formula
    unit_of_measure: str
    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    before: float | None
    after: float | None
    people: int  # the lowest number behind both; 0 if it was not recorded
    sample_before: int
    sample_after: int
    low: float | None = None  # of the interval of the change
    high: float | None = None
    threshold: float | None = None
    target: float | None = None
    why: str = ""  # the reason for restating it
    title: str = ""  # if it is another figure of the same cause
    others: tuple[MetricFigures, ...] = ()  # with the same cause, on the same point

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)


def agenda_of(review: Review, access: Access, *, quarter: Quarter) -> list[ReviewPoint]:
    """The points in order of discussion, unsaved.  `quarter` is that of the review's month."""
    unit, until = review.unit, review.agenda_until
    objectives = _objectives(unit, quarter, access, until)
    points: list[ReviewPoint] = []
    for of_kind in (
        _decisions(review),
        by_cause(_restated(unit, access)),
        by_cause(
            (cause_of(point.reference), point)
            for point in (*_moved(unit, access, until), *_crossed(unit, access, review.month, until))
        ),
        _findings(unit, access),
        _at_risk(objectives),
        _check_ins(objectives, until),
        _no_objective(unit, quarter, access, until),
        _overdue(unit, access, until),
        _deliveries(unit, access, until),
    ):
        points += _shortened(list(of_kind))
    return points


def _point(
    kind: str, reference: str, title: str, detail: str = "", *, figures: MetricFigures | None = None, why: str = ""
) -> ReviewPoint:
    return ReviewPoint(
        kind=PointKind(kind),
        reference=reference,
        title=title[:LONGEST_TITLE],
        detail=detail[: 2 * LONGEST_TITLE],
        figures=to_fields(figures) if figures else {"why": why} if why else {},
    )


def _shortened(points: Sequence[ReviewPoint]) -> Sequence[ReviewPoint]:
    if len(points) <= MOST_OF_A_KIND:
        return points
    more = _point(points[0].kind, MORE, f"And {len(points) - MOST_OF_A_KIND:,} more")
    return [*points[:MOST_OF_A_KIND], more]


def _decisions(review: Review) -> Iterator[ReviewPoint]:
    """The decisions of the unit's last review, with or without a ticket."""
    last = Review.objects.filter(unit=review.unit, month__lt=review.month).order_by("-month").first()
    if last is None:
        return
    for point in last.points.order_by("position", "pk"):
        if point.decision:
            yield _point(PointKind.DECISION, str(point.pk), _short(point.decision), f"On: {point.title}")


def _restated(unit: Unit, access: Access) -> Iterator[tuple[str, ReviewPoint]]:
    """Points about restated values, each with its cause."""
    for key in HEADLINES:
        metric = get(key)
        for restated in restatements(metric, Scope(unit.slug), access):
            if restated.hidden:
                continue
            record = restated.record
            yield (
                restated.cause,
                _point(
                    PointKind.RESTATED,
                    f"{key}:{record.start}:{record.end}",
                    f"{metric.name} of {wording.days(restated.period)} was restated",
                    figures=_figures(
                        metric,
                        restated.period,
                        before=record.value,
                        after=restated.figure.value,
                        people=fewest(record.people, restated.figure.people),
                        sample_before=record.sample_size,
                        sample_after=restated.figure.sample_size,
                        why=restated.reason,
                    ),
                ),
            )


def _moved(unit: Unit, access: Access, until: date) -> Iterator[ReviewPoint]:
    """Headline metrics, the focus metric and key indicators whose change exceeds normal variation."""
    scope, pair = Scope(unit.slug), pair_until(until)
    keys = [key for key in _watched(unit) if not get(key).always_by]

    def read(queries: Sequence[Query]) -> Sequence[Answer]:
        return visible_totals(queries, access, freshness=Freshness.OF_PAGES)

    for change in measured_changes(keys, pair, scope, read):
        interval = change.interval
        if interval is None or interval.low <= 0 <= interval.high:
            continue
        yield _moved_point(get(change.key), change, pair)


def _moved_point(metric: Metric, change: MeasuredChange, pair: WindowPair) -> ReviewPoint:
    before, after, interval = change.before, change.after, change.interval
    return _point(
        PointKind.MOVED,
        metric.key,
        f"{metric.name} {_direction(metric, rose=(after.value or 0) > (before.value or 0))}",
        figures=_figures(
            metric,
            pair.after,
            before=before.value,
            after=after.value,
            low=interval.low if interval else None,
            high=interval.high if interval else None,
            people=fewest(before.people, after.people),
            sample_before=before.sample_size,
            sample_after=after.sample_size,
        ),
    )


def by_cause(points: Iterable[tuple[str, ReviewPoint]]) -> list[ReviewPoint]:
    """Merges the points of each cause, given with each point, into the first one."""
    by_cause: dict[str, list[ReviewPoint]] = {}
    for cause, point in points:
        by_cause.setdefault(cause, []).append(point)
    for first, *others in by_cause.values():
        figures = from_fields(MetricFigures, first.figures)
        beside = tuple(
            replace(from_fields(MetricFigures, point.figures), title=_with_detail(point)) for point in others
        )
        first.figures = to_fields(replace(figures, others=beside))
    return [first for first, *_ in by_cause.values()]


def cause_of(key: str) -> str:
    """The name of the cause of the metric's changes; the metric's key if it shares none."""
    if get(key).unit is UnitOfMeasure.CURRENCY:
        return "spend"
    return next((cause for cause, keys in CAUSES.items() if key in keys), key)


def _with_detail(point: ReviewPoint) -> str:
    return f"{point.title}: {point.detail}" if point.detail else point.title


def _direction(metric: Metric, *, rose: bool) -> str:
    if metric.better is Better.NEITHER:
        return "rose" if rose else "fell"
    return "improved" if rose == (metric.better is Better.HIGHER) else "got worse"


def _watched(unit: Unit) -> list[str]:
    focus = newest_focus(unit.pk) or focus_above(unit.pk)
    chosen = [focus.metric, *focus.indicators] if focus else []
    known = {metric.key for metric in metrics()}
    return list(dict.fromkeys([*(key for key in chosen if key in known), *HEADLINES]))


def _crossed(unit: Unit, access: Access, month: date, until: date) -> Iterator[ReviewPoint]:
    """Benchmarks that the unit's value has crossed since a month before."""
    benchmarks = {
        key: benchmark
        for key, benchmark in benchmarks_for(None, unit.pk, access.visibility, on=until - timedelta(days=1)).items()
        if benchmark.metric is not None and not benchmark.is_of_older_formula
    }
    queries = [benchmark_query(get(key), benchmark.version.period) for key, benchmark in benchmarks.items()]
    if not queries:
        return
    scope = Scope(unit.slug)
    before = current_values(queries, scope, access, today=month)
    after = current_values(queries, scope, access, today=until)
    for benchmark, earlier, later in zip(benchmarks.values(), before, after, strict=True):
        if earlier.value is None or later.value is None:
            continue
        was, now = _side(benchmark.version, earlier.value), _side(benchmark.version, later.value)
        if was != now:
            yield _crossed_point(benchmark, earlier, later, f"{was} → {now}")


def _crossed_point(
    benchmark: EffectiveBenchmark, earlier: CurrentValue, later: CurrentValue, detail: str
) -> ReviewPoint:
    metric, version = get(benchmark.version.metric), benchmark.version
    return _point(
        PointKind.BENCHMARK,
        metric.key,
        metric.name,
        detail,
        figures=_figures(
            metric,
            later.window,
            before=earlier.value,
            after=later.value,
            threshold=version.threshold,
            target=version.target,
            people=0,
            sample_before=earlier.sample_size,
            sample_after=later.sample_size,
        ),
    )


def _side(version: BenchmarkVersion, value: float) -> str:
    if version.target is not None and version.reaches(value, version.target):
        return "On target"
    if version.threshold is not None and version.reaches(value, version.threshold):
        return "Within threshold"
    return "Off target"


def _objectives(unit: Unit, quarter: Quarter, access: Access, until: date) -> list[ObjectiveProgress]:
    """Published objectives of the unit and the units below it."""
    today = until - timedelta(days=1)
    of_unit = ObjectiveFilters.of_quarter(quarter, {"unit": unit.slug}, access, today=today).qs
    return progress_of(list(of_unit), access, today=until)


def _at_risk(objectives: Sequence[ObjectiveProgress]) -> Iterator[ReviewPoint]:
    for progress in objectives:
        if progress.shown in AT_RISK:
            objective = progress.objective
            yield _point(
                PointKind.OBJECTIVE,
                str(objective.pk),
                objective.title,
                f"{progress.shown.label} · {_unit_name(objective)}",
                why=objective.override_reason or progress.why,
            )


def _check_ins(objectives: Sequence[ObjectiveProgress], until: date) -> Iterator[ReviewPoint]:
    for progress in objectives:
        if progress.check_in_due is not None and progress.check_in_due < until:
            objective = progress.objective
            due = f"Due {wording.day(progress.check_in_due)} · {_unit_name(objective)}"
            yield _point(PointKind.CHECK_IN, str(objective.pk), objective.title, due)


def _no_objective(unit: Unit, quarter: Quarter, access: Access, until: date) -> Iterator[ReviewPoint]:
    day = until - timedelta(days=1)
    below = UnitPlacement.objects.filter(ancestor=unit, during__contains=day).values("unit")
    for team in teams_without_objective(quarter, access.visibility, today=day).filter(pk__in=below):
        yield _point(PointKind.NO_OBJECTIVE, team.slug, team.name, f"No mandatory objective in {quarter}")


def _findings(unit: Unit, access: Access) -> Iterator[ReviewPoint]:
    """Open findings about the unit itself; those of units below are for viewers who see their figures."""
    found = [*Finding.objects.within(access.visibility).open().filter(unit=unit).order_by("chance", "pk")]
    names = names_behind(found)
    for finding in found:
        if (words := worded(finding, names)) is not None:
            yield _point(PointKind.FINDING, str(finding.pk), words.title, words.cost or words.to_try)


def _overdue(unit: Unit, access: Access, until: date) -> Iterator[ReviewPoint]:
    for ticket in TicketFilters({"unit": unit.slug, "state": "overdue"}, access, today=until).qs:
        owner = ticket.owner.full_name if ticket.owner else "no owner"
        yield _point(PointKind.TICKET, str(ticket.pk), ticket.title, f"Due {wording.day(ticket.due_on)} · {owner}")


def _deliveries(unit: Unit, access: Access, until: date) -> Iterator[ReviewPoint]:
    """Epics and versions whose 85 % date is later than planned."""
    for risk in delivery_risks(access, people=PeopleFilter(unit.slug), today=until - timedelta(days=1)):
        likely = wording.day(risk.likely_on) if risk.likely_on else NOT_SOON
        detail = f"Planned for {wording.day(risk.planned_on)} · 85% date: {likely}"
        yield _point(
            PointKind.DELIVERY, f"{risk.kind}:{risk.key}"[:LONGEST_REFERENCE], risk.name, detail, why=moved_words(risk)
        )


def _figures(metric: Metric, window: Window, **values: Any) -> MetricFigures:
    return MetricFigures(
        metric=metric.key,
        version=metric.version,
        unit_of_measure=metric.unit.value,
        start=window.start,
        end=window.end,
        **values,
    )


def _unit_name(objective: Objective) -> str:
    return objective.unit.name if objective.unit else "Whole organisation"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1]}…"


def visible_figures(point: ReviewPoint, review: Review, access: Access) -> Mapping[str, Any]:
    """The point's figures; empty if there are none or they are withheld from this reader.

    More people can read a review than its figures: leaders of the unit see them as they were, others as the metric's
    page would show them.
    """
    figures: Mapping[str, Any] = point.figures
    if not figures or access.visibility.leads(review.unit_id):
        return figures
    if "metric" not in figures or not access.visibility.can_see(review.unit_id):
        return {}
    recorded = from_fields(MetricFigures, figures)
    if _is_hidden(recorded, review, access):
        return {}
    return to_fields(
        replace(recorded, others=tuple(one for one in recorded.others if not _is_hidden(one, review, access)))
    )


def _is_hidden(recorded: MetricFigures, review: Review, access: Access) -> bool:
    metric = find(recorded.metric)
    if metric is None:
        return True
    if not recorded.people:  # the number of people behind it was not recorded
        return metric.belongs_to is not BelongsTo.OWNER
    return is_withheld(Query(metric.key, recorded.window, scope=Scope(review.unit.slug)), recorded.people, access)
