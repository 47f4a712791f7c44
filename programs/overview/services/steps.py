"""The unit's progress in the four steps of the method, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import Count, Q

from insights.engine.connected import NO_SOURCE_EVER, OF_NO_PERSON, Source
from insights.pages.answers import Answers, InsightsPage, PageQuery
from insights.ui.filters import Filters
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark, benchmarks_for, focus_of_units
from programs.models import ObjectiveStatus, Quarter, TicketState
from programs.objectives.queries.filters import ObjectiveFilters
from programs.tickets.queries import TicketFilters

PROGRAM_PAGE = InsightsPage("program")
# The metrics whose data show that a kind of tool is connected: facts of the unit, whatever is configured.
TOOLS: Mapping[str, str] = {
    "pull requests": "pr.throughput",
    "work items": "issue.lead_time",
    "pipelines": "ci.duration",
    "deployments": "dora.deployment_frequency",
    "coding agents": "ai.sessions",
}
INCIDENTS, INCIDENT_COUNT = "incidents", "incident.count"
# A unit without incidents looks at those of other units: having none of its own is the desired state.
NO_INCIDENT_SOURCE = (NO_SOURCE_EVER[Source.INCIDENTS], OF_NO_PERSON)
FOR_DORA = ("pull requests", "deployments", INCIDENTS)
DORA = (
    *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
    "dora.rework_rate",
)
ENOUGH_BENCHMARKS = 3  # of the five; fewer do not describe a goal
WANTED = tuple(PageQuery(key, whole=True) for key in (*TOOLS.values(), INCIDENT_COUNT))
StepState = Literal["done", "here", "next"]


@dataclass(frozen=True)
class VisibilityStep:
    """The kinds of tools that sent data of the unit in the window."""

    provided: Sequence[str]
    missing: Sequence[str]

    @property
    def missing_for_dora(self) -> list[str]:
        return [tool for tool in FOR_DORA if tool in self.missing]

    @property
    def is_done(self) -> bool:
        return not self.missing_for_dora


@dataclass(frozen=True)
class Agreed:
    """The number of metrics with a benchmark, own and inherited, and which of the five DORA metrics have one."""

    own: int
    inherited: int
    of_dora: Sequence[str]

    @property
    def number(self) -> int:
        return self.own + self.inherited

    @property
    def is_done(self) -> bool:
        return len(self.of_dora) >= ENOUGH_BENCHMARKS


@dataclass(frozen=True)
class NextTarget:
    """Keys of metrics; an empty `metric` means no focus."""

    metric: str
    indicators: Sequence[str]

    @property
    def is_done(self) -> bool:
        return bool(self.metric)


@dataclass(frozen=True)
class TicketCounts:
    tickets: int  # to do
    overdue: int
    finished: int  # in the quarter


@dataclass(frozen=True)
class Iteration(TicketCounts):
    """Work in progress: tickets, and objectives by status."""

    objectives: Mapping[str, int]

    @property
    def objectives_in_danger(self) -> int:
        return self.objectives.get(ObjectiveStatus.AT_RISK, 0) + self.objectives.get(ObjectiveStatus.OFF_TRACK, 0)

    @property
    def is_done(self) -> bool:
        """Whether anything was started: this step never ends."""
        return bool(sum(self.objectives.values()) or self.tickets or self.finished)


@dataclass(frozen=True)
class Steps:
    """The steps of the method, in order."""

    visibility: VisibilityStep
    agreed: Agreed
    next_target: NextTarget
    doing: Iteration

    @property
    def states(self) -> list[StepState]:
        """The state of each step; the first unfinished one is "here", and finished ones after it count as done."""
        done = [step.is_done for step in (self.visibility, self.agreed, self.next_target, self.doing)]
        here = done.index(False) if False in done else len(done) - 1
        return ["here" if number == here else "done" if is_done else "next" for number, is_done in enumerate(done)]


def steps_of(filters: Filters, unit_id: int | None, quarter: Quarter) -> Steps:
    """The four steps for the filters' scope, whose unit has that id (None: the whole organisation)."""
    page_answers = PROGRAM_PAGE.read(filters, WANTED)
    of_unit = {"unit": filters.scope.unit}
    objectives = ObjectiveFilters.of_quarter(quarter, of_unit, filters.access, today=filters.today)
    tickets = ticket_counts(filters, quarter)
    benchmarks = benchmarks_for(None, unit_id, filters.access.visibility)
    focus = focus_of_units([unit_id]).get(unit_id)
    return Steps(
        visibility=_visibility_step(page_answers),
        agreed=_agreed(benchmarks),
        next_target=NextTarget(focus.metric if focus else "", tuple(focus.indicators) if focus else ()),
        doing=Iteration(tickets.tickets, tickets.overdue, tickets.finished, objectives.count_by_status()),
    )


def ticket_counts(filters: Filters, quarter: Quarter) -> TicketCounts:
    """The numbers of tickets, in one query."""
    of_unit = TicketFilters({"unit": filters.scope.unit}, filters.access, today=filters.today)
    still_open = ~Q(state__in=(TicketState.DONE, TicketState.DROPPED))
    counted = of_unit.qs.order_by().aggregate(
        standing=Count("pk", filter=still_open),
        overdue=Count("pk", filter=still_open & Q(due_on__lt=filters.today)),
        finished=Count(
            "pk",
            filter=Q(state=TicketState.DONE, completed_on__gte=quarter.start, completed_on__lt=quarter.end),
        ),
    )
    return TicketCounts(counted["standing"], counted["overdue"], counted["finished"])


def _visibility_step(answers: Answers) -> VisibilityStep:
    sends = {tool: bool(answers.figure(key).sample_size) for tool, key in TOOLS.items()}
    sends[INCIDENTS] = answers.figure(INCIDENT_COUNT).reason not in NO_INCIDENT_SOURCE
    return VisibilityStep(
        provided=[tool for tool, sends_it in sends.items() if sends_it],
        missing=[tool for tool, sends_it in sends.items() if not sends_it],
    )


def _agreed(benchmarks: Mapping[str, EffectiveBenchmark]) -> Agreed:
    own = sum(benchmark.is_own for benchmark in benchmarks.values())
    return Agreed(own, len(benchmarks) - own, [key for key in DORA if key in benchmarks])
