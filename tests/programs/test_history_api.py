"""Histories by program: what the pages tell, to whom they tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from insights.query.windows import local_today
from integrations.models import PullRequest
from programs.models import KeyResult, Objective
from programs.objectives.services.check_ins import check_in
from programs.objectives.services.writing import override_status
from programs.tickets.services.writing import change_ticket, watch_ticket
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.programs.api_pages import got, sent
from tests.programs.objectives import by_hand, objective
from tests.programs.tickets import as_, draft, ticket
from tests.teams import create_teams

SignIn = Callable[[Persona], Client]
OF_METRIC = {
    "title": "Reviews start sooner",
    "metric": "pr.pickup_time",
    "better": "lower",
    "baseline": 72000.0,
    "target": 43200.0,
}


@pytest.fixture(autouse=True)
def teams(org: Org) -> Org:
    create_teams()
    return org


def differences(change: Mapping[str, Any]) -> dict[str, tuple[Any, Any, bool]]:
    return {
        difference["field"]: (difference["from"], difference["to"], difference["hidden"])
        for difference in change["differences"]
    }


def test_a_tickets_history_tells_fields_and_links(sign_in: SignIn, teams: Org) -> None:
    records = [merged(1, day_before(9)), merged(2, day_before(8), author="grace")]
    teams.push("pull-requests", *records)
    pulls = {request.number: request for request in PullRequest.objects.all()}
    hidden = objective(EXECUTIVE, title="A draft that nobody knows", unit="search", publish=False)
    new_ticket = ticket(title="Before")
    new_draft = draft(
        title="After", owner="hedy@example.com", due_on=local_today() + timedelta(days=3), metric="pr.pickup_time",
        objective=hidden.pk, pull_requests=(pulls[2].pk,),
    )  # fmt: skip
    change_ticket(as_(EXECUTIVE), new_ticket, new_draft, of_version=1)
    watch_ticket(as_(MEMBER), new_ticket)
    address = f"/api/v1/tickets/{new_ticket.pk}/history/"
    watched, changed, filed = got(sign_in(EXECUTIVE), address)["history"]
    assert (filed["by"], filed["first"], filed["automatic"], filed["differences"]) == ("Edith", True, False, [])
    assert (watched["by"], differences(watched)) == ("Ada", {"watchers": (None, "Ada", False)})
    name = f"{pulls[2].repository.name}#2"
    assert changed["first"] is False
    assert differences(changed) == {
        "title": ("Before", "After", False),
        "owner": ("Ada", "Hedy", False),
        "due_on": (f"{local_today() + timedelta(days=14)}", f"{local_today() + timedelta(days=3)}", False),
        "metric": (None, "pr.pickup_time", False),
        "objective": (None, "A draft that nobody knows", False),
        "pull_requests": (None, name, False),
    }
    [_, changes, _] = got(sign_in(MEMBER), address)["history"]
    assert differences(changes)["objective"] == (None, None, True), "there is one, and not which"
    assert differences(changes)["pull_requests"] == (None, None, True)
    assert got(sign_in(OTHER_MEMBER), address, 404)
    assert got(sign_in(EXECUTIVE), "/api/v1/tickets/4711/history/", 404)
    assert "colour" in got(sign_in(EXECUTIVE), address, 400, colour="red")["error"]["message"]


def test_an_objectives_history_tells_key_results_and_amounts(sign_in: SignIn) -> None:
    new_objective = objective(title="Reviews no longer wait", key_results=(OF_METRIC,))
    [result] = KeyResult.objects.filter(objective=new_objective)
    override_status(as_(MANAGER), Objective.objects.get(pk=new_objective.pk), "at_risk", "Two are ill")
    client, address = sign_in(MANAGER), f"/api/v1/objectives/{new_objective.pk}/history/"
    document = client.get(f"/api/v1/objectives/{new_objective.pk}/").json()
    texts = [{name: key_result[name] for name in ("id", "title", "metric", "statistic", "better", "target_kind")}
            for key_result in document["key_results"]]  # fmt: skip
    texts[0] |= {"target": 3600.0}
    sent(
        client,
        "PATCH",
        f"/api/v1/objectives/{new_objective.pk}/",
        {"key_results": texts, "version": document["version"]},
    )
    changes = got(client, address)["history"]  # a test is one transaction, in which all happens at one moment
    assert [change["first"] for change in changes].count(True) == 1
    assert [
        (key_result["key_result"], key_result["title"], key_result["target"])
        for change in changes
        for key_result in change["added"]
    ] == [(result.pk, result.title, result.target)]
    assert [differences(change) for change in changes if "override" in differences(change)] == [
        {"override": (None, "at_risk", False), "override_reason": (None, "Two are ill", False)}
    ]
    [changed] = [change for change in changes if "target" in differences(change)]
    assert (changed["by"], differences(changed)["target"]) == ("Edith", (result.target, 3600.0, False))
    assert {difference["key_result"] for difference in changed["differences"]} == {result.pk}
    assert got(sign_in(EXECUTIVE), "/api/v1/objectives/4711/history/", 404)


def test_amounts_that_are_hidden_on_pages_are_hidden_here(sign_in: SignIn) -> None:
    """The figures of the whole organisation are not for members; its goals are."""
    new_objective = objective(EXECUTIVE, unit=None, key_results=(OF_METRIC,))
    address = f"/api/v1/objectives/{new_objective.pk}/history/"
    [*_, changes] = got(sign_in(EXECUTIVE), address)["history"]
    assert (changes["added"][0]["target"], changes["added"][0]["hidden"]) != (None, True)
    [*_, changes] = got(sign_in(MEMBER), address)["history"]
    assert (changes["added"][0]["target"], changes["added"][0]["hidden"]) == (None, True)


def test_a_draft_has_a_history_for_those_who_see_it(sign_in: SignIn) -> None:
    new_objective = objective(publish=False)
    assert got(sign_in(MANAGER), f"/api/v1/objectives/{new_objective.pk}/history/")
    assert got(sign_in(MEMBER), f"/api/v1/objectives/{new_objective.pk}/history/", 404)


def test_values_that_were_entered_by_hand_are_in_it(sign_in: SignIn) -> None:
    new_objective = objective(key_results=(by_hand(),))
    [result] = KeyResult.objects.filter(objective=new_objective)
    check_in(as_(MANAGER), new_objective, confidence="high", note="", key_result=result.pk, value=4.0)
    [changed, *_] = got(sign_in(MANAGER), f"/api/v1/objectives/{new_objective.pk}/history/")["history"]
    assert differences(changed)["hand_value"] == (None, 4.0, False)


def test_a_history_that_is_cut_does_not_begin_with_what_was_written(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_objective = objective(EXECUTIVE, key_results=(by_hand(title="Interviews"),))
    result = KeyResult.objects.get()
    for number in range(3):
        Objective.objects.filter(pk=new_objective.pk).update(title=f"Title {number}")
        KeyResult.objects.filter(pk=result.pk).update(target=100 + number)
    address = f"/api/v1/objectives/{new_objective.pk}/history/"
    whole = got(sign_in(EXECUTIVE), address)["history"]
    assert [change["first"] for change in whole].count(True) == 1
    assert [added["title"] for change in whole for added in change["added"]] == ["Interviews"]
    monkeypatch.setattr("programs.history.events.CHANGES_LISTED", 2)
    cut = got(sign_in(EXECUTIVE), address)["history"]
    assert [change["first"] for change in cut] == [False] * len(cut)
    assert not any(change["added"] for change in cut)
    assert {field: values for change in cut for field, values in differences(change).items()} == {
        "target": (101.0, 102.0, False),
        "title": ("Title 1", "Title 2", False),
    }
