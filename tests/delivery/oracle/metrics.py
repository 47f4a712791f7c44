"""Metric key → how it is counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from insights.query.query import Statistic
from tests.delivery.oracle.commits import commits
from tests.delivery.oracle.deliveries import STAGES, Deliveries
from tests.delivery.oracle.figures import Counted, Expected, Question, concentration, share, spread
from tests.delivery.oracle.organisation import REPOSITORIES
from tests.delivery.oracle.pipelines import Runs
from tests.delivery.oracle.pull_requests import PullRequests
from tests.delivery.oracle.segments import Segments
from tests.delivery.oracle.work_items import WorkItems
from tests.delivery.oracle.world import World

DAYS_A_WEEK = 7


class Truth:
    """The countable things of a world; each list is made once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pull_requests = PullRequests(world)
        self.deliveries = Deliveries(world, self.pull_requests)
        self.items = WorkItems(world)
        self.runs = Runs(world)
        self.segments = Segments(world, self.pull_requests, self.deliveries)
        self._made: dict[object, Sequence[Counted]] = {}

    def all(self, which: Which) -> Sequence[Counted]:
        if which not in self._made:
            self._made[which] = which(self)
        return self._made[which]

    @cached_property
    def active(self) -> Sequence[Counted]:
        """People who committed, opened or merged a pull request, reviewed, or finished an item; there are no
        sessions.
        """
        return [
            *commits(self.world),
            *self.pull_requests.opened(),
            *self.pull_requests.merged_where("is_merged"),
            *self.pull_requests.reviews_given(),
            *self.items.done(),
        ]

    def counting(self, key: str) -> Sequence[Counted]:
        """All that enters a metric, whatever its day and whose it is."""
        counting = {**OF_PEOPLE, **OF_OWNERS}[key]
        if isinstance(counting, Standing):
            days = self.world.dates.days()
            return [fact for day in days for fact in counting.on(self, day)]
        whole = [counting.part, counting.whole] if isinstance(counting, Share) else [counting.of]
        return [fact for which in whole for fact in self.all(which)]


Which = Callable[[Truth], Sequence[Counted]]


@dataclass(frozen=True)
class Spread:
    of: Which

    def expected(self, truth: Truth, question: Question, statistic: Statistic) -> Expected:
        return spread(question.of(truth.all(self.of)), statistic)


@dataclass(frozen=True)
class Share:
    part: Which
    whole: Which
    times: float = 100

    def expected(self, truth: Truth, question: Question, _: Statistic) -> Expected:
        return share(question.of(truth.all(self.part)), question.of(truth.all(self.whole)), self.times)


@dataclass(frozen=True)
class Number:
    of: Which

    def expected(self, truth: Truth, question: Question, _: Statistic) -> Expected:
        facts = question.of(truth.all(self.of))
        return Expected(len(facts), len(facts))


@dataclass(frozen=True)
class PerDays:
    """The count ÷ the days of the window that have passed, times `days`; `once_a_day`: several on one day count
    once.
    """

    of: Which
    days: int = 1
    once_a_day: bool = False

    def expected(self, truth: Truth, question: Question, _: Statistic) -> Expected:
        facts = question.of(truth.all(self.of))
        number = len({fact.day for fact in facts}) if self.once_a_day else len(facts)
        return Expected(number / question.days_passed * self.days if question.days_passed else None, number)


@dataclass(frozen=True)
class PerDeveloperAndWeek:
    """The count ÷ active developers ÷ weeks of the window that have begun; unmatched facts count in the numerator.

    The sample is the facts that made them active developers.
    """

    of: Which

    def expected(self, truth: Truth, question: Question, _: Statistic) -> Expected:
        facts = question.of(truth.all(self.of))
        of_developers = [fact for fact in question.of(truth.active) if fact.credited_to not in (None, *REPOSITORIES)]
        developers = {developer.credited_to for developer in of_developers}
        weeks = question.days_passed / DAYS_A_WEEK
        return Expected(len(facts) / len(developers) / weeks if developers else None, len(of_developers))


@dataclass(frozen=True)
class Concentration:
    of: Which

    def expected(self, truth: Truth, question: Question, _: Statistic) -> Expected:
        return concentration(question.of(truth.all(self.of)))


@dataclass(frozen=True)
class Standing:
    """The stock at the end of the window's last day, or today."""

    on: Callable[[Truth, date], Sequence[Counted]]

    def expected(self, truth: Truth, question: Question, _: Statistic) -> Expected:
        if question.window.start > question.today:
            return Expected(None, 0)
        stock = self.on(truth, question.last_day)
        facts = [
            fact for fact in stock if question.is_there(fact.credited_to, fact.day) and question.is_split_off(fact)
        ]
        return Expected(len(facts), len(facts))


