"""The demo's year of objectives: what it tells can be written, its quarters are closed once, and a gap is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import User

from demo.load.objective_texts import OBJECTIVES, PLANS
from demo.load.objectives import plan_demo_objectives, write_demo_objectives
from demo.load.personas import open_demo_accounts
from demo.load.roadmap import write_demo_roadmap
from demo.load.tickets import TICKETS
from demo.plan.people import CHECKOUT, DATA, MOBILE, PEOPLE, PLATFORM, SEARCH, TOOLING
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from insights.catalogue.registry import get
from insights.query.windows import local_today
from orgtree.access.access import access_of
from programs.closing.services.frozen import read_frozen
from programs.models import CheckIn, FrozenDocument, Objective, ObjectiveTemplate, Quarter, RoadmapIntent, Ticket
from programs.quarters.fiscal_quarters import current_quarter, quarters_from
from programs.roadmaps.queries.team_roadmap import team_roadmap
from programs.teams.queries import teams_without_objective
from tests.org import Org

END = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
TEAMS = (CHECKOUT, SEARCH, PLATFORM, MOBILE, DATA, TOOLING)


@pytest.fixture(autouse=True)
def in_november() -> Iterator[None]:
    with time_machine.travel(END, tick=False):
        yield


@pytest.fixture
def teams(org: Org) -> None:
    """Each of the demo's teams with two of its people, and no facts at all."""
    org.tree("departments")
    for team in TEAMS:
        org.unit(team, below="departments")
        for person in [member for member in PEOPLE if member.team == team][:2]:
            org.join(person.email, team.lower())
    open_demo_accounts()


def year(flavour: Flavour = Flavour.STORIES) -> DemoYear:
    return DemoYear(seed=1, flavour=flavour, anchor=END)


def test_what_it_tells_names_metrics_that_there_are() -> None:
    for objective in OBJECTIVES:
        assert 1 <= len(objective.key_results) <= 5
        assert any(result.get("target_kind") != "guardrail" for result in objective.key_results)
        for key_result in objective.key_results:
            if key_result.get("metric"):
                assert not get(key_result["metric"]).always_by
    mandatory = [(planned.ago, planned.team) for planned in OBJECTIVES if planned.is_mandatory]
    assert len(mandatory) == len(set(mandatory)), "one for each team and quarter"
    assert {planned.ago for planned in OBJECTIVES} == {0, 1, 2, 3}


@pytest.mark.usefixtures("teams")
def test_it_is_written_once_also_where_metrics_tell_of_nothing() -> None:
    """Without facts there is no baseline to change by percent: what is entered by hand is left of it."""
    write_demo_objectives(year(), today=local_today())
    written = list(Objective.objects.order_by("pk").values())
    check_ins = list(CheckIn.objects.order_by("pk").values())
    write_demo_objectives(year(), today=local_today())
    assert list(Objective.objects.order_by("pk").values()) == written
    assert list(CheckIn.objects.order_by("pk").values()) == check_ins
    assert FrozenDocument.objects.count() == 3
    assert [str(quarter) for quarter in Quarter.objects.filter(closed_at=None, start__lt=current_quarter().start)] == []
    erin = access_of(User.objects.get(username="erin.executive@example.com"))
    objectives = [
        objective for document in FrozenDocument.objects.all() for objective in read_frozen(document, erin).objectives
    ]
    assert [objective.title for objective in objectives] == ["Agents know our conventions"]
    assert objectives[0].score == 1.0
    assert objectives[0].retrospective
    running = Objective.objects.get(title="Catch defects before users do")
    assert running.key_results.get().hand_value == 3.9
    assert running.check_ins.count() == 3
    missing = teams_without_objective(current_quarter(), erin.visibility, today=local_today())
    assert MOBILE in {unit.name for unit in missing}
    assert CHECKOUT not in {unit.name for unit in missing}


@pytest.mark.usefixtures("teams")
def test_objectives_of_this_quarter_have_a_plan() -> None:
    assert set(PLANS) <= {objective.title for objective in OBJECTIVES if objective.ago == 0 or objective.carried}
    assert {title for titles in PLANS.values() for title in titles} <= {written.title for written in TICKETS}
    write_demo_objectives(year(), today=local_today())
    for demo_ticket in TICKETS:
        Ticket.objects.create(
            title=demo_ticket.title, kind=demo_ticket.kind, starts_on=local_today(), due_on=local_today()
        )
    for _ in range(2):
        plan_demo_objectives()
    planned = Objective.objects.get(title="Catch defects before users do").tickets.values_list("title", flat=True)
    assert set(planned) == set(PLANS["Catch defects before users do"])


@pytest.mark.usefixtures("teams")
def test_the_quiet_flavour_has_none() -> None:
    write_demo_objectives(year(Flavour.QUIET), today=local_today())
    assert not Objective.objects.exists()


@pytest.mark.usefixtures("teams")
def test_the_roadmap_ahead_is_planned_once_and_leaves_the_gap_of_this_quarter_alone() -> None:
    write_demo_objectives(year(), today=local_today())
    write_demo_roadmap(year(), today=local_today())
    planned = list(RoadmapIntent.objects.order_by("pk").values())
    write_demo_roadmap(year(), today=local_today())
    assert list(RoadmapIntent.objects.order_by("pk").values()) == planned
    assert set(RoadmapIntent.objects.values_list("template", flat=True)) <= {
        "",
        *ObjectiveTemplate.objects.values_list("slug", flat=True),
    }
    erin = access_of(User.objects.get(username="erin.executive@example.com"))
    quarters = quarters_from(Quarter.objects.all(), local_today(), 4)
    gaps = {(row.unit.name if row.unit else "", str(cell.quarter)) for row, cell in team_roadmap(quarters, erin).gaps}
    assert (MOBILE, str(current_quarter())) in gaps
    assert {quarter for _, quarter in gaps} == {str(current_quarter())}
