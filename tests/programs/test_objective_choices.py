"""Objectives that forms offer: possible ones, nearest first, and earlier choices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from core.forms import flat
from programs.alignment.pages import parents_offered, plans_offered
from programs.models import Objective
from programs.quarters.fiscal_quarters import current_quarter, following
from programs.teams.pages import WHOLE
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, Persona, signed_in
from tests.programs.objective_pages import form_of, text
from tests.programs.objectives import objective
from tests.programs.tickets import as_, ticket
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


def offered(*params: object, persona: Persona = MANAGER, **fields: object) -> list[str]:
    choices = parents_offered(as_(persona).visibility, *params, **fields)  # type: ignore[arg-type]
    return [label for _, label in flat(choices)]


def test_those_of_units_above_come_first_and_no_others(above: dict[str, Objective]) -> None:
    quarter = current_quarter()
    assert offered("platform", quarter) == ["None", "Engineering: Of engineering", "Whole organisation: Of all"]
    assert offered("engineering", quarter, persona=EXECUTIVE) == ["None", "Whole organisation: Of all"]
    assert offered(WHOLE, quarter, persona=EXECUTIVE) == ["None"], "nothing stands above"
    assert offered("platform", following(quarter)) == ["None", "Engineering: Next"]
    assert offered("nowhere\x00", None) == ["None"]


def test_chosen_values_stay_selectable_and_hidden_ones_are_not_revealed(above: dict[str, Objective]) -> None:
    quarter, draft, search = current_quarter(), str(above["draft"].pk), str(above["search"].pk)
    assert offered("platform", quarter, named=search, persona=EXECUTIVE)[-1] == "Search: Of search"
    assert offered("platform", quarter, named=draft) == offered("platform", quarter)
    assert offered("platform", quarter, named="9" * 40) == offered("platform", quarter)


def test_a_wrong_choice_is_reported_at_its_field(above: dict[str, Objective]) -> None:
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
    labels = [label for _, label in flat(plans_offered(as_(EXECUTIVE).visibility, "platform"))]
    assert labels[:3] == ["None", "Platform: Of platform", "Engineering: Of engineering"]
    assert labels[-1] == "Search: Of search"
    groups = [key for key, group in plans_offered(as_(EXECUTIVE).visibility, "platform") if isinstance(group, list)]
    assert groups == ["This unit", "Units above", "Whole organisation", "Other units"]


def test_an_edit_keeps_what_its_author_may_not_see_and_does_not_reveal_it(above: dict[str, Objective]) -> None:
    served = objective(EXECUTIVE, title="Serves a draft", parent=above["draft"].pk)
    client, address = signed_in(MANAGER), reverse("objective_edit", args=[served.pk])
    page = text(client, address)
    assert "An objective that you may not see" in page
    assert "A draft" not in page
    form = client.get(address).context["form"]
    assert form["parent"].value() == above["draft"].pk
    fields = form_of(title="Another title", parent=str(above["draft"].pk), version=str(served.version))
    key_result = served.key_results.get()
    fields |= {"key_results-0-id": str(key_result.pk), "key_results-0-unit_of_measure": key_result.unit_of_measure}
    saved = client.post(address, fields)
    assert saved.status_code == 302, saved.content.decode()
    served.refresh_from_db()
    assert (served.title, served.parent) == ("Another title", above["draft"])


def test_a_ticket_of_an_unseen_plan_does_not_name_it(above: dict[str, Objective]) -> None:
    new_ticket = ticket(EXECUTIVE, objective=above["draft"].pk)
    client = signed_in(MANAGER)
    page = text(client, reverse("ticket_edit", args=[new_ticket.pk]))
    assert "An objective that you may not see" in page
    assert "A draft" not in page
    download = client.get(reverse("tickets_csv")).getvalue().decode()
    assert new_ticket.title in download
    assert "A draft" not in download
    assert "A draft" in signed_in(EXECUTIVE).get(reverse("tickets_csv")).getvalue().decode()