Counting = Spread | Share | Number | PerDays | PerDeveloperAndWeek | Concentration | Standing


def _merged(value: str) -> Which:
    return lambda truth: truth.pull_requests.of_merged(value)


def _stage(stage: str) -> Which:
    return lambda truth: truth.pull_requests.of_stage(stage)


def _where(holds: str) -> Which:
    return lambda truth: truth.pull_requests.merged_where(holds)


def _lead_time_stage(stage: str) -> Which:
    return lambda truth: truth.deliveries.stages(stage)


def _deployments(truth: Truth) -> Sequence[Counted]:
    return truth.deliveries.deployments()


def _incidents(truth: Truth) -> Sequence[Counted]:
    return truth.deliveries.incidents()


def _counting_runs(truth: Truth) -> Sequence[Counted]:
    return truth.runs.counting()


def _reviews(truth: Truth) -> Sequence[Counted]:
    return truth.pull_requests.reviews_given()


_MERGED = _where("is_merged")

OF_PEOPLE: Mapping[str, Counting] = {
    "pr.cycle_time": Spread(_merged("cycle")),
    **{f"pr.{stage}_time": Spread(_stage(stage)) for stage in ("coding", "pickup", "review", "merge")},
    "pr.size": Spread(_merged("size")),
    "pr.throughput": Number(_MERGED),
    "pr.unreviewed_rate": Share(_where("is_unreviewed"), _MERGED),
    "pr.self_merged_rate": Share(_where("is_self_merged"), _where("has_merger")),
    "pr.linked_rate": Share(_where("is_linked"), _MERGED),
    "pr.revert_rate": Share(_where("is_reverted"), _MERGED),
    "pr.stale_count": Standing(lambda truth, day: truth.pull_requests.stale_on(day)),
    "ci.wait_per_pull_request": Spread(_merged("waited_for_pipelines")),
    "review.given_per_developer": PerDeveloperAndWeek(_reviews),
    "review.load_concentration": Concentration(_reviews),
    "commit.frequency": PerDeveloperAndWeek(lambda truth: commits(truth.world)),
    "dora.lead_time": Spread(lambda truth: truth.deliveries.lead_times()),
    **{f"dora.lead_time_{stage}": Spread(_lead_time_stage(stage)) for stage in STAGES},
    "pr.deploy_time": Spread(lambda truth: truth.deliveries.deploy_times()),
    "delivery.planning_time": Spread(lambda truth: truth.deliveries.planning_times()),
    "delivery.backlog_time": Spread(lambda truth: truth.deliveries.backlog_times()),
    "delivery.idea_to_production": Spread(lambda truth: truth.deliveries.ideas_to_production()),
    "issue.lead_time": Spread(lambda truth: truth.items.lead_times()),
    "issue.cycle_time": Spread(lambda truth: truth.items.cycle_times()),
}
"""For the unit of the author, reviewer or assignee."""

OF_OWNERS: Mapping[str, Counting] = {
    "dora.deployment_frequency": PerDays(_deployments),
    "dora.deployment_days": PerDays(_deployments, days=DAYS_A_WEEK, once_a_day=True),
    "dora.change_failure_rate": Share(
        lambda truth: truth.deliveries.failed(), lambda truth: truth.deliveries.reaching_users()
    ),
    "dora.recovery_time": Spread(lambda truth: truth.deliveries.recoveries()),
    "dora.rework_rate": Share(lambda truth: truth.deliveries.unplanned(), _deployments),
    "incident.count": Number(_incidents),
    "incident.mttr": Spread(lambda truth: truth.deliveries.resolved()),
    "incident.count_per_deployment": Share(_incidents, _deployments, times=1),
    "ci.duration": Spread(lambda truth: truth.runs.durations()),
    "ci.queue_time": Spread(lambda truth: truth.runs.queue_times()),
    "ci.success_rate": Share(lambda truth: truth.runs.successful(), _counting_runs),
    "ci.flaky_rate": Share(lambda truth: truth.runs.flaky(), _counting_runs),
}
"""For the unit that owns the repository or service."""

COUNTS = {
    "pr.throughput": "pull-requests",
    "pr.stale_count": "pull-requests",
    "dora.deployment_frequency": "deployments",
    "dora.deployment_days": "deployments",
    "incident.count": "incidents",
}
"""Those of which nothing is 0, where their source is connected: with the records that say so."""
