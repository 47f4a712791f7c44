"""Labels of reviews and their points on pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse

from core.json_documents import from_fields
from core.page_links import url_with
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.query.query import Scope
from insights.ui import wording
from orgtree.access.access import Access
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark, benchmarks_for
from programs.benchmarks.services.current_values import CurrentValue, benchmark_query, current_values
from programs.models import Objective, PointKind, Review, ReviewPoint, Ticket
from programs.reviews.services.agenda import MORE, MetricFigures, visible_figures
from programs.tickets.pages.labels import TicketLine, ticket_lines

DORA = (
    *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
    "dora.rework_rate",
)
HIDDEN = "The figures are hidden from you."
ICONS = {
    PointKind.DECISION: "checks",
    PointKind.RESTATED: "history",
    PointKind.MOVED: "chart-line",
    PointKind.FINDING: "activity",
    PointKind.BENCHMARK: "ruler-measure",
    PointKind.OBJECTIVE: "target",
    PointKind.CHECK_IN: "speakerphone",
    PointKind.NO_OBJECTIVE: "flag",
    PointKind.TICKET: "list-check",
    PointKind.DELIVERY: "calendar-stats",
    PointKind.OTHER: "bulb",
}
LISTS = {
    PointKind.OBJECTIVE: "objectives",
    PointKind.CHECK_IN: "objectives",
    PointKind.NO_OBJECTIVE: "objectives",
    PointKind.TICKET: "tickets",
    PointKind.BENCHMARK: "benchmarks",
}


@dataclass(frozen=True)
class PointLine:
    point: ReviewPoint
    url: str
    rows_url: str
    figures: Mapping[str, str]  # 22.9 h → 31.5 h, with the days, the samples, and the interval or benchmark
    others: Sequence[tuple[str, Mapping[str, str]]]  # titles and figures with the same cause
    is_hidden: bool
    why: str
    tickets: Sequence[TicketLine]
    seal: str  # of notes and decision when they were read


def point_groups(
    review: Review, points: Sequence[ReviewPoint], access: Access, today: date
) -> list[tuple[PointKind, str, list[PointLine]]]:
    """Points grouped by kind, with icons, in the agenda's order; two queries read their tickets."""
    of_points = _tickets(points, access, today)
    objectives = _visible_objectives(points, access)
    groups = []
    for kind in PointKind:
        lines = [
            _line(review, point, access, of_points.get(point.pk, ()), objectives)
            for point in points
            if point.kind == kind
        ]
        if lines:
            groups.append((kind, ICONS[kind], lines))
    return groups


def _tickets(points: Sequence[ReviewPoint], access: Access, today: date) -> Mapping[int, Sequence[TicketLine]]:
    """Maps points to their tickets visible to the viewer; for a past decision, those that resulted from it."""
    sources = {int(point.reference): point.pk for point in points if point.kind == PointKind.DECISION}
    linked = ReviewPoint.objects.filter(pk__in=[*(point.pk for point in points), *sources], tickets__isnull=False)
    pairs = list(linked.order_by("pk", "tickets").values_list("pk", "tickets"))
    visible = Ticket.objects.within(access.visibility).select_related("unit", "owner", "effect")
    tickets = list(visible.filter(pk__in={ticket for _, ticket in pairs}))
    lines = {line.ticket.pk: line for line in ticket_lines(tickets, access, today)}
    found: dict[int, list[TicketLine]] = {}
    for point, ticket in pairs:
        if ticket in lines:
            found.setdefault(sources.get(point, point), []).append(lines[ticket])
    return found


def _visible_objectives(points: Sequence[ReviewPoint], access: Access) -> set[int]:
    ids = {int(point.reference) for point in points if _is_of_objective(point)}
    return set(Objective.objects.within(access.visibility).filter(pk__in=ids).values_list("pk", flat=True))


def _is_of_objective(point: ReviewPoint) -> bool:
    return point.kind in (PointKind.OBJECTIVE, PointKind.CHECK_IN) and point.reference != MORE


def _line(
    review: Review, point: ReviewPoint, access: Access, tickets: Sequence[TicketLine], objectives: set[int]
) -> PointLine:
    figures = visible_figures(point, review, access)
    recorded = from_fields(MetricFigures, figures) if "metric" in figures else None
    return PointLine(
        point,
        url=_url(review, point, objectives),
        rows_url=_rows_url(review, recorded) if recorded else "",
        figures=_figures(point.kind, recorded) if recorded else {},
        others=[(one.title, _figures(point.kind, one)) for one in recorded.others] if recorded else [],
        is_hidden="metric" in point.figures and not figures,
        why=str(figures.get("why", "")),
        tickets=tickets,
        seal=seal_of(point.notes, point.decision),
    )


