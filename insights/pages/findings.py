"""The nightly findings: a list, and one of them opened with its chart, another reading and what to try."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.csv_export import Cell, csv_response
from core.hooks import Hook
from core.page_links import Picker, url_with, with_parameter
from core.views import action_view, page_view, record_view
from core.write_errors import FieldError
from insights.annotations.events import events_beside, in_words
from insights.catalogue.registry import get
from insights.findings.checks import WEEK, WEEKS
from insights.findings.contexts import context_of, named_unit
from insights.findings.deciding import decide, find_finding, may_decide
from insights.findings.detectors import BY_KEY, CHANGE, DATA, GAP, LEAVERS, MOVE, TREND, Detector
from insights.findings.history import history_of
from insights.findings.listing import finding_rows, shown_waits, wait_rows
from insights.findings.thresholds import factors, moved_thresholds, set_undone
from insights.findings.waits import LABELS, RULES
from insights.findings.words import FindingWords, names_behind, waits_in_words, waits_of, weeks_in_words, worded
from insights.models import Finding
from insights.models.findings import OPEN_STATES, FindingQuerySet, FindingState, Verdict
from insights.privacy.scope_access import access_in
from insights.query.query import Scope, Window
from insights.query.windows import local_today
from insights.ui import wording
from insights.ui.filters import Filters
from insights.ui.offers import OfferedSection, actions_on
from insights.ui.tiles import ChartCard
from orgtree.access.access import Access
from orgtree.trees.distinct_names import distinct_names

MOST, MOST_ON_CARD, MOST_BESIDE = 50, 5, 3
TABS = {"open": ("Open", OPEN_STATES), "closed": ("Closed", (FindingState.DISMISSED, FindingState.RESOLVED))}
TONES = {
    FindingState.NEW: "acc",
    FindingState.ACKNOWLEDGED: "",
    FindingState.IN_WORK: "acc",
    FindingState.RESOLVED: "good",
}
ICONS = {GAP: "arrows-diff", TREND: "trending-up", MOVE: "sitemap", DATA: "database", LEAVERS: "users"}
KINDS = {
    CHANGE: "change over a year",
    TREND: "over six months",
    MOVE: "on the day of a reorganisation",
    DATA: "counted",
    LEAVERS: "where such a load came before leaving in the past",
}
LONGEST_ID = 18  # digits
CHART_WEEKS = "52w"
REVIEWS = frozenset({"pr.pickup_time", "pr.review_time", "pr.cycle_time"})  # for their findings, why reviews wait
finding_sections: Hook[Callable[[Finding, Access], OfferedSection | None]] = Hook()  # next to the opened finding
NOTHING = "{} has changed or stands apart more than chance explains. Findings need at least twelve weeks of data."


@record_view
def findings(request: HttpRequest) -> HttpResponseBase:
    """The page of findings; `finding` is the opened one, by default the first; `state` is open or closed, by default
    its own.
    """
    access = access_in(request)
    named = _named(request.GET.get("finding", ""), access)
    tab = request.GET.get("state", _tab_of(named) if named else "open")
    label, states = TABS.get(tab, TABS["open"])
    lines = lines_of(access, states)
    opened = named if named and named.state in states else None
    if opened is None and lines:
        opened = find_finding(lines[0]["pk"], access)
    words = worded(opened, names_behind([opened])) if opened else None
    here = reverse("findings")
    context = {
        "tabs": [Picker(name, url_with(here, {"state": key}), active=name == label) for key, (name, _) in TABS.items()],
        "lines": lines,
        "total": Finding.objects.within(access.visibility).filter(state__in=states).count(),
        "opened": _opened(opened, words, access) if opened and words else None,
        "is_open": label == "Open",
        "csv_url": url_with(reverse("findings_csv"), {"state": tab} if label != "Open" else {}),
        "nothing": NOTHING.format("No team" if access.visibility.whole else "None of the units that you may see"),
        "questions": [{"question": one.question, "kind": _kind(one)} for one in BY_KEY.values()],
    }
    return render(request, "insights/findings/findings.html", context)


@record_view
def review_waits(request: HttpRequest) -> HttpResponseBase:
    """The page *Why reviews wait*, team by team; `unit` comes first."""
    access = access_in(request)
    waits = [*shown_waits(access)]
    names = distinct_names(one.unit.slug for one in waits)
    teams = [waits_in_words(one, names) for one in waits]
    teams.sort(key=lambda team: team.slug != request.GET.get("unit"))
    context = {"teams": teams, "rules": [(LABELS[cause], rule) for cause, rule in RULES.items()]}
    return render(request, "insights/findings/waits.html", context)


@page_view
def findings_csv(request: HttpRequest) -> HttpResponseBase:
    access = access_in(request)
    label, states = TABS.get(request.GET.get("state", "open"), TABS["open"])
    found = Finding.objects.within(access.visibility).filter(state__in=states).newest_first()
    return csv_response(f"headway-{label.lower()}-findings", finding_rows(found))


@page_view
def review_waits_csv(request: HttpRequest) -> HttpResponseBase:
    return csv_response("headway-review-waits", wait_rows(shown_waits(access_in(request))))


@action_view
def finding_decide(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    finding = find_finding(pk, access)
    try:
        decide(access, finding, act=request.POST.get("act", ""), reason=request.POST.get("reason", ""))
    except FieldError as problem:
        messages.error(request, problem.message)
    return redirect(url_with(reverse("findings"), {"finding": pk}))


@record_view
def finding_thresholds(request: HttpRequest) -> HttpResponseBase:
    """The thresholds that readers' verdicts moved."""
    access = access_in(request)
    lines = [
        {
            "question": one.detector.question,
            "detector": one.detector.key,
            "unit": one.unit.name if one.unit else one.repository or "Whole organisation",
            "repository": one.repository,
            "slug": one.unit.slug if one.unit else "",
            "declared": wording.percent_of(one.detector.least, 1),
            "now": wording.percent_of(one.least, 1),
            "verdicts": wording.listed(
                [f"{number} {Verdict(name).label.lower()}" for name, number in one.verdicts.items()]
            ),
            "last": one.last,
            "is_undone": one.is_undone,
            "may_undo": access.visibility.leads(one.unit.pk if one.unit else None),
        }
        for one in moved_thresholds(access, local_today())
    ]
    return render(request, "insights/findings/thresholds.html", {"lines": lines})


