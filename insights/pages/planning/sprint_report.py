"""The report of a sprint on the planning page: its lists, its burn-up, and the sprints before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from core.csv_export import Cell, csv_response
from core.page_links import Picker, url_with
from core.views import page_view
from insights.forecasts.forecasting import forecast_of_sprint, working_days
from insights.forecasts.sprint_records import calibration_of_board
from insights.formulas.forecast import TooLittleHistory
from insights.pages.planning.forecasts import calibration_words, not_calibrated_words, verdict_tag
from insights.pages.planning.tabs import COUNTED_IN, PLANNING_PAGE
from insights.pages.presenter import Verdict
from insights.pages.records import labels
from insights.pages.records.presentation import named
from insights.privacy.scope_access import access_in
from insights.query.errors import QueryError
from insights.query.query import Window
from insights.ui import wording
from insights.ui.charts import ChartData, Dataset, Line, chart_response
from insights.ui.filters import Choice, Filters
from insights.ui.tiles import ChartCard
from integrations.delivery.records.sprint import (
    ESTIMATED_APART,
    Amount,
    Decision,
    ReportedAmount,
    SprintLine,
    SprintReport,
    SprintSums,
    days_of_sprint,
    report_of_sprint,
    sums_of_sprint,
)
from integrations.delivery.records.visible import sprints_of_units, visible_sprints
from integrations.enums import SprintOutcome
from integrations.models import Sprint
from orgtree.trees.surroundings import Surroundings

SPRINT = "sprint"
COMMITTED, ADDED, REMOVED, DELIVERED, CARRIED_OVER = "committed", "added", "removed", "delivered", "carried_over"
LISTED = Choice(
    "list",
    {
        CARRIED_OVER: "Carried over",
        COMMITTED: "Committed",
        ADDED: "Added",
        REMOVED: "Removed",
        DELIVERED: "Delivered",
    },
)
ORDER = (COMMITTED, ADDED, REMOVED, DELIVERED, CARRIED_OVER)
MOST_BOARDS = 40  # in the menu; a unit narrows them down
LONGEST_ID = 18
LATE_HOURS = 24  # less counts as the evening of the same day
BAR_HEIGHT = 110
MOST_KEYS = 5  # named with a reason
PARTS_ALONE = "Sub-tasks are items of their own on this board."
PARTS_WITH_PARENT = "Sub-tasks count with their parent on this board."


@dataclass(frozen=True)
class Counted:
    """Whether the page counts items or points, and how it prints them."""

    in_points: bool

    @property
    def noun(self) -> str:
        return "points" if self.in_points else "items"

    def of(self, amount: Amount) -> float:
        return amount.points if self.in_points else amount.items

    def words(self, amount: Amount) -> str:
        return wording.amount(self.of(amount))


def report_of_scope(request: HttpRequest, filters: Filters, around: Surroundings) -> SprintReport | None:
    """The report of the sprint in the address, otherwise of the last closed one, otherwise of an open one.

    None if the scope has no sprint.  Raises QueryError if it is not a number, Http404 for a sprint that the viewer may
    not see.
    """
    if filters.scope.person_id is not None or filters.scope.unassigned is not None:
        return None
    visible = visible_sprints(filters.access).select_related("figures")
    if written := request.GET.get(SPRINT, ""):
        if not (written.isascii() and written.isdigit() and len(written) <= LONGEST_ID):
            raise QueryError(SPRINT, "It must be the number of a sprint.")
        sprint: Sprint | None = get_object_or_404(visible, pk=int(written))
    else:
        of_scope = visible if around.unit is None else sprints_of_units(visible, [around.unit.pk])
        last_closed = of_scope.filter(figures__closed_at__isnull=False).order_by("-figures__closed_at", "-pk")
        sprint = last_closed.first() or of_scope.order_by("-starts_at", "-pk").first()
    if sprint is None:
        return None
    beside = visible.filter(connection=sprint.connection_id, board=sprint.board)
    return report_of_sprint(sprint, beside, filters.access)


def report_context(report: SprintReport, filters: Filters, around: Surroundings) -> dict[str, Any]:
    """The context of insights/planning/_report.html."""
    counted = Counted(filters.picked[COUNTED_IN.parameter] == "points")
    listed = _listed(filters, report, counted)
    lines = [line for line in report.lines if counted.of(line.amounts[listed])]
    odds, calibration = _odds(report), calibration_of_board(report.of_board)
    return {
        "title": report.sprint.name or report.sprint.external_id,
        "board": report.board,
        "dates": _dates(report),
        "odds": odds,
        "not_calibrated": not_calibrated_words(calibration) if odds else "",
        "calibration": calibration_words(calibration, "this board’s sprints") if calibration.of else "",
        "calibration_tag": verdict_tag(calibration),
        "parts": " ".join([PARTS_ALONE if report.parts_alone else PARTS_WITH_PARENT, *_watched(report)]),
        "counted": counted,
        "counted_pickers": [
            replace(picker, url=url_with(picker.url, {SPRINT: report.sprint.pk}), key="")
            for picker in PLANNING_PAGE.pickers(filters, COUNTED_IN)
        ],
        "older": _sprint_link(report.older, filters),
        "newer": _sprint_link(report.newer, filters),
        "boards": _boards(filters, around, report),
        "lists": [_list_link(amount, report, counted, filters, is_open=amount == listed) for amount in ORDER],
        "listed": LISTED.options[listed],
        "amount": listed,
        "lines": [_line(line, listed) for line in lines],
        "csv_url": _sprint_url("planning_sprint_csv", report, filters),
        "reported": _reported(report, counted),
        "recent": _recent(report, counted, filters),
        "burn_up": _burn_up_card(report, counted, filters),
        "is_open": report.figures.closed_at is None,
    }


def verdict(report: SprintReport, whose: str) -> Verdict | None:
    """A sentence on how much of their commitments the last sprints kept, and what this one carried over."""
    closed = report.recent
    if not closed:
        return None
    delivered = sum(one.sums[DELIVERED].items for one in closed) / len(closed)
    committed = sum(one.sums[COMMITTED].items for one in closed) / len(closed)
    lead = f"{whose} delivers about {wording.count(round(delivered), 'item')} a sprint and commits to {committed:.0f}."
    carried = [line for line in report.lines if line.amounts[CARRIED_OVER].items]
    if report.figures.closed_at is None or not carried:
        return Verdict(lead)
    waiting = sum(line.waits_for_review for line in carried)
    was = "was" if len(carried) == 1 else "were"
    rest = f"{wording.count(len(carried), 'item')} {was} carried over from {report.sprint.name}"
    waited = f"; {waiting} of them waited for a review" if waiting else ""
    return Verdict(lead, f"{rest}{waited}.")


def _listed(filters: Filters, report: SprintReport, counted: Counted) -> str:
    """The list that is open: by default the items carried over, if there are any."""
    picked = filters.picked[LISTED.parameter]
    if picked == LISTED.default and not counted.of(report.sums[CARRIED_OVER]):
        return COMMITTED
    return picked


def _dates(report: SprintReport) -> str:
    sprint, closed_at = report.sprint, report.figures.closed_at
    start, end = sprint.starts_at, closed_at or sprint.ends_at
    days = wording.days(Window(_day(start), _day(end) + timedelta(days=1))) if start and end else ""
    if closed_at is None:
        return f"{days}, open"
    late = (closed_at - sprint.ends_at).total_seconds() / 3600 if sprint.ends_at else 0.0
    if late > LATE_HOURS:
        return f"{days}, closed {wording.count(round(late / 24), 'day')} late"
    return f"{days}, closed on time"


def _watched(report: SprintReport) -> Iterator[str]:
    """Explains why early moves are missing if the tracker keeps no history."""
    if report.watched_since is not None:
        since = wording.day(_day(report.watched_since))
        yield (
            f"The tracker keeps no history of iterations. Headway has read this one since {since}; "
            "items that had left it by then are missing."
        )


def _odds(report: SprintReport) -> str:
    """The odds that the open items of an open sprint are done by its end, at the pace of its board's sprints."""
    open_items = sum(line.part.outcome == SprintOutcome.OPEN for line in report.lines)
    ends_at = report.sprint.ends_at
    if report.figures.closed_at is not None or not open_items or ends_at is None or ends_at < timezone.now():
        return ""
    today, end = timezone.localdate(), _day(ends_at)
    forecast = forecast_of_sprint(report.sprint, open_items, today=today)
    count = wording.count(open_items, "open item")
    if isinstance(forecast, TooLittleHistory):
        return ""
    odds = forecast.odds_by(working_days(today).until(today, end))
    all_of = f"The {count} is" if open_items == 1 else f"All {count} are"
    return f"{all_of} done by {wording.day(end)} with odds of {wording.percent_of(odds, 1.0)}."