def _url(review: Review, point: ReviewPoint, objectives: set[int]) -> str:
    """The address of the point's subject; empty if it no longer exists or is hidden from this viewer."""
    unit = f"?unit={review.unit.slug}"
    if point.reference == MORE:
        route = LISTS.get(PointKind(point.kind))
        return f"{reverse(route)}{unit}" if route else ""
    if "metric" in point.figures:
        return f"{reverse('metric_page', args=[point.figures['metric']])}{unit}"
    if _is_of_objective(point):
        pk = int(point.reference)
        return reverse("objective", args=[pk]) if pk in objectives else ""
    match point.kind:
        case PointKind.TICKET:
            url = reverse("ticket", args=[int(point.reference)])
        case PointKind.DELIVERY:
            kind, _, key = point.reference.partition(":")
            url = url_with(reverse("initiative"), {"unit": review.unit.slug, "kind": kind, "of": key})
        case PointKind.FINDING:
            url = url_with(reverse("findings"), {"finding": point.reference})
        case PointKind.NO_OBJECTIVE:
            url = f"{reverse('objective_new')}?unit={point.reference}"
        case _:
            url = ""
    return url


def _rows_url(review: Review, figures: MetricFigures) -> str:
    params = {"unit": review.unit.slug, "from": figures.start.isoformat(), "to": figures.end.isoformat()}
    return url_with(reverse("metric_rows", args=[figures.metric]), params)


def _figures(kind: str, figures: MetricFigures) -> Mapping[str, str]:
    """The figures in words; durations of one point have one unit."""
    shown = ("before", "after", "low", "high", "threshold", "target")
    known = {name: value for name in shown if (value := getattr(figures, name)) is not None}
    texts = dict(zip(known, map(str, wording.alike(list(known.values()), figures.unit_of_measure)), strict=True))
    return {
        "before": texts.get("before", "no data"),
        "after": texts.get("after", "no data"),
        "days": wording.days(figures.window),
        "sample": f"Sample {figures.sample_before:,} → {figures.sample_after:,}",
        "note": _note(kind, texts),
    }


def _note(kind: str, texts: Mapping[str, str]) -> str:
    if kind == PointKind.MOVED and "low" in texts:
        return f"90% interval of the change: {texts['low']} to {texts['high']}"
    aims = (("Threshold", texts.get("threshold")), ("target", texts.get("target")))
    return ", ".join(f"{label} {aim}" for label, aim in aims if aim)


def seal_of(*texts: str) -> str:
    """A hash that shows which of a form's many texts it changes."""
    return hashlib.sha256("\0".join(text.replace("\r\n", "\n").strip() for text in texts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class DoraTile:
    name: str
    url: str
    value: str
    aims: str
    reached: str  # target, threshold, neither, or empty without a benchmark
    reason: str


def dora_strip(review: Review, access: Access) -> list[DoraTile]:
    """The DORA metrics at the agenda's end against the unit's benchmarks; empty if they are withheld from the
    viewer.
    """
    if not access.visibility.can_see(review.unit_id):
        return []
    metrics = [get(key) for key in DORA]
    benchmarks = benchmarks_for(None, review.unit_id, access.visibility, on=review.agenda_until - timedelta(days=1))
    agreed = [benchmarks.get(metric.key) for metric in metrics]
    queries = [
        benchmark_query(metric, benchmark.version.period if benchmark else "")
        for metric, benchmark in zip(metrics, agreed, strict=True)
    ]
    values = current_values(queries, Scope(review.unit.slug), access, today=review.agenda_until)
    return [
        _dora_tile(review, metric, benchmark, value)
        for metric, benchmark, value in zip(metrics, agreed, values, strict=True)
    ]


def _dora_tile(review: Review, metric: Metric, benchmark: EffectiveBenchmark | None, value: CurrentValue) -> DoraTile:
    version = None if benchmark is None or benchmark.is_of_older_formula else benchmark.version
    aims = {"threshold": version.threshold, "target": version.target} if version else {}
    known = {name: aim for name, aim in {"value": value.value, **aims}.items() if aim is not None}
    texts = dict(zip(known, map(str, wording.alike(list(known.values()), metric.unit)), strict=True))
    reached = ""
    if version and value.value is not None:
        reached = next(
            (
                name
                for name, aim in (("target", version.target), ("threshold", version.threshold))
                if aim is not None and version.reaches(value.value, aim)
            ),
            "neither",
        )
    return DoraTile(
        metric.label,
        f"{reverse('metric_page', args=[metric.key])}?unit={review.unit.slug}",
        texts.get("value", ""),
        " · ".join(f"{name.capitalize()} {texts[name]}" for name in ("threshold", "target") if name in texts),
        reached,
        value.reason,
    )
