"""The page of a closed quarter, rendered only from its frozen document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.markdown import as_html
from core.page_links import page_links, read_page
from core.views import page_view, record_view
from insights.privacy.scope_access import access_in
from insights.ui import wording
from insights.ui.amounts import amount_text
from insights.ui.scope_bar import unit_name
from insights.ui.wording import moment
from orgtree.access.who_sees import GONE, AccountNames
from orgtree.models import Person
from programs.closing.services.frozen import (
    FrozenCheckIn,
    FrozenKeyResult,
    FrozenObjective,
    FrozenQuarter,
    read_frozen,
)
from programs.closing.services.restated import Restated, restated_results
from programs.history.events import names_of_accounts
from programs.objectives.pages.bar import ObjectiveBar
from programs.objectives.pages.labels import (
    CONFIDENCE_LABELS,
    GUARDRAIL_BROKEN,
    GUARDRAIL_HOLDS,
    HIDDEN,
    TAGS,
    StatusTag,
)
from programs.objectives.pages.page import CONFIDENCE_TONES, CheckInLine
from programs.requests.visible import known_quarter

PAGE_SIZE = 25
CARRIED = {"carry": "Carried over", "end": "Ended with the quarter", "undecided": "Ended with the quarter"}


@dataclass(frozen=True)
class FrozenLine:
    """An objective as it was when the quarter was closed, with people's current names."""

    objective: FrozenObjective
    owner: str
    tag: StatusTag
    bar: ObjectiveBar
    carried: str
    results: Sequence[tuple[FrozenKeyResult, StatusTag, str]]  # the last item is today's value, if it differs
    check_ins: Sequence[CheckInLine]
    tickets: str


@page_view
def quarters(request: HttpRequest) -> HttpResponse:
    """Redirects to the list of objectives, where a quarter can be chosen."""
    return redirect("objectives")


@record_view
def quarter(request: HttpRequest, start: str) -> HttpResponseBase:
    """The frozen document of a closed quarter; an open one redirects to its list."""
    record = known_quarter(start)
    if record.document is None:
        return redirect(f"{reverse('objectives')}?quarter={record.start}")
    frozen = read_frozen(record.document, access_in(request))
    ordered = sorted(
        frozen.objectives,
        key=lambda one: (one.unit is not None, one.unit.name.casefold() if one.unit else "", one.id),
    )
    wants_all = "all" in request.GET
    page = Paginator(ordered, max(1, len(ordered)) if wants_all else PAGE_SIZE).get_page(read_page(request))
    shown = list(page.object_list)
    accounts = names_of_accounts(
        [frozen.closed_by, *(check_in.account for objective in shown for check_in in objective.check_ins)]
    )
    restated = restated_results(shown, frozen.quarter.window, access_in(request))
    lines = _lines(shown, accounts, restated)
    tags = Counter(_tag(objective) for objective in frozen.objectives if not objective.is_dropped)
    context: dict[str, Any] = {
        "frozen": frozen,
        "days": wording.days(frozen.quarter.window),
        "closed": f"{moment(frozen.closed_at)} by {accounts[frozen.closed_by]}",
        "counts": [(tag, tags[tag]) for tag in (*TAGS.values(), HIDDEN) if tags[tag]],
        "by_unit": [
            (unit, list(of_unit)) for unit, of_unit in groupby(lines, key=lambda line: unit_name(line.objective.unit))
        ],
        "teams": _teams(frozen),
        "list_url": f"{reverse('objectives')}?quarter={record.start}",
        "all_url": "?all=1" if page.has_other_pages() else "",
        **page_links(page, lambda number: f"?page={number}"),
        **_reached(frozen),
    }
    return render(request, "programs/objectives/frozen.html", context)


def _lines(
    shown: Sequence[FrozenObjective], accounts: AccountNames, restated: Mapping[int, Restated]
) -> list[FrozenLine]:
    owners = {objective.owner for objective in shown if objective.owner is not None}
    people = dict(Person.objects.filter(pk__in=owners).values_list("pk", "full_name"))
    return [_line(objective, people, accounts, restated) for objective in shown]


def _teams(frozen: FrozenQuarter) -> str:
    """Team names such as “Berlin (4), Kolkata (2) and Search”: teams of different units can share a name."""
    named = Counter(team.name for team in frozen.teams_without_objective)
    return wording.listed([f"{name} ({number})" if number > 1 else name for name, number in sorted(named.items())])


