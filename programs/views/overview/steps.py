"""The four steps of the method, and how far the chosen unit is in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q
from django.urls import reverse

from insights import wording
from insights.filters import Filters
from insights.metrics.connected import NO_SOURCE_EVER, OF_NO_PERSON, Source
from insights.metrics.errors import UnknownMetricError
from insights.metrics.registry import get
from insights.views.answers import Answers, Wanted
from programs.models import FocusVersion, Quarter, Standing, TicketState
from programs.queries.benchmarks import HoldingBenchmark
from programs.queries.tickets import TicketFilter, filtered
from programs.views.overview.scoped import scoped

# What tells that a kind of tool is connected: facts of the unit, whatever is configured.
TOOLS: Mapping[str, str] = {
    "pull requests": "pr.throughput",
    "work items": "issue.lead_time",
    "pipelines": "ci.duration",
    "deployments": "dora.deployment_frequency",
    "coding agents": "ai.sessions",
}
INCIDENTS, INCIDENT_COUNT = "incidents", "incident.count"
# A unit without an incident of its own is told of those that there are: that it had none is what one hopes for.
NOT_TOLD = (NO_SOURCE_EVER[Source.INCIDENTS], OF_NO_PERSON)
FOR_DORA = ("pull requests", "deployments", INCIDENTS)
DORA = (
    *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
    "dora.rework_rate",
)
ENOUGH_BENCHMARKS = 3  # of the five: with fewer nobody knows where to be
NAMED = 3
WANTED = tuple(Wanted(key, whole=True) for key in (*TOOLS.values(), INCIDENT_COUNT))


@dataclass(frozen=True)
class Step:
    """One of the four.  `state` is done, here (where one is), or next."""

    number: int
    title: str
    state: str
    tag: str
    tone: str
    text: str
    note: str
    url: str


@dataclass(frozen=True)
class Doing:
    """What is being done: objectives by standing, and tickets."""

    objectives: Mapping[str, int]
    tickets: int
    overdue: int
    finished: int  # in the quarter

    @property
    def begun(self) -> bool:
        return bool(sum(self.objectives.values()) or self.tickets or self.finished)


def steps(
    answers: Answers,
    benchmarks: Mapping[str, HoldingBenchmark],
    focus: FocusVersion | None,
    doing: Doing,
    quarter: Quarter,
) -> list[Step]:
    """In the order of the method.  One is where the first stands that is not done."""
    drafts = [
        _visibility(answers),
        _benchmarks(benchmarks, answers.filters),
        _next_target(focus, answers.filters),
        _iterate(doing, quarter, answers.filters),
    ]
    here = next((position for position, (done, _) in enumerate(drafts) if not done), len(drafts) - 1)
    found = []
    for position, (done, step) in enumerate(drafts):
        state = "here" if position == here else "done" if done else "next"
        found.append(Step(position + 1, step["title"], state, step["tag"], step["tone"], *_texts(step)))
    return found


Draft = Mapping[str, str]


def _texts(step: Draft) -> tuple[str, str, str]:
    return step["text"], step["note"], step["url"]


def _visibility(answers: Answers) -> tuple[bool, Draft]:
    told = {tool: bool(answers.figure(key).sample_size) for tool, key in TOOLS.items()}
    told[INCIDENTS] = answers.figure(INCIDENT_COUNT).reason not in NOT_TOLD
    missing = [tool for tool, is_told in told.items() if not is_told]
    for_dora = [tool for tool in FOR_DORA if not told[tool]]
    span = wording.span(answers.filters.window)
    have = [tool for tool, is_told in told.items() if is_told]
    text = f"{wording.listed(have).capitalize()} are told of in the last {span}." if have else "Nothing is told of yet."
    if for_dora:
        note = f"DORA still needs {wording.listed(for_dora)}."
    elif missing:
        note = f"Nothing of {wording.listed(missing)}."
    else:
        note = "All that DORA needs is there."
    draft = {
        "title": "Get visibility",
        "tag": f"{len(have)} of {len(told)}",
        "tone": "good" if not missing else "watch" if for_dora else "",
        "text": text,
        "note": note,
        "url": reverse("integrations"),
    }
    return not for_dora, draft


def _benchmarks(found: Mapping[str, HoldingBenchmark], filters: Filters) -> tuple[bool, Draft]:
    of_dora = [key for key in DORA if key in found]
    own = sum(each.is_own for each in found.values())
    if not found:
        text, note = "Nothing was agreed on yet: where should we be, where do we want to be?", ""
    else:
        text = f"{wording.count(len(found), 'metric')} with a threshold or target, {len(of_dora)} of the five of DORA."
        note = f"{own:,} agreed for this unit, {len(found) - own:,} from above." if filters.scope.unit else ""
    draft = {
        "title": "Set benchmarks",
        "tag": f"{len(of_dora)} of {len(DORA)} DORA",
        "tone": "good" if len(of_dora) == len(DORA) else "",
        "text": text,
        "note": note,
        "url": scoped(filters, "benchmarks"),
    }
    return len(of_dora) >= ENOUGH_BENCHMARKS, draft


def _next_target(focus: FocusVersion | None, filters: Filters) -> tuple[bool, Draft]:
    chosen = focus.metric if focus else ""
    indicators = [_name(key) for key in focus.indicators] if focus else []
    text = f"Focus: {_name(chosen)}." if chosen else "No focus metric is chosen: one thing at a time."
    more = f" and {len(indicators) - NAMED} more" if len(indicators) > NAMED else ""
    note = f"Key indicators: {', '.join(indicators[:NAMED])}{more}." if indicators else "No key indicators yet."
    draft = {
        "title": "Set the next target",
        "tag": wording.count(len(indicators), "indicator") if indicators else "Open",
        "tone": "good" if chosen and indicators else "",
        "text": text,
        "note": note,
        "url": scoped(filters, "focus"),
    }
    return bool(chosen), draft


def _iterate(doing: Doing, quarter: Quarter, filters: Filters) -> tuple[bool, Draft]:
    number = sum(doing.objectives.values())
    at_risk = doing.objectives.get(Standing.AT_RISK, 0) + doing.objectives.get(Standing.OFF_TRACK, 0)
    parts = [f"{wording.count(number, 'objective')} in {quarter}", f"{wording.count(doing.tickets, 'ticket')} to do"]
    notes = [f"{at_risk:,} at risk or off track" if at_risk else "", f"{doing.finished:,} finished this quarter"]
    draft = {
        "title": "Iterate",
        "tag": f"{doing.overdue:,} late" if doing.overdue else "On time" if doing.begun else "Not begun",
        "tone": "bad" if doing.overdue else "good" if doing.begun else "",
        "text": f"{wording.listed(parts)}." if doing.begun else "No objective and no ticket yet.",
        "note": f"{', '.join(filter(None, notes))}.".capitalize() if doing.begun else "",
        "url": scoped(filters, "objectives"),
    }
    return doing.begun, draft


def doing_in(filters: Filters, quarter: Quarter, objectives: Mapping[str, int], today: date) -> Doing:
    """One query, for the tickets."""
    narrowed = TicketFilter(unit=filters.scope.unit, state="all")
    standing = ~Q(state__in=(TicketState.DONE, TicketState.DROPPED))
    counted = (
        filtered(narrowed, filters.access.sight, today=today)
        .order_by()
        .aggregate(
            standing=Count("pk", filter=standing),
            overdue=Count("pk", filter=standing & Q(due_on__lt=today)),
            finished=Count(
                "pk",
                filter=Q(state=TicketState.DONE, completed_on__gte=quarter.start, completed_on__lt=quarter.end),
            ),
        )
    )
    return Doing(objectives, counted["standing"], counted["overdue"], counted["finished"])


def _name(key: str) -> str:
    try:
        return get(key).name
    except UnknownMetricError:
        return f"{key}, which is gone"