def _day(at: datetime) -> date:
    return timezone.localtime(at).date()


def _short_day(at: datetime | None) -> str:
    return f"{_day(at).day} {_day(at):%b}" if at else ""


def _sprint_url(route: str, report: SprintReport, filters: Filters) -> str:
    return filters.url(reverse(route, args=[report.sprint.pk]))


def _sprint_link(sprint: Sprint | None, filters: Filters) -> Picker | None:
    if sprint is None:
        return None
    return Picker(_number(sprint), filters.url(PLANNING_PAGE.path, **{SPRINT: str(sprint.pk)}), False, note=sprint.name)


def _boards(filters: Filters, around: Surroundings, report: SprintReport) -> list[Picker]:
    """The last sprint of each board of the scope, by the board's name; empty if there is only one."""
    visible = visible_sprints(filters.access)
    of_scope = visible if around.unit is None else sprints_of_units(visible, [around.unit.pk])
    closed = of_scope.filter(figures__closed_at__isnull=False)
    last = closed.order_by("connection", "board", "-figures__closed_at").distinct("connection", "board")
    sprints = sorted(last[: MOST_BOARDS + 1], key=lambda sprint: sprint.name)[:MOST_BOARDS]
    if len(sprints) < 2:
        return []
    shown = (report.sprint.connection_id, report.sprint.board)
    return [
        Picker(
            sprint.name or sprint.external_id,
            filters.url(PLANNING_PAGE.path, **{SPRINT: str(sprint.pk)}),
            (sprint.connection_id, sprint.board) == shown,
        )
        for sprint in sprints
    ]