def _reached(frozen: FrozenQuarter) -> dict[str, int]:
    pursued = [objective for objective in frozen.objectives if not objective.is_dropped]
    return {
        "objectives": len(pursued),
        "dropped": len(frozen.objectives) - len(pursued),
        "carried": sum(objective.carry_over == "carry" for objective in pursued),
    }


def _line(
    objective: FrozenObjective,
    people: Mapping[int, str],
    accounts: AccountNames,
    restated: Mapping[int, Restated],
) -> FrozenLine:
    titles = {result.id: result for result in objective.key_results}
    done = sum(ticket.state == "done" for ticket in objective.tickets)
    return FrozenLine(
        objective,
        owner="" if objective.owner is None else people.get(objective.owner, GONE),
        tag=_tag(objective),
        bar=_bar(objective),
        carried="" if objective.is_dropped else CARRIED.get(objective.carry_over, ""),
        results=[
            (result, _result_tag(result), _restated_text(result, restated.get(result.id)))
            for result in objective.key_results
        ],
        check_ins=[_check_in(check_in, titles, accounts) for check_in in objective.check_ins],
        tickets=f"{done:,} of {wording.count(len(objective.tickets), 'ticket')} done" if objective.tickets else "",
    )


def _tag(objective: FrozenObjective) -> StatusTag:
    return HIDDEN if objective.is_of_few else TAGS[objective.standing]


def _bar(objective: FrozenObjective) -> ObjectiveBar:
    """The progress bar of a frozen objective; if it has a single outcome, in the values of that outcome."""
    outcomes = [result for result in objective.key_results if not result.is_guardrail]
    score = "no score" if objective.score is None else f"score {objective.score:.2f}"
    if len(outcomes) == 1:
        outcome, unit = outcomes[0], outcomes[0].unit_of_measure
        baseline, target = _amount(outcome.baseline, unit), _amount(outcome.target, unit)
        now = f"ended at {_amount(outcome.value, unit)}" if outcome.value is not None else "no value"
        return ObjectiveBar(
            f"o{objective.id}", baseline, target, now, f"From {baseline} to {target}, {now}.", objective.progress
        )
    return ObjectiveBar(f"o{objective.id}", "0%", "100%", score, f"{score.capitalize()}.", objective.progress)


def _result_tag(result: FrozenKeyResult) -> StatusTag:
    if result.is_guardrail and result.holds is not None:
        return GUARDRAIL_HOLDS if result.holds else GUARDRAIL_BROKEN
    return HIDDEN if result.withheld else TAGS[result.standing]


def _restated_text(result: FrozenKeyResult, restated: Restated | None) -> str:
    if restated is None:
        return ""
    unit, version = result.unit_of_measure, result.metric_version
    return restated_text(restated, value=result.value, unit=unit, version=version, sample_size=result.sample_size)


def _check_in(check_in: FrozenCheckIn, titles: Mapping[int, FrozenKeyResult], accounts: AccountNames) -> CheckInLine:
    about = titles.get(check_in.key_result or 0)
    return CheckInLine(
        who=accounts[check_in.account],
        at=moment(check_in.at),
        confidence=CONFIDENCE_LABELS.get(check_in.confidence, check_in.confidence_label),
        tone=CONFIDENCE_TONES.get(check_in.confidence, ""),
        about=about.title if about else "",
        value=_amount(check_in.value, about.unit_of_measure) if about and check_in.value is not None else "",
        html=as_html(check_in.note),
    )


def restated_text(restated: Restated, *, value: float | None, unit: str, version: int | None, sample_size: int) -> str:
    """Today's value next to the frozen `value`, formula `version` and `sample_size`; empty if both read the same."""
    if restated.figure is None:
        return "hidden: the two values would reveal few people"
    today = _amount(restated.figure.value, unit, "no data")
    if today == _amount(value, unit):
        return ""
    if restated.version != version:
        return f"{today} today (formula version {restated.version})"
    now = restated.figure.sample_size
    return f"{today} today (sample {now:,}, was {sample_size:,})" if sample_size != now else f"{today} today"


def _amount(value: float | None, unit: str, missing: str = "–") -> str:
    return missing if value is None else amount_text(value, unit)