@action_view
def finding_threshold_undo(request: HttpRequest) -> HttpResponse:
    access, given = access_in(request), request.POST
    try:
        unit = named_unit(access, given.get("unit", ""))
        place = (unit, given.get("repository", ""))
        set_undone(access, given.get("detector", ""), *place, is_undone=given.get("undo") == "yes")
    except FieldError as problem:
        messages.error(request, problem.message)
    return redirect("finding_thresholds")


def lines_of(
    access: Access,
    states: Sequence[str] = OPEN_STATES,
    *,
    unit: str = "",
    metrics: Collection[str] = (),
    most: int = MOST,
) -> list[dict[str, Any]]:
    """The findings in words that the viewer may see: at or below `unit`, or all; of these metrics, or of any.  Changes
    for the worse come first, by the hours that they cost.
    """
    found = _within(access, unit).filter(state__in=states)
    findings = [*(found.filter(metric__in=metrics) if metrics else found).newest_first()[:MOST]]
    names = names_behind(findings)
    in_words = [(finding, words) for finding in findings if (words := worded(finding, names))]
    in_words.sort(key=lambda pair: (not pair[1].is_worse, -pair[1].hours))
    return [
        {
            "pk": finding.pk,
            "words": words,
            "state": finding.get_state_display(),
            "tone": TONES.get(FindingState(finding.state), ""),
            "icon": ICONS.get(BY_KEY[finding.detector].kind, "chart-line"),
            "url": url_with(reverse("findings"), {"state": _tab_of(finding), "finding": finding.pk}),
        }
        for finding, words in in_words[:most]
    ]


def findings_part(filters: Filters) -> dict[str, Any]:
    """The open findings of the unit and below it, for a card of a dashboard."""
    unit = filters.scope.unit or ""
    context = {
        "lines": lines_of(filters.access, unit=unit, most=MOST_ON_CARD),
        "total": _within(filters.access, unit).open().count(),
    }
    return {"title": "Findings", "part": "insights/findings/_part_findings.html", **context}


def findings_beside(filters: Filters, metrics: Collection[str]) -> list[dict[str, Any]]:
    """Open findings on the metrics of a page, at or below the unit; none on the page of a person."""
    if filters.scope.person_id is not None or not metrics:
        return []
    return lines_of(filters.access, unit=filters.scope.unit or "", metrics=metrics, most=MOST_BESIDE)


