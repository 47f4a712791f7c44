"""The page of one objective: key results, check-ins, tickets, supporting objectives, history, and its actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString

from core.edit_conflicts import Difference
from core.markdown import as_html
from core.page_links import url_with
from core.views import action_view, record_view
from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.amounts import AmountError, amount_text, read_amount
from insights.ui.metric_panel import is_panel
from insights.ui.tiles import ChartCard, Link
from insights.ui.wording import moment
from orgtree.access.access import Access
from programs.alignment.pages import UNSEEN_OBJECTIVE
from programs.finding_work.pages import finding_of
from programs.history.events import Changed, Step, Value, names_of_accounts
from programs.history.labels import HistoryLine, history_lines, value_words
from programs.key_results.services.reading import unit_of
from programs.models import KeyResult, Objective, ObjectiveStatus, Ticket
from programs.objectives.pages.labels import (
    CONFIDENCE_LABELS,
    TAGS,
    KeyResultLine,
    key_result_line,
    objective_line,
    objective_lines,
)
from programs.objectives.queries.objectives import ObjectiveProgress, progress_of
from programs.objectives.services.check_ins import check_in_values
from programs.objectives.services.history import FIELDS, KEY_RESULT_FIELDS, KeyResultStep, objective_changes
from programs.objectives.services.writing import decide, drop_objective, may_change, override_status, publish_objective
from programs.quarters.pages import elapsed_text
from programs.requests.visible import visible_objective
from programs.tickets.pages.labels import ticket_lines

CHECK_INS_LISTED = 100
TICKETS_LISTED = 50
ALIGNED_LISTED = 50
CONFIDENCE_TONES = {"high": "good", "medium": "watch", "low": "bad"}


@dataclass(frozen=True)
class CheckInLine:
    who: str
    at: str
    confidence: str
    tone: str
    about: str  # the key result; empty for the whole objective
    value: str
    html: SafeString


@record_view
def objective(request: HttpRequest, pk: int) -> HttpResponse:
    return objective_page(request, visible_objective(pk, access_in(request)))


def objective_page(
    request: HttpRequest,
    record: Objective,
    *,
    problems: Sequence[str] = (),
    form: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; `problems` say why a submission was rejected, and `form` has the submitted values."""
    access, today = access_in(request), windows.local_today()
    below = _aligned(record, access)
    [progress, *aligned] = progress_of([record, *below], access, today=today)
    changes = may_change(access.visibility, record)
    is_open = not record.quarter.is_closed and record.dropped_at is None
    context: dict[str, Any] = {
        "objective": record,
        "finding": finding_of(record, access),
        "line": objective_line(progress, today),
        "quarter_days": wording.days(record.quarter.window),
        "passed": elapsed_text(record.quarter, today),
        "quarter_url": f"{reverse('objectives')}?quarter={record.quarter.start}",
        **_related(record),
        "computed": TAGS[progress.computed],
        "key_results": _parts(record, progress),
        "aligned": objective_lines(aligned, today),
        "may_change": changes and is_open,
        "may_publish": changes and is_open and record.published_at is None,
        "standings": [(value, label) for value, label in ObjectiveStatus.choices if value != ObjectiveStatus.UNKNOWN],
        "carry_overs": Objective.CarryOver.choices,
        "confidences": CONFIDENCE_LABELS.items(),
        "by_hand": [result.key_result for result in progress.key_results if result.key_result.is_by_hand],
        "ticket_url": _ticket_url(record, next((result.key_result.metric for result in progress.key_results), "")),
        "experiment_url": url_with(reverse("experiment_new"), {"objective": record.pk}),
        "tickets_url": f"{reverse('tickets')}?objective={record.pk}&state=all",
        "tickets": _tickets(record, access),
        "history_url": reverse("objective_history", args=[record.pk]),
        "problems": problems,
        "said": form or {},
        **_check_ins(record),
    }
    return render(request, "programs/objectives/objective.html", context, status=status)


def _parts(record: Objective, progress: ObjectiveProgress) -> list[tuple[KeyResultLine, ChartCard]]:
    """Key results with their trend."""
    parts = []
    for result in progress.key_results:
        key_result = result.key_result
        drawn = [
            reverse(name, args=[record.pk, key_result.pk]) for name in ("key_result_chart", "key_result_chart_csv")
        ]
        no_points = not any(value is not None for _, value in result.points)
        card = ChartCard(
            key=f"key-result-{key_result.pk}",
            title=key_result.title,
            info="By week: the 13 weeks before the quarter, and the quarter",
            kind="line",
            data_url=drawn[0],
            csv_url=drawn[1],
            state="hidden" if result.withheld else "no_data" if no_points else "value",
            reason=result.reason or "Not measured yet.",
            span=8,
        )
        parts.append((key_result_line(result, record), card))
    return parts


def _ticket_url(record: Objective, metric: str) -> str:
    """The address of a new ticket of the objective's improvement plan, filled in."""
    params = {"objective": record.pk, "unit": record.unit and record.unit.slug, "metric": metric}
    return url_with(reverse("ticket_new"), params)


def _related(related: Any) -> dict[str, Link | None]:
    """Links to the parent objective and the one carried over; without a name if the viewer cannot see it."""
    parent, before = related.parent, related.carried_from
    served = Link(UNSEEN_OBJECTIVE, "") if parent is not None else None
    if parent is not None and related.sees_parent:
        served = Link(parent.title, reverse("objective", args=[parent.pk]))
    carried = None
    if before is not None and related.sees_carried_from:
        carried = Link(f"{before.quarter}: {before.title}", reverse("objective", args=[before.pk]))
    return {"parent": served, "carried_from": carried}


