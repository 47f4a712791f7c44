"""The team roadmap: what stands in which quarter, who sees it, gaps, and what the API tells of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext

from core.write_errors import FieldError
from orgtree.models import Unit, UnitPlace
from programs.closing.services.closing import close_quarter
from programs.models import Objective, Quarter, RoadmapIntent
from programs.objectives.services.writing import (
    move_objective,
)
from programs.quarters.fiscal_quarters import current_quarter, following, preceding
from tests.org import Org
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, PERSONAS, signed_in
from tests.programs.objective_pages import MOST_QUERIES, executed_sql, text
from tests.programs.objectives import objective, stored
from tests.programs.roadmaps import AFTER, MOVE, NEXT, ROADMAP, TODAY, cells, intent, moved_intent
from tests.programs.tickets import as_
from tests.teams import Teams, add_teams, create_teams


@pytest.fixture(autouse=True)
def teams(org: Org) -> Iterator[Teams]:
    with time_machine.travel(TODAY, tick=False):
        yield create_teams()


def test_a_row_for_everybody_and_one_per_team() -> None:
    of_all = objective(EXECUTIVE, title="Of everybody", unit=None)
    of_platform = objective(title="Of Platform")
    planned = intent()
    found = cells()
    assert {unit for unit, _ in found} == {"", "platform", "search"}, "engineering has no people of its own"
    assert found["", "2026-Q3"].objectives == [of_all]
    assert found["platform", "2026-Q3"].objectives == [of_platform]
    assert found["platform", "2026-Q4"].intents == [planned]
    objective(EXECUTIVE, title="Of Engineering", unit="engineering")
    assert ("engineering", "2026-Q3") in cells(), "a unit that is no team is shown for what it has"


def test_who_sees_which_row() -> None:
    objective(title="Of Platform")
    objective(title="A draft of Platform", publish=False)
    objective(EXECUTIVE, title="Of Search", unit="search")
    objective(EXECUTIVE, title="Of everybody", unit=None)
    intent(EXECUTIVE, title="Search intends", unit="search")
    intent(title="Platform intends")
    everything = {
        *("Of Platform", "A draft of Platform", "Of Search", "Of everybody"),
        *("Search intends", "Platform intends"),
    }
    seen = {
        ADMIN: everything,
        EXECUTIVE: everything,
        MANAGER: {"Of Platform", "A draft of Platform", "Of everybody", "Platform intends"},
        MEMBER: {"Of Platform", "Of everybody", "Platform intends"},
        OTHER_MEMBER: {"Of Search", "Of everybody", "Search intends"},
        AUDITOR: {"Of everybody"},
    }
    assert set(seen) == set(PERSONAS)
    for persona, theirs in seen.items():
        client = signed_in(persona)
        page, sheet = text(client, ROADMAP), b"".join(client.get(f"{ROADMAP}roadmap.csv")).decode()
        document = json.dumps(client.get("/api/v1/roadmap/").json())
        for title in everything:
            for where in (page, sheet, document):
                assert (f">{title}<" in page if where is page else title in where) == (title in theirs), (
                    persona,
                    title,
                )
        leads = persona in (ADMIN, EXECUTIVE, MANAGER)
        assert ("draggable" in page) == leads
        assert (MOVE in page) == leads
        assert ("roadmap.js" in page) == leads


def test_gaps_are_shown_to_those_who_lead_the_team() -> None:
    assert {place for place, cell in cells().items() if cell.is_gap} == {
        (team, quarter) for team in ("platform", "search") for quarter in ("2026-Q3", "2026-Q4", "2027-Q1")
    }
    objective(is_mandatory=True)
    assert not cells()["platform", "2026-Q3"].is_gap
    intent()
    assert not cells()["platform", "2026-Q4"].is_gap, "of a quarter to come an intent will do"
    intent(EXECUTIVE, start=current_quarter().start, unit="search")
    assert cells()["search", "2026-Q3"].is_gap, "once it has begun the objective has to be agreed on"
    assert {place for place, cell in cells(MANAGER).items() if cell.is_gap} == {("platform", "2027-Q1")}
    assert not any(cell.is_gap for cell in cells(MEMBER).values())
    page = text(signed_in(EXECUTIVE), ROADMAP)
    assert "1 in 2026-Q3" in page
    assert "unit=search&amp;quarter=2026-07-01&amp;mandatory=1" in page
    assert "gap" not in text(signed_in(MEMBER), ROADMAP).split("<main")[1]
    rows = list(csv.reader(io.StringIO(b"".join(signed_in(MANAGER).get(f"{ROADMAP}roadmap.csv")).decode("utf-8-sig"))))
    assert ["platform", "Platform", "2027-Q1", "gap"] in [row[:4] for row in rows]


def test_closed_quarters_are_shown_as_they_ended_and_take_nothing() -> None:
    before = preceding(current_quarter())
    ended = objective(title="Of the spring", quarter=before, is_mandatory=True)
    close_quarter(as_(EXECUTIVE), before, decisions={}, retrospectives={}, retrospective="", forced_because="Test.")
    before.refresh_from_db()
    cell = cells(EXECUTIVE, before.start)["platform", "2026-Q2"]
    assert [one.title for one in cell.objectives] == ["Of the spring"]
    assert not cell.may_add
    page = text(signed_in(EXECUTIVE), f"{ROADMAP}?quarter={before.start}")
    assert "Of the spring" in page
    assert "closed" in page
    with pytest.raises(FieldError, match="is closed"):
        intent(start=before.start)
    with pytest.raises(FieldError, match="is closed"):
        move_objective(as_(MANAGER), stored(ended), unit="platform", quarter=current_quarter(), of_version=2)
    running = objective(title="Of the summer")
    with pytest.raises(FieldError, match="is closed"):
        move_objective(as_(MANAGER), stored(running), unit="platform", quarter=before, of_version=1)
    with pytest.raises(IntegrityError, match="closed"), transaction.atomic():
        Objective.objects.filter(pk=running.pk).update(quarter=before)


def test_pages_of_quarters_reach_from_the_first_that_is_known_to_the_fourth_ahead() -> None:
    preceding(preceding(current_quarter()))
    client = signed_in(EXECUTIVE)
    here = text(client, ROADMAP)
    assert "quarter=2026-01-01" in here
    assert "quarter=2026-10-01" in here
    last = text(client, f"{ROADMAP}?quarter=2026-10-01")
    assert "2027-Q3" in last
    assert "Later quarters" not in last
    assert "Earlier quarters" not in text(client, f"{ROADMAP}?quarter=2026-01-01")
    for word in ("2025-12-31", "2027-01-01", "soon", "2026-13-01"):
        assert client.get(f"{ROADMAP}?quarter={word}").status_code == 400, word
        assert client.get(f"/api/v1/roadmap/?quarter={word}").status_code == 400, word
    assert not Quarter.objects.filter(start__gte=AFTER).exists(), "looking ahead stores no quarter"


def test_a_team_that_left_the_tree_stays_readable() -> None:
    kept = objective(title="Of Platform before it was dissolved")
    planned = intent()
    for place in UnitPlace.objects.filter(unit__slug="platform"):
        place.during = (place.during.lower, date(2026, 8, 10))
        place.save()
    assert cells()["platform", "2026-Q3"].objectives == [kept]
    assert cells()["platform", "2026-Q4"].intents == [planned]
    assert not cells()["platform", "2026-Q4"].may_add
    page = text(signed_in(EXECUTIVE), ROADMAP)
    assert "No longer in an Org Tree" in page
    moved = moved_intent(EXECUTIVE, planned, AFTER, unit="search")
    assert moved.unit is not None
    assert moved.unit.slug == "search"


def test_a_hundred_teams_are_shown_in_few_queries(teams: Teams) -> None:
    add_teams(teams, {f"team-{number}": (f"person-{number}",) for number in range(100)})
    units = list(Unit.objects.filter(slug__startswith="team-"))
    for quarter in (current_quarter(), following(current_quarter())):
        Objective.objects.bulk_create(
            Objective(quarter=quarter, unit=unit, title=f"Of {unit}", is_mandatory=True, published_at=TODAY)
            for unit in units
        )
        RoadmapIntent.objects.bulk_create(RoadmapIntent(quarter=quarter, unit=unit, title="More") for unit in units)
    client = signed_in(EXECUTIVE)
    client.get(ROADMAP)
    for address in (ROADMAP, "/api/v1/roadmap/", f"{ROADMAP}roadmap.csv"):
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
            body = b"".join(answer) if answer.streaming else answer.content
        assert len(queries) <= MOST_QUERIES, executed_sql(queries)
        assert body.decode().count("Of Team-") >= 98, address


def test_the_api_reads_and_writes_as_the_pages_do() -> None:
    client = signed_in(MANAGER)
    sent = {"unit": "platform", "quarter": str(NEXT), "title": "By program"}
    added = client.post("/api/v1/roadmap/intents/", sent, content_type="application/json")
    assert added.status_code == 201
    assert added.json() == {
        **{"unit": "platform", "quarter": "2026-10-01", "title": "By program", "template": None, "version": 1},
        **{"id": RoadmapIntent.objects.get().pk, "written_at": added.json()["written_at"]},
    }
    address = f"/api/v1/roadmap/intents/{added.json()['id']}/"
    change = {"quarter": str(AFTER), "version": 1}
    assert client.patch(address, change, content_type="application/json").json()["quarter"] == "2027-01-01"
    conflict = client.patch(address, {"title": "x", "version": 1}, content_type="application/json")
    assert conflict.status_code == 409
    assert conflict.json()["stored"]["version"] == 2
    document = client.get("/api/v1/roadmap/").json()
    assert [quarter["name"] for quarter in document["quarters"]] == ["2026-Q3", "2026-Q4", "2027-Q1", "2027-Q2"]
    [row] = [row for row in document["rows"] if row["unit"] == "platform"]
    assert row["cells"][2]["intents"][0]["title"] == "By program"
    assert document["gaps"] == sum(cell["gap"] for row in document["rows"] for cell in row["cells"])
    objective_sent = {
        **{"title": "Written", "unit": "platform", "quarter": str(AFTER), "intent": added.json()["id"]},
        "key_results": [{"title": "Satisfaction", "better": "higher", "baseline": 3, "target": 4}],
    }
    written = client.post("/api/v1/objectives/", objective_sent, content_type="application/json")
    assert written.status_code == 201
    assert client.get(address).status_code == 404
    moved = client.patch(
        f"/api/v1/objectives/{written.json()['id']}/",
        {"quarter": str(NEXT), "version": 1},
        content_type="application/json",
    )
    assert moved.status_code == 200
    assert moved.json()["quarter"] == "2026-Q4"


def test_the_api_refuses_what_the_pages_refuse() -> None:
    client = signed_in(MANAGER)
    for sent, status in (
        ({"unit": "search", "title": "x"}, 400),
        ({"title": "x"}, 403),
        ({"unit": "platform"}, 400),
        ({"unit": "platform", "title": "x", "quarter": "2031-01-01"}, 400),
        ({"unit": "platform", "title": 4}, 400),
        ({"unit": "platform", "title": "x", "color": "red"}, 400),
    ):
        answer = client.post("/api/v1/roadmap/intents/", sent, content_type="application/json")
        assert answer.status_code == status, sent
    filled = client.post("/api/v1/roadmap/example/", {"units": ["platform"]}, content_type="application/json")
    assert filled.status_code == 201
    assert len(filled.json()["intents"]) == 4
    again = client.post("/api/v1/roadmap/example/", {"units": ["platform"]}, content_type="application/json")
    assert again.status_code == 400
    of_member = signed_in(MEMBER)
    address = f"/api/v1/roadmap/intents/{filled.json()['intents'][0]['id']}/"
    assert of_member.get(address).status_code == 200
    assert of_member.delete(address).status_code == 403
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404
