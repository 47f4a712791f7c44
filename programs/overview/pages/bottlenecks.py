"""Labels of the nine bottlenecks and their signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse

from core.page_links import url_with
from insights.catalogue.registry import get
from insights.pages.answers import Answers
from insights.query.query import Window
from insights.ui import tiles, wording
from insights.ui.filters import Filters
from programs.models import BottleneckKind
from programs.overview.services.bottlenecks import (
    BottleneckAssessment,
    Bottlenecks,
    Judgement,
    Reorganisation,
    Sign,
    judged,
)

BEYOND, WORSE, QUIET, UNKNOWN = "bad", "watch", "good", ""
TONES: Mapping[Judgement, str] = {
    Judgement.BEYOND: BEYOND,
    Judgement.WORSE: WORSE,
    Judgement.QUIET: QUIET,
    Judgement.UNKNOWN: UNKNOWN,
}
WORDS = {BEYOND: "Beyond threshold", WORSE: "Worse than before", QUIET: "No signal", UNKNOWN: "Unknown"}
ICONS = {BEYOND: "alert-triangle", WORSE: "alert-circle", QUIET: "circle-check", UNKNOWN: "minus"}
COLUMNS = {
    BottleneckKind.PROCESS: "Process",
    BottleneckKind.TOOLING: "Tooling",
    BottleneckKind.PEOPLE: "People",
}


@dataclass(frozen=True)
class SignLine:
    """A metric of a bottleneck: its value, its change, and whether it is a signal."""

    name: str
    url: str
    value: str
    says: str
    tone: str
    change: tiles.Change | None = None


@dataclass(frozen=True)
class BottleneckLine:
    """One of the nine bottlenecks, labelled by its worst signal."""

    name: str
    asks: str
    tone: str
    word: str
    icon: str
    signs: Sequence[SignLine]
    ticket_url: str  # the form of a new ticket about it, if the viewer may create one


@dataclass(frozen=True)
class Column:
    name: str
    assessments: Sequence[BottleneckLine]
    tickets: str  # "3 tickets to do"
    tickets_url: str
    note: str


def bottleneck_columns(bottlenecks: Bottlenecks, *, may_file: bool) -> list[Column]:
    """Columns of process, tooling and people."""
    filters = bottlenecks.answers.filters
    columns = []
    for kind, name in COLUMNS.items():
        assessments = [assessment for assessment in bottlenecks.assessments if assessment.bottleneck.kind == kind]
        to_do = bottlenecks.tickets.get(kind, 0)
        columns.append(
            Column(
                name,
                [_assessment(assessment, bottlenecks.answers, may_file=may_file) for assessment in assessments],
                f"{wording.count(to_do, 'ticket')} to do" if to_do else "",
                url_with(reverse("tickets"), [*filters.scope_parameters(), ("kind", kind.value)]),
                _note(kind, assessments, explained_elsewhere=bottlenecks.explained_elsewhere),
            )
        )
    return columns


def _note(kind: BottleneckKind, assessments: Sequence[BottleneckAssessment], *, explained_elsewhere: bool) -> str:
    if kind != BottleneckKind.PEOPLE or not any(assessment.is_sign for assessment in assessments):
        return ""
    if explained_elsewhere:
        return "Check the signals of process and tooling first: they often explain these."
    return "A hypothesis, never about one person."


def _assessment(assessment: BottleneckAssessment, answers: Answers, *, may_file: bool) -> BottleneckLine:
    bottleneck, filters, tone = assessment.bottleneck, answers.filters, TONES[assessment.judgement]
    signs = [_sign(sign, answers) for sign in assessment.signs]
    if assessment.moved is not None:
        signs.append(_reorganised(assessment.moved, filters.window))
    return BottleneckLine(
        bottleneck.name,
        bottleneck.asks,
        tone,
        WORDS[tone],
        ICONS[tone],
        signs,
        _ticket_url(assessment, filters) if may_file else "",
    )


def _ticket_url(assessment: BottleneckAssessment, filters: Filters) -> str:
    bottleneck = assessment.bottleneck
    params = {
        "unit": filters.scope.unit,
        "metric": bottleneck.keys[0] if bottleneck.keys else "",
        "kind": bottleneck.kind.value,
    }
    return url_with(reverse("ticket_new"), params)


def _sign(sign: Sign, answers: Answers) -> SignLine:
    metric, tile, tone = get(sign.key), answers.tile(sign.key), TONES[sign.judgement]
    url = answers.filters.url(reverse("metric_page", args=[sign.key]))
    if tile.value is None:
        return SignLine(metric.marked_name, url, "", sign.reason, tone)
    says = ""
    if sign.threshold is not None:
        threshold = wording.reading(sign.threshold, metric.unit)
        is_beyond = sign.judgement is Judgement.BEYOND
        says = f"threshold {threshold}" if is_beyond else f"within the threshold of {threshold}"
    return SignLine(metric.marked_name, url, f"{tile.value} {tile.unit}".strip(), says, tone, tile.change)


def _reorganised(moved: Reorganisation, window: Window) -> SignLine:
    name, url, tone = "People who changed units", reverse("trees"), TONES[judged(moved)]
    if moved.share is None:
        return SignLine(name, url, "", moved.reason, tone)
    says = f"{moved.moved:,} of {moved.people:,} people in {wording.span(window)}"
    return SignLine(name, url, wording.percent_of(moved.moved, moved.people), says, tone)
