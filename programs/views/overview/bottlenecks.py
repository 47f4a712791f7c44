"""The nine bottlenecks in words: what the data say of each, or what it would take to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse

from insights import tiles, wording
from insights.agreed import Agreement
from insights.filters import Filters
from insights.metrics.query import Window
from insights.metrics.registry import get
from insights.views.answers import Answers
from programs.models import BottleneckKind
from programs.queries.reorganisation import Reorganisation
from programs.queries.tickets import TicketFilter, filtered
from programs.services.bottlenecks import BOTTLENECKS, REORGANISATION, Bottleneck

MUCH_REORGANISED = 20  # percent of the people in a quarter of a year: a fifth is a new team
WORTH_SAYING = 0.1  # a tenth of what it was: less is no sign of anything
BEYOND, WORSE, QUIET, UNKNOWN = "bad", "watch", "good", ""
WORDS = {BEYOND: "Beyond what was agreed", WORSE: "Worse than before", QUIET: "No sign", UNKNOWN: "Not known"}
ICONS = {BEYOND: "alert-triangle", WORSE: "alert-circle", QUIET: "circle-check", UNKNOWN: "minus"}
ORDER = (BEYOND, WORSE, QUIET, UNKNOWN)
COLUMNS = {
    BottleneckKind.PROCESS: "Process",
    BottleneckKind.TOOLING: "Tooling",
    BottleneckKind.PEOPLE: "People",
}


@dataclass(frozen=True)
class Sign:
    """What one metric says: its figure, the change, and why it is a sign or none."""

    name: str
    url: str
    value: str
    says: str
    tone: str
    change: tiles.Change | None = None


@dataclass(frozen=True)
class Cell:
    """One of the nine: the word of its worst sign."""

    name: str
    asks: str
    tone: str
    word: str
    icon: str
    signs: Sequence[Sign]
    ticket_url: str  # a new ticket about it, for whoever may file one


@dataclass(frozen=True)
class Column:
    name: str
    cells: Sequence[Cell]
    tickets: str  # "3 tickets to do"
    tickets_url: str
    note: str


def bottleneck_columns(answers: Answers, moved: Reorganisation, *, may_file: bool) -> list[Column]:
    """Process, tooling, people; a query for the tickets, and those for what was agreed."""
    filters = answers.filters
    tickets = _tickets(filters)
    cells: dict[BottleneckKind, list[Cell]] = {kind: [] for kind in COLUMNS}
    for each in BOTTLENECKS:
        signs = [_sign(answers, key) for key in each.keys]
        if each.key == REORGANISATION:
            signs.append(_reorganised(moved, filters.window, filters))
        cells[each.kind].append(_cell(each, signs, filters, may_file=may_file))
    elsewhere = any(
        cell.tone in (BEYOND, WORSE) for kind in COLUMNS if kind != BottleneckKind.PEOPLE for cell in cells[kind]
    )
    return [
        Column(
            name,
            cells[kind],
            f"{wording.count(tickets.get(kind, 0), 'ticket')} to do" if tickets.get(kind) else "",
            f"{reverse('tickets')}?{urlencode([*filters.scope_parameters(), ('kind', kind.value)])}",
            _note(kind, cells[kind], explained_elsewhere=elsewhere),
        )
        for kind, name in COLUMNS.items()
    ]


def _note(kind: BottleneckKind, cells: Sequence[Cell], *, explained_elsewhere: bool) -> str:
    if kind != BottleneckKind.PEOPLE or not any(cell.tone in (BEYOND, WORSE) for cell in cells):
        return ""
    if explained_elsewhere:
        return "Look first at the signs of process and tooling: they often explain these."
    return "A hypothesis, and never about one person."


def _tickets(filters: Filters) -> Mapping[str, int]:
    """How many are to do, by where the cause lies."""
    found = filtered(TicketFilter(unit=filters.scope.unit), filters.access.sight, today=filters.today)
    return {row["kind"]: row["number"] for row in found.order_by().values("kind").annotate(number=Count("pk"))}


def _cell(each: Bottleneck, signs: Sequence[Sign], filters: Filters, *, may_file: bool) -> Cell:
    tone = next(tone for tone in ORDER if any(sign.tone == tone for sign in signs))
    said = {"unit": filters.scope.unit or "", "metric": each.keys[0] if each.keys else "", "kind": each.kind.value}
    url = f"{reverse('ticket_new')}?{urlencode({name: value for name, value in said.items() if value})}"
    return Cell(each.name, each.asks, tone, WORDS[tone], ICONS[tone], signs, url if may_file else "")


def _sign(answers: Answers, key: str) -> Sign:
    metric, tile = get(key), answers.tile(key)
    url = answers.filters.url(reverse("metric_page", args=[key]))
    if tile.value is None:
        return Sign(metric.name, url, "", tile.reason, UNKNOWN)
    value, figure = f"{tile.value} {tile.unit}".strip(), answers.figure(key)
    agreed = _agreed(answers, key)
    if agreed is not None and agreed.threshold is not None and figure.value is not None:
        threshold = wording.reading(agreed.threshold, metric.unit)
        is_beyond = figure.value < agreed.threshold if agreed.higher_is_better else figure.value > agreed.threshold
        if is_beyond:
            return Sign(metric.name, url, value, f"agreed: {threshold}", BEYOND, tile.change)
        return Sign(metric.name, url, value, f"within the agreed {threshold}", QUIET, tile.change)
    before = answers.figure_before(key).value
    moved = before is not None and figure.value is not None and abs(figure.value - before) >= abs(before) * WORTH_SAYING
    is_worse = moved and tile.change is not None and tile.change.judgement == "worse"
    return Sign(metric.name, url, value, "", WORSE if is_worse else QUIET, tile.change)


def _agreed(answers: Answers, key: str) -> Agreement | None:
    """None where it was agreed of another statistic than the one that is shown, or of a week, month or quarter."""
    found = answers.agreed.get(key)
    if found is None or found.period is not None or not found.is_of_statistic(answers.answer(key).query):
        return None
    return found


def _reorganised(moved: Reorganisation, window: Window, filters: Filters) -> Sign:
    url = f"{reverse('trees')}"
    if moved.share is None:
        return Sign("People who changed units", url, "", "Nobody is in an Org Tree here.", UNKNOWN)
    tone = WORSE if moved.share > MUCH_REORGANISED else QUIET
    says = f"{moved.moved:,} of {moved.people:,} people in {wording.span(window)}"
    return Sign("People who changed units", url, wording.percent_of(moved.moved, moved.people), says, tone)
