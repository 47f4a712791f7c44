"""Intents of units: written, changed and removed, turned into objectives, filled from the example."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from django.apps import apps

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from programs.models import Objective, Quarter, RoadmapIntent
from programs.quarters.fiscal_quarters import current_quarter
from programs.roadmaps.services.intents import remove_intent
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, signed_in
from tests.programs.objective_pages import form_of, text
from tests.programs.objectives import objective
from tests.programs.roadmaps import AFTER, FOURTH, NEXT, ROADMAP, TODAY, cells, intent, moved_intent
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams


@pytest.fixture(autouse=True)
def teams(org: Org) -> Iterator[Teams]:
    with time_machine.travel(TODAY, tick=False):
        yield create_teams()


def test_an_intent_is_written_changed_and_removed_on_its_page() -> None:
    client = signed_in(MANAGER)
    new = f"{ROADMAP}intents/new/?unit=platform&quarter={NEXT}"
    assert '<option value="2026-10-01" selected>' in text(client, new)
    sent = {"unit": "platform", "quarter": str(NEXT), "template": "lead-time", "title": ""}
    assert client.post(new, sent).status_code == 302
    added = RoadmapIntent.objects.get()
    assert (added.title, added.template) == ("Improve DORA lead time", "lead-time")
    page = f"{ROADMAP}intents/{added.pk}/"
    assert client.post(page, {**sent, "title": "Sooner", "version": "1"}).status_code == 302
    conflict = client.post(page, {**sent, "title": "Later", "version": "1"})
    assert conflict.status_code == 409
    assert "Sooner" in conflict.content.decode()
    assert 'value="Later"' in conflict.content.decode(), "what was written stays in the form"
    assert RoadmapIntent.objects.get().title == "Sooner"
    assert client.post(f"{page}remove/").status_code == 302
    assert not RoadmapIntent.objects.exists()
    assert client.get(page).status_code == 404


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"template": "", "title": " "}, 400),
        ({"template": "nothing"}, 400),
        ({"title": "x" * 201}, 400),
        ({"quarter": "2026-04-01"}, 400),
        ({"quarter": "2027-10-01"}, 400),
        ({"unit": "search"}, 400),
        ({"unit": ":organisation"}, 400),
    ],
)
def test_a_bad_intent_is_refused_beside_its_field(sent: dict[str, str], status: int) -> None:
    usual = {"unit": "platform", "quarter": str(NEXT), "template": "", "title": "Something"}
    answer = signed_in(MANAGER).post(f"{ROADMAP}intents/new/", {**usual, **sent})
    assert answer.status_code == status
    assert "wrong" in answer.content.decode()
    assert not RoadmapIntent.objects.exists()


def test_the_same_is_intended_once_in_a_quarter_and_no_more_than_ten_things() -> None:
    intent(title="First")
    with pytest.raises(FieldError, match="intends this"):
        intent(title="First")
    for number in range(9):
        intent(title=f"More {number}")
    with pytest.raises(FieldError, match="At most 10"):
        intent(title="The eleventh")
    with pytest.raises(MayNotWriteError):
        intent(MEMBER)
    with pytest.raises(MayNotWriteError):
        intent(MANAGER, unit=None)


def test_an_intent_becomes_an_objective_in_one_step() -> None:
    planned = intent(template="lead-time", title="Sooner in production")
    client = signed_in(MANAGER)
    address = f"/programs/objectives/new/?intent={planned.pk}"
    form = text(client, address)
    for value in ('value="Sooner in production"', 'value="2026-10-01" selected', 'value="platform" selected'):
        assert value in form
    assert 'value="dora.lead_time" selected' in form
    assert "checked" in form, "the team has no mandatory one yet"
    sent = form_of(title="Sooner in production", quarter=str(NEXT), intent=str(planned.pk), template="lead-time")
    assert client.post(address, sent).status_code == 302
    written = Objective.objects.get()
    assert (written.title, str(written.quarter), written.template) == ("Sooner in production", "2026-Q4", "lead-time")
    assert not RoadmapIntent.objects.exists()
    assert "somebody wrote its objective, or removed it" in text(client, address)


def test_nobody_resolves_an_intent_that_is_not_theirs() -> None:
    of_search = intent(EXECUTIVE, unit="search")
    client = signed_in(MANAGER)
    assert client.post("/programs/objectives/new/", form_of(intent=str(of_search.pk))).status_code == 302
    assert RoadmapIntent.objects.get() == of_search
    assert client.post("/programs/objectives/new/", form_of(title="B", intent="x")).status_code == 400


def test_empty_rows_are_filled_with_the_example() -> None:
    objective(EXECUTIVE, title="Search has one", unit="search")
    client = signed_in(EXECUTIVE)
    page = text(client, f"{ROADMAP}example/")
    assert 'value="platform"' in page
    assert 'value="search"' not in page
    assert client.post(f"{ROADMAP}example/", {"rows": ["search"]}).status_code == 400
    assert client.post(f"{ROADMAP}example/", {"rows": [":organisation", "platform"]}).status_code == 302
    found = cells(EXECUTIVE, current_quarter().start, NEXT, AFTER, date(2027, 4, 1))
    assert [found["", name].intents[0].title for name in ("2026-Q3", "2027-Q2")] == ["Improve quality"] * 2
    assert found["platform", "2026-Q3"].intents[0].template == "velocity"
    assert found["platform", "2027-Q2"].intents[0].title == "Improve developer productivity"
    assert not found["search", "2026-Q4"].intents
    assert signed_in(MEMBER).get(f"{ROADMAP}example/").status_code == 403
    assert "No row is empty" in text(signed_in(MANAGER), f"{ROADMAP}example/")


def test_the_history_keeps_what_was_removed() -> None:
    planned = intent()
    moved_intent(MANAGER, planned, AFTER)
    with pytest.raises(ConflictError):
        moved_intent(MANAGER, planned, FOURTH)
    remove_intent(as_(MANAGER), planned)
    with pytest.raises(ConflictError):
        remove_intent(as_(MANAGER), planned)
    events = apps.get_model("programs", "RoadmapIntentEvent")._default_manager.filter(title=planned.title)
    assert list(events.order_by("pgh_id").values_list("pgh_label", flat=True)) == ["insert", "update", "delete"]


def test_objectives_are_written_for_any_of_the_next_four_quarters() -> None:
    client = signed_in(MANAGER)
    form = text(client, "/programs/objectives/new/?template=blank")
    for name in ("2026-Q3", "2026-Q4", "2027-Q1", "2027-Q2", "2027-Q3"):
        assert f">{name}</option>" in form
    assert ">2027-Q4</option>" not in form
    assert not Quarter.objects.filter(start__gte=AFTER).exists()
    answer = client.post("/programs/objectives/new/", form_of(quarter=str(FOURTH)))
    assert answer.status_code == 302
    assert str(Objective.objects.get().quarter) == "2027-Q3"