def _list_link(
    amount: str, report: SprintReport, counted: Counted, filters: Filters, *, is_open: bool
) -> dict[str, Any]:
    sums, of = report.sums, counted.of(report.sums[amount])
    committed = counted.of(sums[COMMITTED])
    notes = {
        COMMITTED: counted.noun,
        ADDED: wording.percent_of(of, committed) if committed else "",
        REMOVED: wording.percent_of(of, committed) if committed else "",
        DELIVERED: _split(of, counted.of(sums["delivered_commit"])),
        CARRIED_OVER: _split(
            of,
            sum(counted.of(line.amounts[CARRIED_OVER]) for line in report.lines if line.part.is_committed),
        ),
    }
    picked = filters.with_pick(LISTED, amount)
    return {
        "label": "Committed at start" if amount == COMMITTED else LISTED.options[amount],
        "value": wording.amount(of),
        "note": notes[amount],
        "url": picked.url(PLANNING_PAGE.path, **{SPRINT: str(report.sprint.pk)}),
        "is_open": is_open,
        "key": f"list-{amount.replace('_', '-')}",
    }


def _reported(report: SprintReport, counted: Counted) -> dict[str, Any] | None:
    """The tracker's own report compared with ours: the differences, and their reasons."""
    if not report.reported:
        return None
    rows = [
        {
            "label": LISTED.options[amount.name],
            "theirs": counted.words(amount.theirs),
            "ours": counted.words(amount.ours),
            "why": _why_apart(amount, counted),
        }
        for amount in report.reported
    ]
    different = sum(bool(row["why"]) for row in rows)
    summary = f"{wording.count(different, 'figure')} of five differ" if different > 1 else "one figure of five differs"
    return {"rows": rows, "summary": summary if different else "all five figures are the same"}


def _why_apart(amount: ReportedAmount, counted: Counted) -> str:
    """The reasons for a difference: 2 done before the sprint began (SHOP-3, SHOP-9); 1 entered within the grace
    (SHOP-12).
    """
    reasons = []
    for reason, keys in amount.reasons.items():
        if reason == ESTIMATED_APART and not counted.in_points:
            continue
        named = ", ".join(keys[:MOST_KEYS]) + (" …" if len(keys) > MOST_KEYS else "")
        reasons.append(f"{len(keys)} {reason} ({named})")
    return "; ".join(reasons)