def findings_table(filters: Filters) -> Iterator[list[Cell]]:
    """All open findings of the card's unit and below it, as a CSV file."""
    return finding_rows(_within(filters.access, filters.scope.unit or "").open().newest_first())


def _within(access: Access, unit: str) -> FindingQuerySet:
    seen = Finding.objects.within(access.visibility)
    return seen.at_or_below(unit, local_today()) if unit else seen


def _events(finding: Finding, scope: Scope, access: Access) -> list[str]:
    """Sentences on events that matter for the finding: those whose weeks were left out, and those of a single
    repository.
    """
    shown = Window(finding.until - WEEKS * WEEK, finding.until)
    return [
        f"{in_words(event)} is about {event.repository} alone and may explain a part."
        if event.repository
        else f"Weeks of {in_words(event)} were left out: the event explains what changes in them."
        for event in events_beside(finding.metric, scope, shown, access)
    ]


def _threshold(finding: Finding) -> str:
    """The threshold that readers' verdicts moved, in words; empty if they did not."""
    factor = factors(local_today()).get((finding.detector, finding.unit_id, finding.repository), 1.0)
    if factor == 1.0:
        return ""
    least = BY_KEY[finding.detector].least
    now, declared = (wording.percent_of(share, 1) for share in (least * factor, least))
    return f"Here it is stored if it differs by {now} or more: verdicts moved the threshold from {declared}."


def _named(number: str, access: Access) -> Finding | None:
    """The finding with this number, as far as the viewer may see it."""
    if not number.isdecimal() or len(number) > LONGEST_ID:
        return None
    return Finding.objects.within(access.visibility).select_related("unit").filter(pk=number).first()


def _tab_of(finding: Finding) -> str:
    return "open" if finding.state in OPEN_STATES else "closed"


def _is_of_reviews(finding: Finding) -> bool:
    metrics = {finding.metric, *(stage["metric"] for stage in finding.details.get("stages", ()))}
    return not metrics.isdisjoint(REVIEWS)


def _kind(detector: Detector) -> str:
    if detector.kind == GAP:
        return "beside other repositories" if detector.of_repositories else "beside comparable teams"
    return KINDS[detector.kind]


def _opened(finding: Finding, words: FindingWords, access: Access) -> dict[str, Any]:
    metric, unit = get(finding.metric), finding.unit
    scope = Scope(unit=unit.slug if unit else None)
    about = {"unit": scope.unit or "", "range": CHART_WEEKS, "granularity": "week"}
    return {
        "pk": finding.pk,
        "words": words,
        "waits": waits_of(finding.unit_id, access) if _is_of_reviews(finding) else None,
        "state": finding.get_state_display(),
        "tone": TONES.get(FindingState(finding.state), ""),
        "unit": distinct_names([unit.slug])[unit.slug] if unit else "Whole organisation",
        "found_on": finding.found_on,
        "holds": weeks_in_words(finding, local_today()),
        "reason": finding.reason,
        "beside": [section for offer in finding_sections if (section := offer(finding, access))],
        "is_resolved": finding.state == FindingState.RESOLVED,
        "events": _events(finding, scope, access),
        "threshold": _threshold(finding),
        "conventions": context_of(unit, local_today()).conventions if metric.key.startswith("pr.") else "",
        "actions": [
            replace(action, url=with_parameter(action.url, "finding", finding.pk))
            for action in actions_on(metric, scope, access)
            if action.starts_work
        ],
        "metric_url": url_with(reverse("metric_page", args=[metric.key]), about),
        "may_decide": may_decide(finding, access) and finding.state in OPEN_STATES,
        "may_reopen": may_decide(finding, access) and finding.state == FindingState.DISMISSED,
        "history": history_of(finding),
        "chart": ChartCard(
            key="trend",
            title=f"{metric.label} by week",
            info=metric.meaning,
            kind="line",
            data_url=url_with(reverse("metric_page_chart", args=[metric.key, "trend"]), about),
            csv_url=url_with(reverse("metric_page_chart_csv", args=[metric.key, "trend"]), about),
            how_url=url_with(reverse("metric_how", args=[metric.key]), about),
            rows_url=url_with(reverse("metric_rows", args=[metric.key]), about),
            span=12,
        ),
    }
