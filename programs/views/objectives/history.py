"""Every change of an objective and of its key results, as the database's history has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from insights import windows, wording
from insights.scope_access import access_in
from insights.views.annotations.words import GONE, moment
from insights.views.metric_panel import is_panel
from orgtree.models.sight import Sight
from orgtree.services.access import Access
from orgtree.services.authorship import account_of
from programs.models import KeyResult, Objective, Standing, TargetKind
from programs.queries.objectives import progress_of
from programs.services.objectives.writing import may_change
from programs.views.history import NOTHING, NamesOfToday, events_of, together
from programs.views.objectives.amounts import in_words, unit_of
from programs.views.objectives.page import visible_objective
from programs.views.tickets.words import Difference, names_of_accounts

OBJECTIVE_FIELDS = {
    "title": "Objective",
    "description": "Description",
    "unit_id": "Unit",
    "owner_id": "Owner",
    "is_mandatory": "The team's objective",
    "parent_id": "Serves",
    "published_at": "Published",
    "dropped_at": "Dropped",
    "dropped_why": "Why it was dropped",
    "override": "Standing set by hand",
    "override_reason": "Why it was set",
    "carry_over": "When the quarter ends",
    "retrospective": "What was learned",
}
KEY_RESULT_FIELDS = {
    "title": "title",
    "metric": "metric",
    "statistic": "statistic",
    "better": "direction",
    "target_kind": "kind of target",
    "baseline": "baseline",
    "target": "target",
    "hand_value": "value",
    "final_value": "final value",
}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "override": dict(Standing.choices),
    "carry_over": dict(Objective.CarryOver.choices),
    "better": dict(KeyResult.Better.choices),
    "target_kind": dict(TargetKind.choices),
}
AMOUNTS = ("baseline", "target", "hand_value", "final_value")
TOLD = 200  # characters of a long text; the whole one is on the page


@dataclass(frozen=True)
class HistoryLine:
    """What one account changed in one step."""

    who: str
    at: str
    what: Sequence[str]  # "Added", "Key result “…” added"
    differences: Sequence[Difference]


@dataclass(frozen=True)
class _Step:
    at: datetime
    order: tuple[datetime, bool, int]  # of one step the objective itself comes first
    together: object  # what was changed in one transaction stands together
    account: int | None
    what: str
    differences: Sequence[Difference]


@login_required
@never_cache
@require_GET
def objective_history(request: HttpRequest, pk: int) -> HttpResponse:
    """A part of the objective's page, and a page of its own."""
    found, access = visible_objective(request, pk), access_in(request)
    context = {"objective": found, "history": history_of(found, access)}
    part = "programs/objectives/_history.html"
    return render(request, part if is_panel(request) else "programs/objectives/history.html", {**context, "part": part})


def told_amounts(objective: Objective, access: Access) -> Callable[[Any], bool]:
    """Whether the baselines and targets of a key result (an event of it) are shown: where the page shows them, too.

    Of one that was removed, and of what was hidden, only those who write for the objective are told.
    """
    if may_change(access.sight, objective):
        return lambda event: True
    [progress] = progress_of([objective], access, today=windows.local_today())
    shown = {
        each.key_result.pk
        for each in progress.key_results
        if not each.withheld
        and each.target is not None
        and (each.baseline is not None or each.key_result.baseline is None)
    }
    return lambda event: not event.metric or event.pgh_obj_id in shown


def history_of(objective: Objective, access: Access) -> list[HistoryLine]:
    """The latest first."""
    told = told_amounts(objective, access)
    of_objective = events_of("ObjectiveEvent", pgh_obj=objective.pk)
    of_results = events_of("KeyResultEvent", objective=objective.pk)
    words = _Words(of_objective, access.sight)
    steps = [*_objective_steps(of_objective, words), *_key_result_steps(of_results, told)]
    steps.sort(key=lambda step: step.order)
    names = names_of_accounts(step.account for step in steps)
    lines = []
    for (_, account), at_once in groupby(steps, key=lambda step: (step.together, step.account)):
        same = list(at_once)
        who = "Headway" if account is None else names.get(account, GONE)
        what = [step.what for step in same if step.what]
        lines.append(HistoryLine(who, moment(same[0].at), what, [each for step in same for each in step.differences]))
    return lines[::-1]


def _objective_steps(events: Sequence[Any], words: _Words) -> Iterator[_Step]:
    for position, event in enumerate(events):
        before = events[position - 1] if position else None
        differences = (
            [
                Difference(label, words.word(name, before), words.word(name, event))
                for name, label in OBJECTIVE_FIELDS.items()
                if getattr(before, name) != getattr(event, name)
            ]
            if before
            else []
        )
        if before is None or differences:
            yield _step(event, "" if before else "Written", differences)


def _key_result_steps(events: Sequence[Any], told: Callable[[Any], bool]) -> Iterator[_Step]:
    latest: dict[int, Any] = {}
    for event in events:
        before = latest.get(event.pgh_obj_id)
        latest[event.pgh_obj_id] = event
        if event.pgh_label == "delete":
            yield _step(event, f"Key result “{event.title}” removed", ())
        elif before is None:
            yield _step(event, f"Key result “{event.title}”, target {_result_word('target', event, told)}", ())
        else:
            differences = [
                Difference(f"{event.title}, {label}", _result_word(name, before, told), _result_word(name, event, told))
                for name, label in KEY_RESULT_FIELDS.items()
                if getattr(before, name) != getattr(event, name)
            ]
            if differences:
                yield _step(event, "", differences)


def _step(event: Any, what: str, differences: Sequence[Difference]) -> _Step:
    order = (event.pgh_created_at, hasattr(event, "objective_id"), event.pgh_id)
    return _Step(event.pgh_created_at, order, together(event), account_of(event), what, differences)


def _result_word(name: str, event: Any, told: Callable[[Any], bool]) -> str:
    value = getattr(event, name)
    if name in AMOUNTS:
        if not told(event):
            return "hidden"
        return NOTHING if value is None else in_words(value, unit_of(event))
    return str(CHOICES.get(name, {}).get(value, value)) or NOTHING


class _Words:
    """Values of the history in words."""

    def __init__(self, events: Sequence[Any], sight: Sight) -> None:
        self._names = NamesOfToday(events, sight, objective="parent_id")

    def word(self, name: str, event: Any) -> str:
        value = getattr(event, name)
        if self._names.tell_of(name):
            return self._names.name(name, value)
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if isinstance(value, datetime):
            return moment(value)
        if isinstance(value, date):
            return wording.day(value)
        if isinstance(value, float):
            return f"{value:.2f}"
        text = str(CHOICES.get(name, {}).get(value, value) or NOTHING)
        return text if len(text) <= TOLD else f"{text[:TOLD].rstrip()}…"