def _split(whole: float, committed: float) -> str:
    """The split of an amount: 26 + 5 added; empty if nothing was added."""
    added = whole - committed
    return f"{wording.amount(committed)} + {wording.amount(added)} added" if added > 0 else ""


def _line(line: SprintLine, amount: str) -> dict[str, Any]:
    return {
        "item": named(line.name),
        "points": _points(line),
        "state": _state(line),
        "why": _reasons(line, amount),
        "owner": labels.who(line.owner),
    }


def _points(line: SprintLine) -> str:
    first, last = line.part.first_points, line.part.last_points
    if first is None and last is None:
        return ""
    texts = ["none" if points is None else f"{points:g}" for points in (first, last)]
    return texts[0] if texts[0] == texts[1] else " → ".join(texts)


def _state(line: SprintLine) -> str:
    """The item's status at the close: In review since 22 Sep."""
    if not line.status:
        return "Not started"
    since = f" since {_short_day(line.status_since)}" if line.status_since else ""
    return f"{line.status}{since}"


def _reasons(line: SprintLine, amount: str) -> str:
    """The decision behind the item's outcome, with person and time; or why it was not done."""
    reasons = []
    if not line.part.is_committed:
        reasons.append(_decided("Added", line.entered))
    if line.left is not None:
        reasons.append(_decided("Removed" if line.part.left_at else "Dropped", line.left))
    elif line.part.has_churned:
        reasons.append("Removed and added again")
    reasons += [
        f"Re-estimated {change.before or 'none'} → {change.after or 'none'}{_on_by(change)}"
        for change in line.estimates
    ]
    if amount == CARRIED_OVER:
        reasons += _why_not_done(line)
    return "; ".join(reasons)


def _why_not_done(line: SprintLine) -> Iterator[str]:
    if line.sprints_before:
        yield f"in its {_ordinal(line.sprints_before + 1)} sprint"
    if line.waits_for_review:
        yield "waits for a review"
    elif line.pickup_seconds and line.pickup_seconds >= 24 * 3600:
        yield f"waited {wording.duration(line.pickup_seconds)} for a review"
    if line.status and not line.is_started:
        yield "not started"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _decided(what: str, decision: Decision) -> str:
    return f"{what}{_on_by(decision)}"


def _on_by(decision: Decision) -> str:
    on = f" on {_short_day(decision.at)}" if decision.at else ""
    return f"{on} by {labels.who(decision.by)}" if decision.by else on


def _recent(report: SprintReport, counted: Counted, filters: Filters) -> dict[str, Any]:
    """The last closed sprints of the board as bars, with the two figures of predictability."""
    bars = [_bar(one, counted) for one in report.recent]
    top = max((max(bar["committed"], bar["delivered"]) for bar in bars), default=0) or 1
    for bar in bars:
        bar["heights"] = {
            name: round(BAR_HEIGHT * bar[name] / top, 1) for name in ("committed", "delivered", "kept", "added")
        }
        bar["is_shown"] = bar["sprint"] == report.sprint
        bar["url"] = filters.url(PLANNING_PAGE.path, **{SPRINT: str(bar["sprint"].pk)})
    committed, kept = sum(bar["committed"] for bar in bars), sum(bar["kept"] for bar in bars)
    variation = report.variation[counted.in_points]
    amounts = [bar["delivered"] for bar in bars]
    return {
        "bars": bars,
        "height": BAR_HEIGHT,
        "variation": "" if variation is None else f"{variation:.0f}",
        "range": f"{wording.amount(min(amounts))} to {wording.amount(max(amounts))} {counted.noun}" if amounts else "",
        "reliability": wording.percent_of(kept, committed) if committed else "",
        "of": f"{wording.amount(kept)} of {wording.amount(committed)} {counted.noun}",
        "held": _would_have_held(amounts, committed / len(bars) if bars else 0, counted),
    }


