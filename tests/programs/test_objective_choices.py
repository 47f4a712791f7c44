"""Which objectives forms offer: what can be meant, the nearest first, and what was chosen before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from programs.models import Objective
from programs.services.quarters import current_quarter, following
from programs.views.choices import WHOLE, flat
from programs.views.objective_choices import parents_offered, plans_offered
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, Persona
from tests.programs.objective_pages import form_of, signed_in, text
from tests.programs.objectives import objective
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams

SignIn = Callable[[Persona], Client]


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


@pytest.fixture
def above(teams: Teams) -> dict[str, Objective]:
    return {
        "of all": objective(EXECUTIVE, unit=None, title="Of all"),
        "engineering": objective(EXECUTIVE, unit="engineering", title="Of engineering"),
        "draft": objective(EXECUTIVE, unit="engineering", title="A draft", publish=False),
        "search": objective(EXECUTIVE, unit="search", title="Of search"),
        "platform": objective(title="Of platform"),
        "next": objective(EXECUTIVE, unit="engineering", title="Next", quarter=following(current_quarter())),
    }


def offered(*asked: object, persona: Persona = MANAGER, **said: object) -> list[str]:
    choices = parents_offered(as_(persona).sight, *asked, **said)  # type: ignore[arg-type]
    return [label for _, label in flat(choices)]


def test_those_of_units_above_come_first_and_no_others(above: dict[str, Objective]) -> None:
    quarter = current_quarter()
    assert offered("platform", quarter) == ["None", "Engineering: Of engineering", "All of the organisation: Of all"]
    assert offered("engineering", quarter, persona=EXECUTIVE) == ["None", "All of the organisation: Of all"]
    assert offered(WHOLE, quarter, persona=EXECUTIVE) == ["None"], "nothing stands above"
    assert offered("platform", following(quarter)) == ["None", "Engineering: Next"]
    assert offered("nowhere\x00", None) == ["None"]


def test_what_was_chosen_stays_sayable_and_what_is_not_to_be_seen_is_not_told(above: dict[str, Objective]) -> None:
    quarter, draft, search = current_quarter(), str(above["draft"].pk), str(above["search"].pk)
    assert offered("platform", quarter, named=search, persona=EXECUTIVE)[-1] == "Search: Of search"
    assert offered("platform", quarter, named=draft) == offered("platform", quarter)
    assert offered("platform", quarter, named="9" * 40) == offered("platform", quarter)


def test_a_wrong_choice_is_told_beside_its_field(above: dict[str, Objective]) -> None:
    answer = signed_in(EXECUTIVE).post(reverse("objective_new"), form_of(parent=str(above["search"].pk)))
    assert answer.status_code == 400
    assert "Search does not stand above Platform" in answer.content.decode()


def test_the_form_asks_again_when_another_unit_is_chosen(above: dict[str, Objective]) -> None:
    address = f"{reverse('objective_parents')}?unit=engineering&quarter={current_quarter().start}"
    part = text(signed_in(EXECUTIVE), address)
    assert "Of all" in part
    assert "Of engineering" not in part
    assert signed_in(MEMBER).get(address).status_code == 403
    assert signed_in(EXECUTIVE).get(f"{address}&known=4711").status_code == 404


def test_a_ticket_is_part_of_any_plan_its_own_first(above: dict[str, Objective]) -> None:
    labels = [label for _, label in flat(plans_offered(as_(EXECUTIVE).sight, "platform"))]
    assert labels[:3] == ["None", "Platform: Of platform", "Engineering: Of engineering"]
    assert labels[-1] == "Search: Of search"
    groups = [key for key, group in plans_offered(as_(EXECUTIVE).sight, "platform") if isinstance(group, list)]
    assert groups == ["Of the unit", "Units above", "All of the organisation", "Other units"]