def _aligned(record: Objective, access: Access) -> list[Objective]:
    seen = Objective.objects.within(access.visibility).filter(parent=record.pk, dropped_at=None)
    ordered = seen.select_related("unit", "owner", "quarter", "measure").order_by("unit__name", "pk")
    return list(ordered[:ALIGNED_LISTED])


def _tickets(record: Objective, access: Access) -> Sequence[Any]:
    """The objective's improvement plan: open tickets first, by due date."""
    listed = (
        Ticket.objects.within(access.visibility).filter(objective=record.pk).select_related("unit", "owner", "effect")
    )
    ordered = listed.order_by("completed_on", "due_on", "pk")[:TICKETS_LISTED]
    return ticket_lines(ordered, access, windows.local_today())


def _check_ins(record: Objective) -> dict[str, Any]:
    listed = list(record.check_ins.select_related("key_result")[:CHECK_INS_LISTED])
    names = names_of_accounts([record.written_by_id, *(progress.by_id for progress in listed)])
    return {
        "check_ins": [
            CheckInLine(
                names[check_in.by_id],
                moment(check_in.at),
                CONFIDENCE_LABELS[check_in.confidence],
                CONFIDENCE_TONES[check_in.confidence],
                check_in.key_result.title if check_in.key_result else "",
                amount_text(check_in.value, unit_of(check_in.key_result))
                if check_in.key_result and check_in.value is not None
                else "",
                as_html(check_in.note),
            )
            for check_in in listed
        ],
        "names": names,
    }


@record_view
def objective_history(request: HttpRequest, pk: int) -> HttpResponse:
    """The history as a part of the objective's page, or as a page of its own."""
    access = access_in(request)
    objective = visible_objective(pk, access)
    context = {"objective": objective, "history": history_of(objective, access)}
    part = "components/history.html"
    return render(request, part if is_panel(request) else "programs/objectives/history.html", {**context, "part": part})


def history_of(objective: Objective, access: Access) -> list[HistoryLine]:
    """The changes, latest first."""
    changes = objective_changes(objective, access)
    names = names_of_accounts(change.by for change in changes)
    return history_lines(changes, names, _what, _difference)


def _what(step: Step) -> Iterator[str]:
    if step.is_first:
        yield "Created"
    if not isinstance(step, KeyResultStep):
        return
    if step.removed:
        yield f"Key result “{step.removed.title}” removed"
    if step.added:
        target = _amount(step.added.target, step.added.unit)
        yield f"Key result “{step.added.title}”, target {target}"


def _difference(change: Changed) -> Difference:
    is_of_objective = change.key_result is None
    column = (FIELDS if is_of_objective else KEY_RESULT_FIELDS)[change.field]
    label = column.label if is_of_objective else f"{change.title}, {column.label.lower()}"
    choices = column.choices or {}

    def words(value: Value, unit: str) -> str:
        return _amount(value, unit) if isinstance(value, float) else value_words(change.field, value, choices)

    return Difference(label, words(change.before, change.unit_before), words(change.after, change.unit))


def _amount(value: Value, unit: str) -> str:
    return amount_text(value, unit) if isinstance(value, float) else value_words("", value, {})


@action_view
def objective_check_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds a check-in: `confidence` with a `note`, and `value-<key result>` for each new value entered by hand."""

    def say(access: Access, objective: Objective) -> None:
        confidence, note = request.POST.get("confidence", ""), request.POST.get("note", "")
        check_in_values(access, objective, confidence=confidence, note=note, values=_values(request, objective))

    return _change(request, pk, say, "Checked in.")


@action_view
def objective_publish(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, publish_objective, "Objective published. Everybody concerned can see it.")


@action_view
def objective_override(request: HttpRequest, pk: int) -> HttpResponse:
    """Overrides the status: `standing` with a `reason`; an empty `standing` removes the override."""
    status, reason = request.POST.get("standing", ""), request.POST.get("reason", "")
    done = "Status overridden." if status else "Override removed. The computed status applies."
    return _change(request, pk, lambda access, record: override_status(access, record, status, reason), done)


@action_view
def objective_drop(request: HttpRequest, pk: int) -> HttpResponse:
    why = request.POST.get("why", "")
    done = "Objective dropped. It stays on record with the reason."
    return _change(request, pk, lambda access, record: drop_objective(access, record, why), done)


@action_view
def objective_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Stores `carry_over` and `retrospective`, which apply when the quarter is closed."""
    carry_over = request.POST.get("carry_over", Objective.CarryOver.UNDECIDED)
    lesson = request.POST.get("retrospective", "").replace("\r\n", "\n")
    done = "Saved. It applies when the quarter is closed."
    return _change(request, pk, lambda access, record: decide(access, record, carry_over, lesson), done)


def _values(request: HttpRequest, objective: Objective) -> dict[int, float]:
    """The new values of key results entered by hand, by id.  Raises FieldError."""
    values = {}
    by_hand = KeyResult.objects.filter(objective=objective.pk, metric="", initiative="")
    for key_result in by_hand:
        text = request.POST.get(f"value-{key_result.pk}", "").strip()
        if text:
            try:
                values[key_result.pk] = read_amount(text, unit_of(key_result))
            except AmountError as problem:
                raise FieldError("value", f"{key_result.title}: {problem}") from None
    return values


def _change(request: HttpRequest, pk: int, change: Callable[[Access, Objective], object], done: str) -> HttpResponse:
    """Makes the change and redirects; if it is rejected, shows the page again with the reason and the submitted
    values.
    """
    access = access_in(request)
    objective = visible_objective(pk, access)
    try:
        change(access, objective)
    except FieldError as problem:
        form = {name: str(value) for name, value in request.POST.items()}
        return objective_page(request, visible_objective(pk, access), problems=[problem.message], form=form, status=400)
    messages.success(request, done)
    return redirect("objective", pk)
