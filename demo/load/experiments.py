"""The demo's experiments: a pilot that worked, two that did not, one in progress, and one planned team by team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib.auth.models import User

from demo.load.personas import PERSONAS
from demo.plan.delivery_stories import CACHED_WEEKS
from demo.plan.people import CHECKOUT, DATA, LOGISTICS, MOBILE, PLATFORM, SEARCH, TOOLING
from demo.plan.year import DemoYear
from insights.query import windows
from insights.query.query import Granularity
from orgtree.access.access import access_of
from programs.experiments.services.measuring import measure_experiments
from programs.experiments.services.pilots import measure_pilots
from programs.experiments.services.writing import add_experiment
from programs.models import Experiment


@dataclass(frozen=True, slots=True)
class DemoExperiment:
    """An experiment; `began` counts weeks before this one, and is negative for a planned experiment."""

    title: str
    change: str
    metric: str
    treated: tuple[str, ...]
    compared: tuple[str, ...]
    began: int
    guard_rails: tuple[str, ...] = ()
    step_weeks: int = 0
    learned: str = ""
    is_pilot: bool = False


EXPERIMENTS = (
    DemoExperiment(
        "Pipelines that keep what they install take half as long",
        "The pipeline keeps installed packages, and installs again only when their list changes.",
        "ci.duration", (CHECKOUT, TOOLING), (SEARCH, PLATFORM, DATA, LOGISTICS), CACHED_WEEKS,
        guard_rails=("ci.flaky_rate",), is_pilot=True,
        learned="Half a day of work for each repository. Nobody has missed the clean install so far.",
    ),
    DemoExperiment(
        "Changes of at most 300 lines are enough",
        "A check labels larger pull requests; whoever opens one says why it cannot be split.",
        "pr.size", (CHECKOUT, PLATFORM, TOOLING), (SEARCH, MOBILE, LOGISTICS), 9,
        guard_rails=("pr.pickup_time", "dora.change_failure_rate"),
        learned="Most changes were below the limit before. The label reminds people; it does not need to be stricter.",
    ),
    DemoExperiment(
        "A review rota shortens the wait",
        "A name for every half day; whoever is on duty reviews before coding.",
        "pr.pickup_time", (CHECKOUT, MOBILE, TOOLING), (PLATFORM, LOGISTICS, DATA), 20,
        guard_rails=("pr.size",),
        learned="The rota was forgotten after two weeks. Not worth a second try in this form.",
    ),
    DemoExperiment(
        "Reviews at ten and at three",
        "Everybody looks for open reviews twice a day, before anything else.",
        "pr.review_time", (CHECKOUT, DATA, SEARCH), (PLATFORM, LOGISTICS, MOBILE), 3,
        guard_rails=("pr.size",),
    ),
    DemoExperiment(
        "Agents in pairs shorten the cycle",
        "Two people of a team plan the work of an agent together for two weeks.",
        "pr.cycle_time", (CHECKOUT, DATA, SEARCH), (PLATFORM, LOGISTICS, MOBILE), -2,
        guard_rails=("dora.change_failure_rate", "code.rework_rate"), step_weeks=2,
    ),
)  # fmt: skip


def write_demo_experiments(year: DemoYear, *, today: date) -> None:
    """Plan the demo's experiments as the executive, and judge the finished ones; a second call changes nothing."""
    if year.flavour.is_quiet:
        return
    (executive,) = (persona for persona in PERSONAS if persona.role == "executive")
    access = access_of(User.objects.get(username=executive.email))
    known = set(Experiment.objects.values_list("title", flat=True))
    monday = windows.whole_bucket(today, Granularity.WEEK).start
    for planned in EXPERIMENTS:
        if planned.title not in known:
            add_experiment(
                access,
                {
                    "title": planned.title,
                    "change": planned.change,
                    "unit": "",
                    "owner": executive.email,
                    "metric": planned.metric,
                    "guard_rails": [*planned.guard_rails],
                    "treated": [team.lower() for team in planned.treated],
                    "compared": [team.lower() for team in planned.compared],
                    "starts_on": (monday - timedelta(weeks=planned.began)).isoformat(),
                    "weeks": 8,
                    "step_weeks": planned.step_weeks,
                    "is_pilot": planned.is_pilot,
                    "learned": planned.learned,
                },
            )
    measure_experiments(today=today)
    measure_pilots(today=today)
