"""The home page by role: what waits for whom, and which goals concern them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext

from insights.columns.refresh import refresh
from insights.query import windows
from orgtree.models import Person, Unit
from orgtree.trees.units import set_leader
from programs.closing.services.frozen import stored_document
from programs.models import Objective, ObjectiveStatus
from programs.objectives.pages.labels import TAGS, objective_line
from programs.objectives.queries.objectives import progress_of
from programs.report.queries import quarter_named
from programs.report.services.document import ReportDocument
from programs.report.services.freezing import freeze_report
from tests.org import Org
from tests.pages.delivering import REPOSITORY, day_before, records
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, FINANCE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.programs.agreements import agree
from tests.programs.objectives import objective, stored
from tests.programs.tickets import as_, ticket
from tests.teams import create_teams

MOST_QUERIES, MOST_OF_DECISIONS = 16, 18  # with two for the report
PART = "/programs/parts/home/"


@pytest.fixture(autouse=True)
def teams(org: Org) -> Org:
    create_teams()
    return org


def program(client: Client) -> Any:
    """The section of the program, which the page asks for once it stands; None where there is none."""
    page = client.get("/?home=page")
    assert page.status_code == 200
    assert f'hx-get="{PART}?' in page.content.decode()
    part = client.get(PART, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert bool(part.content.strip()) == (part.context["section"] is not None)
    return part.context["section"]


def test_every_role_sees_its_open_tasks_and_goals(sign_in: Callable[[Persona], Client]) -> None:
    ticket(title="Reviews wait")
    objective(title="Of Platform", is_mandatory=True)
    objective(EXECUTIVE, title="Of Search", unit="search")
    objective(EXECUTIVE, title="Of Engineering", unit="engineering")
    objective(EXECUTIVE, title="Of everybody", unit=None)
    objective(title="A draft", publish=False)

    def seen(persona: Persona) -> tuple[list[str], list[str]]:
        section = program(sign_in(persona))
        return [line.title for line in section["work"].lines], [line.objective.title for line in section["objectives"]]

    work, goals = seen(MEMBER)
    assert work == ["Reviews wait"]
    assert set(goals) == {"Of everybody", "Of Engineering", "Of Platform"}, "never those of another team"
    work, goals = seen(OTHER_MEMBER)
    assert (work, set(goals)) == ([], {"Of everybody", "Of Engineering", "Of Search"})
    work, goals = seen(MANAGER)
    assert goals == ["Of Platform"]
    work, _ = seen(EXECUTIVE)
    assert work == ["1 team without an objective this quarter"], "Search has one, and none on which it will not give up"
    assert "A draft" not in str([seen(persona) for persona in (MEMBER, EXECUTIVE)])


def test_a_manager_sees_the_goals_of_all_their_units_in_whichever_tree(
    org: Org, sign_in: Callable[[Persona], Client]
) -> None:
    org.tree("sites")
    org.unit("berlin", below="sites")
    set_leader(Unit.objects.get(slug="berlin"), Person.objects.get(email=MANAGER.email))
    objective(EXECUTIVE, title="Of Berlin", unit="berlin")
    objective(EXECUTIVE, title="Of Search", unit="search")
    section = program(sign_in(MANAGER))
    assert [line.objective.title for line in section["objectives"]] == ["Of Berlin"]


def test_members_without_work_or_goals_see_no_section(sign_in: Callable[[Persona], Client]) -> None:
    assert program(sign_in(MEMBER)) is None
    assert program(sign_in(ADMIN)) is not None, "two teams lack their objective"


def test_it_takes_few_queries(sign_in: Callable[[Persona], Client]) -> None:
    for number in range(4):
        objective(title=f"Objective {number}")
        ticket(title=f"Ticket {number}")
    for persona in (MANAGER, MEMBER, EXECUTIVE, ADMIN):
        client = sign_in(persona)
        client.get(PART)
        with CaptureQueriesContext(connection) as queries:
            client.get(PART)
        assert len(queries) <= MOST_QUERIES, persona.name


def test_a_broken_guardrail_is_named_beside_the_forecast() -> None:
    today = windows.local_today()
    (progress,) = progress_of([stored(objective())], as_(EXECUTIVE), today=today)
    line = replace(objective_line(progress, today), forecast="Forecast 3.2 h", why="Guardrail broken: Deployments.")
    (outcome,) = line.key_results
    for shown, is_named in ((line.tag, False), (TAGS[ObjectiveStatus.AT_RISK], True)):
        of_outcome = replace(line, tag=shown, key_results=[replace(outcome, tag=line.tag)])
        printed = render_to_string("programs/overview/_objective.html", {"line": of_outcome})
        assert ("Forecast 3.2 h" in printed, "Guardrail broken" in printed) == (True, is_named)


def test_leadership_sees_teams_against_target_and_what_needs_a_decision(
    sign_in: Callable[[Persona], Client], org: Org
) -> None:
    pushed = records(changes=6)
    for kind, of_kind in pushed.items():
        org.push(kind, *of_kind)
    org.own(REPOSITORY, "platform")
    agree(metric="dora.change_failure_rate", threshold=20.0, target=10.0, is_to_hold=True)
    at_risk = objective(title="Of Platform", is_mandatory=True)
    Objective.objects.filter(pk=at_risk.pk).update(override="off_track", override_reason="The vendor is late.")
    ticket(title="Late", starts_on=day_before(30), due_on=day_before(2))
    refresh()  # as the worker does within seconds: otherwise each relation is read from PostgreSQL
    last_quarter = quarter_named("", windows.local_today())
    frozen = freeze_report(as_(EXECUTIVE), None, last_quarter, after=0)
    client = sign_in(EXECUTIVE)
    home = client.get("/").content.decode()
    sections = {}
    for part in ("decisions", "teams"):
        url = f"/programs/parts/{part}/"
        assert f'hx-get="{url}?' in home
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            sections[part] = client.get(url, headers={"HX-Request": "true"}).context["section"]
        most = MOST_OF_DECISIONS if part == "decisions" else MOST_QUERIES
        assert len(queries) <= most, [str(query["sql"])[:90] for query in queries.captured_queries]
    section = sections["decisions"]
    [platform] = [team for team in sections["teams"]["teams"] if team.name == "Platform"]
    lead_time, failures = platform.cells[1:3]
    assert (lead_time.value, bool(lead_time.reason)) == ("", True)  # of one author alone: hidden, with the reason
    assert (failures.value, failures.aim) == ("16.7%", "target 10.0%")
    assert failures.gap.text.startswith("Within threshold")
    headline, url = section["report"]
    assert headline == str(stored_document(ReportDocument, frozen.document).headline)
    assert url == f"/insights/report/?quarter={windows.quarter_name(last_quarter.start)}"
    [line] = section["at_risk"]
    assert (line.objective.title, "The vendor is late." in line.overridden) == ("Of Platform", True)
    assert [name for name, _ in section["gaps"]] == ["Search"]
    assert [(name, number) for name, number, _ in section["overdue"]] == [("Platform", 1)]
    own = program(client)
    assert (own["has_objectives"], own["objectives"]) == (False, []), "those at risk stand above"


def test_only_leadership_has_these_parts(sign_in: Callable[[Persona], Client]) -> None:
    for persona in (MANAGER, MEMBER):
        client = sign_in(persona)
        for part in ("decisions", "teams"):
            assert f"parts/{part}/" not in client.get("/").content.decode()
            answer = client.get(f"/programs/parts/{part}/", headers={"HX-Request": "true"})
            assert answer.context["section"] is None


def test_finance_and_auditors_read_what_their_role_shows(sign_in: Callable[[Persona], Client]) -> None:
    """They are not told to connect what is connected, nor that there is nothing where they may not see it."""
    for persona, shows, where in (
        (FINANCE, "Your role shows eligible time and spend of initiatives, and no figures of teams.", "/insights/ai/"),
        (AUDITOR, "Your role shows the audit log, and no figures.", "/insights/delivery/"),
    ):
        client = sign_in(persona)
        home = client.get("/").content.decode()
        assert shows in home
        assert "No agent is connected yet" not in home
        assert "Nothing has been measured yet" not in home
        assert shows in client.get(where).content.decode()
        assert "No budgets that you may see" in client.get("/insights/ai/budgets/").content.decode()