def _bar(one: SprintSums, counted: Counted) -> dict[str, Any]:
    committed, delivered = counted.of(one.sums[COMMITTED]), counted.of(one.sums[DELIVERED])
    kept = counted.of(one.sums["delivered_commit"])
    return {
        "sprint": one.sprint,
        "label": _number(one.sprint),
        "name": one.sprint.name or one.sprint.external_id,
        "committed": committed,
        "delivered": delivered,
        "kept": kept,
        "added": delivered - kept,
        "share": wording.percent_of(kept, committed) if committed else "–",
        "words": f"{wording.amount(committed)} committed, {wording.amount(kept)} of these and "
        f"{wording.amount(delivered - kept)} added {counted.noun} delivered",
    }


def _number(sprint: Sprint) -> str:
    """The last word of the sprint's name, which is usually its number."""
    return (sprint.name or sprint.external_id).split()[-1][:8]


def _would_have_held(delivered: Sequence[float], committed: float, counted: Counted) -> str:
    """A sentence on a smaller commitment that most of these sprints would have kept; empty if there is none."""
    if len(delivered) < 4:
        return ""
    kept_by_most = sorted(delivered)[len(delivered) // 6]
    if kept_by_most >= committed or kept_by_most <= 0:
        return ""
    held = sum(amount >= kept_by_most for amount in delivered)
    return (
        f"A commitment of {wording.amount(kept_by_most)} {counted.noun} would have held in {held} of {len(delivered)} "
        "sprints."
    )


def _burn_up_card(report: SprintReport, counted: Counted, filters: Filters) -> ChartCard:
    return ChartCard(
        key="burn-up",
        title=f"Burn-up, {counted.noun} by day",
        info="The work in the sprint at the end of each working day, and what of it is done.",
        kind="line",
        data_url=_sprint_url("planning_sprint_days", report, filters),
        csv_url=_sprint_url("planning_sprint_days_csv", report, filters),
        span=12,
    )


def burn_up(sprint: Sprint, counted: Counted) -> ChartData:
    days, committed = days_of_sprint(sprint), counted.of(sums_of_sprint(sprint)[COMMITTED])
    return ChartData(
        kind="line",
        unit="count",
        labels=[f"{day.day.day} {day.day:%b}" for day in days],
        datasets=[
            Dataset("Scope", "scope", "sequence", [counted.of(day.scope) for day in days]),
            Dataset("Delivered", "delivered", "sequence", [counted.of(day.done) for day in days]),
        ],
        days=[day.day for day in days],
        bucket="day",
        label_name="Day",
        benchmarks=[Line(committed, f"Committed {wording.amount(committed)}")],
    )


@page_view
def sprint_days(request: HttpRequest, pk: int) -> HttpResponseBase:
    return chart_response(request, burn_up(_visible_sprint(request, pk), _counted(request)))


@page_view
def sprint_days_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    return csv_response("headway-planning-burn-up", burn_up(_visible_sprint(request, pk), _counted(request)).rows())


@page_view
def sprint_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    sprint = _visible_sprint(request, pk)
    return csv_response("headway-planning-sprint", _rows(report_of_sprint(sprint, [sprint], access_in(request))))


def _visible_sprint(request: HttpRequest, pk: int) -> Sprint:
    return get_object_or_404(visible_sprints(access_in(request)).select_related("figures"), pk=pk)


def _counted(request: HttpRequest) -> Counted:
    return Counted(request.GET.get(COUNTED_IN.parameter) == "points")


def _rows(report: SprintReport) -> Iterator[list[Cell]]:
    heads = ("Item", "Title", "Committed", "Outcome", "Points at first", "Points at the end", "Owner")
    yield [*heads, "Entered", "Entered by", "Left or done", "Left by", "Status at the close", "Why"]
    for line in report.lines:
        part, left = line.part, line.left
        yield [
            line.name.reference,
            line.name.title,
            "yes" if part.is_committed else "no",
            labels.status_words(part.outcome),
            part.first_points,
            part.last_points,
            labels.who(line.owner),
            wording.moment(line.entered.at),
            labels.who(line.entered.by),
            wording.moment(part.ended_at),
            labels.who(left.by) if left else "",
            _state(line),
            _reasons(line, part.outcome),
        ]
