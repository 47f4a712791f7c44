"""Moving objectives and intents on the team roadmap: what goes with them, conflicts, and what moves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from core.write_errors import ConflictError, FieldError
from orgtree.models import Person
from programs.models import KeyResult, Objective, RoadmapIntent
from programs.objectives.services.writing import (
    change_objective,
    move_objective,
)
from programs.quarters.fiscal_quarters import current_quarter, quarter_at
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, signed_in
from tests.programs.objective_pages import text
from tests.programs.objectives import draft, objective, stored
from tests.programs.roadmaps import AFTER, FOURTH, MOVE, NEXT, ROADMAP, TODAY, intent, moved_intent
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams


@pytest.fixture(autouse=True)
def teams(org: Org) -> Iterator[Teams]:
    with time_machine.travel(TODAY, tick=False):
        yield create_teams()


def move(client: Client, card: str, version: int = 1, **place: str) -> Any:
    answer = client.post(MOVE, {"card": card, "version": str(version), **place}, headers={"Accept": "application/json"})
    return answer.status_code, json.loads(answer.content)["message"]


def test_an_objective_moves_with_its_key_results_and_reads_its_baselines_again(monkeypatch: pytest.MonkeyPatch) -> None:
    above = objective(EXECUTIVE, title="Above", unit=None)
    written = objective(title="Moves", parent=above.pk)
    by_metric = KeyResult.objects.create(
        objective=written, position=1, title="Fewer bugs", metric="bug.ratio", better="lower", target_kind="absolute",
        target=10, baseline=30, baseline_from=date(2026, 4, 1), baseline_to=date(2026, 7, 1), unit_of_measure="percent",
    )  # fmt: skip
    below = objective(EXECUTIVE, title="Below", unit="search")
    Objective.objects.filter(pk=below.pk).update(parent=written)
    quarter = quarter_at(FOURTH)
    moved = move_objective(as_(MANAGER), stored(written), unit="platform", quarter=quarter, of_version=1)
    assert (moved.quarter, moved.version, moved.published_at) == (quarter, 2, written.published_at)
    by_metric.refresh_from_db()
    assert by_metric.baseline is None, "nothing is measured here in the days before"
    assert moved.key_results.get(position=0).baseline == 3.0, "what was entered stays"
    assert moved.parent_id is None, "it would serve one of another quarter"
    assert stored(below).parent_id is None
    assert stored(below).version == 2
    history = text(signed_in(MANAGER), reverse("objective_history", args=[moved.pk]))
    assert "2027-Q3" in history
    assert "2026-Q3" in history


def test_an_objective_moves_to_another_team_of_whoever_leads_both() -> None:
    written = objective()
    with pytest.raises(FieldError, match="no unit"):
        move_objective(as_(MANAGER), stored(written), unit="search", quarter=current_quarter(), of_version=1)
    moved = move_objective(as_(EXECUTIVE), stored(written), unit="search", quarter=current_quarter(), of_version=1)
    assert moved.unit is not None
    assert moved.unit.slug == "search"


def test_two_mandatory_objectives_do_not_come_together() -> None:
    objective(title="There first", is_mandatory=True, quarter=quarter_at(NEXT))
    second = objective(title="Second", is_mandatory=True)
    status, message = move(signed_in(MANAGER), f"objective-{second.pk}", quarter=str(NEXT))
    assert status == 400
    assert "stays where it is" in message
    assert "There first" in message
    assert stored(second).quarter == current_quarter()


def test_moving_over_the_page() -> None:
    written, planned = objective(), intent()
    client = signed_in(MANAGER)
    assert move(client, f"objective-{written.pk}", quarter=str(AFTER)) == (
        200,
        "“Reviews no longer wait” moved to Platform, 2027-Q1.",
    )
    assert str(stored(written).quarter) == "2027-Q1"
    assert move(client, f"intent-{planned.pk}", quarter=str(FOURTH))[0] == 200
    assert str(RoadmapIntent.objects.get().quarter) == "2027-Q3"
    answer = client.post(MOVE, {"card": f"intent-{planned.pk}", "version": "2", "quarter": str(NEXT), "back": "//evil"})
    assert answer["Location"] == f"{ROADMAP}#intent-{planned.pk}", "without a script it leads back to the roadmap"
    form = text(client, f"{MOVE}?card=intent-{planned.pk}")
    assert '<option value="2026-10-01" selected>' in form


def test_a_move_of_an_older_version_shows_the_current_place() -> None:
    written, planned = objective(), intent()
    client = signed_in(MANAGER)
    change_objective(as_(MANAGER), written, draft(title="Renamed"), of_version=1)
    moved_intent(EXECUTIVE, planned, AFTER, unit="search")
    status, message = move(client, f"objective-{written.pk}", quarter=str(NEXT))
    assert status == 409
    assert "“Renamed”" in message
    assert "now in 2026-Q3 of Platform" in message
    assert "You wanted Platform, 2026-Q4" in message
    assert stored(written).quarter == current_quarter()
    status, message = move(signed_in(EXECUTIVE), f"intent-{planned.pk}", quarter=str(FOURTH), unit="platform")
    assert status == 409
    assert "now in 2027-Q1 of Search" in message
    page = signed_in(EXECUTIVE).post(MOVE, {"card": f"intent-{planned.pk}", "version": "1", "quarter": str(FOURTH)})
    assert page.status_code == 409
    assert 'name="version" value="2"' in page.content.decode(), "sent again, it takes that one's place"
    with pytest.raises(ConflictError):
        move_objective(as_(MANAGER), stored(written), unit="platform", quarter=quarter_at(NEXT), of_version=1)


@pytest.mark.parametrize(
    "place",
    [
        {"quarter": "2026-04-01"},
        {"quarter": "2027-10-01"},
        {"quarter": "soon"},
        {"quarter": "a\x00b"},
        {"unit": "search"},
        {"unit": "nowhere"},
        {"unit": "a\x00b"},
        {"version": "x"},
    ],
)
def test_a_bad_place_moves_nothing(place: dict[str, str]) -> None:
    written = objective()
    answer = signed_in(MANAGER).post(
        MOVE, {"card": f"objective-{written.pk}", "version": "1", **place}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 400
    assert (stored(written).version, stored(written).quarter) == (1, current_quarter())


def test_who_may_move_what() -> None:
    written, planned = objective(), intent()
    for card in (f"objective-{written.pk}", f"intent-{planned.pk}"):
        assert signed_in(MEMBER).post(MOVE, {"card": card, "quarter": str(AFTER)}).status_code == 403
        assert signed_in(OTHER_MEMBER).post(MOVE, {"card": card, "quarter": str(AFTER)}).status_code == 404
    ada = Person.objects.get(email="ada@example.com")
    mine = objective(owner=ada.email, title="Ada's")
    assert move(signed_in(MEMBER), f"objective-{mine.pk}", quarter=str(AFTER))[0] == 200, "an owner changes theirs"
    for card in ("", "objective-", "objective-x", "ticket-1", "objective-99999999999999999999", "intent-4711"):
        assert signed_in(EXECUTIVE).post(MOVE, {"card": card}).status_code == 404, card


def test_the_history_tells_who_moved_an_objective() -> None:
    written = objective()
    move_objective(as_(EXECUTIVE), stored(written), unit="platform", quarter=quarter_at(NEXT), of_version=1)
    event = written.events.select_related("pgh_context").order_by("-pgh_id").first()  # type: ignore[attr-defined]
    assert event.pgh_context.metadata["user"] == as_(EXECUTIVE).viewer.pk  # type: ignore[union-attr]
