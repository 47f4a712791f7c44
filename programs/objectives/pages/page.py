"""One objective: how its key results go, what was said of it, its tickets, and what serves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from core.markdown import as_html
from insights.pages.annotations.words import GONE, moment
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.tiles import ChartCard, Link
from orgtree.access.access import Access
from programs.alignment.pages import UNSEEN_OBJECTIVE
from programs.history.events import names_of_accounts
from programs.key_results.pages.amounts import in_words
from programs.key_results.services.reading import unit_of
from programs.models import CheckIn, Objective, Standing, Ticket
from programs.objectives.pages.words import TAGS, KeyResultLine, key_result_line, objective_line, objective_lines
from programs.objectives.queries.objectives import ObjectiveProgress, progress_of
from programs.objectives.services.writing import may_change
from programs.quarters.pages import passed_words
from programs.tickets.pages.words import ticket_lines

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
    about: str  # the key result; empty: the objective as a whole
    value: str
    html: SafeString


@dataclass(frozen=True)
class KeyResultPart:
    """A key result on the page of its objective, with its course."""

    line: KeyResultLine
    card: ChartCard
    ticket_url: str


@login_required
@never_cache
@require_GET
def objective(request: HttpRequest, pk: int) -> HttpResponse:
    return objective_page(request, visible_objective(request, pk))


def visible_objective(request: HttpRequest, pk: int) -> Objective:
    """Raises Http404 for one that the viewer may not see, as for one that is not there."""
    seen = Objective.objects.within(access_in(request).sight)
    asked = seen.filter(pk=pk).annotate(
        sees_parent=Exists(seen.filter(pk=OuterRef("parent"))),
        sees_carried_from=Exists(seen.filter(pk=OuterRef("carried_from"))),
    )
    found = asked.select_related("unit", "owner", "quarter", "measure", "parent", "carried_from__quarter").first()
    if found is None:
        raise Http404("No such objective, or one that you may not see.")
    return found


def objective_page(
    request: HttpRequest,
    found: Objective,
    *,
    problems: Sequence[str] = (),
    said: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; `problems` say why what was sent was not stored, and `said` is what stood in the form."""
    access, today = access_in(request), windows.local_today()
    below = _aligned(found, access)
    [progress, *aligned] = progress_of([found, *below], access, today=today)
    changes = may_change(access.sight, found)
    is_open = not found.quarter.is_closed and found.dropped_at is None
    context: dict[str, Any] = {
        "objective": found,
        "line": objective_line(progress, today),
        "description": as_html(found.description),
        "quarter_days": wording.days(found.quarter.window),
        "passed": passed_words(found.quarter, today),
        "quarter_url": f"{reverse('objectives')}?quarter={found.quarter.start}",
        **_related(found),
        "computed": TAGS[progress.computed],
        "key_results": _parts(found, progress),
        "aligned": objective_lines(aligned, today),
        "may_change": changes and is_open,
        "may_publish": changes and is_open and found.published_at is None,
        "standings": [(value, label) for value, label in Standing.choices if value != Standing.UNKNOWN],
        "carry_overs": Objective.CarryOver.choices,
        "confidences": CheckIn.Confidence.choices,
        "by_hand": [result.key_result for result in progress.key_results if not result.key_result.metric],
        "ticket_url": _ticket_url(found, next((result.key_result.metric for result in progress.key_results), "")),
        "tickets_url": f"{reverse('tickets')}?objective={found.pk}&state=all",
        "tickets": _tickets(found, access),
        "history_url": reverse("objective_history", args=[found.pk]),
        "problems": problems,
        "said": said or {},
        "retrospective": as_html(found.retrospective) if found.retrospective else "",
        **_check_ins(found),
    }
    return render(request, "programs/objectives/objective.html", context, status=status)


def _parts(found: Objective, progress: ObjectiveProgress) -> list[KeyResultPart]:
    parts = []
    for result in progress.key_results:
        line = key_result_line(result, found)
        drawn = [reverse(name, args=[found.pk, line.pk]) for name in ("key_result_chart", "key_result_chart_csv")]
        no_points = not any(value is not None for _, value in result.points)
        card = ChartCard(
            key=f"key-result-{line.pk}",
            title=line.title,
            info="By week: the 13 weeks before the quarter, and the quarter",
            kind="line",
            data_url=drawn[0],
            csv_url=drawn[1],
            state="hidden" if result.withheld else "no_data" if no_points else "value",
            reason=result.reason or "Nothing was measured yet.",
            span=8,
        )
        parts.append(KeyResultPart(line, card, _ticket_url(found, result.key_result.metric)))
    return parts


def _ticket_url(found: Objective, metric: str) -> str:
    """A new ticket of the objective's improvement plan, filled in."""
    unit = found.unit.slug if found.unit else ""
    said = {"objective": str(found.pk), "unit": unit, "metric": metric}
    return f"{reverse('ticket_new')}?{urlencode({name: value for name, value in said.items() if value})}"


def _related(found: Any) -> dict[str, Link | None]:
    """What it serves, and what it was carried over from; of a goal that the viewer may not see only that it is."""
    parent, before = found.parent, found.carried_from
    served = Link(UNSEEN_OBJECTIVE, "") if parent is not None else None
    if parent is not None and found.sees_parent:
        served = Link(parent.title, reverse("objective", args=[parent.pk]))
    carried = None
    if before is not None and found.sees_carried_from:
        carried = Link(f"{before.quarter}: {before.title}", reverse("objective", args=[before.pk]))
    return {"parent": served, "carried_from": carried}


def _aligned(found: Objective, access: Access) -> list[Objective]:
    seen = Objective.objects.within(access.sight).filter(parent=found.pk, dropped_at=None)
    ordered = seen.select_related("unit", "owner", "quarter", "measure").order_by("unit__name", "pk")
    return list(ordered[:ALIGNED_LISTED])


def _tickets(found: Objective, access: Access) -> Sequence[Any]:
    """Its improvement plan: what is still to do first, by due date."""
    listed = Ticket.objects.within(access.sight).filter(objective=found.pk).select_related("unit", "owner", "effect")
    ordered = listed.order_by("completed_on", "due_on", "pk")[:TICKETS_LISTED]
    return ticket_lines(ordered, access, windows.local_today())


def _check_ins(found: Objective) -> dict[str, Any]:
    listed = list(found.check_ins.select_related("key_result")[:CHECK_INS_LISTED])
    names = names_of_accounts([found.written_by_id, *(each.by_id for each in listed)])
    return {
        "check_ins": [
            CheckInLine(
                names.get(each.by_id or 0, GONE),
                moment(each.at),
                each.get_confidence_display(),
                CONFIDENCE_TONES[each.confidence],
                each.key_result.title if each.key_result else "",
                in_words(each.value, unit_of(each.key_result)) if each.key_result and each.value is not None else "",
                as_html(each.note),
            )
            for each in listed
        ],
        "written": f"{names.get(found.written_by_id or 0, GONE)}, {moment(found.written_at)}",
    }
