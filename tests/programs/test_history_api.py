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
from programs.objectives.services.drafts import KeyResultDraft
from programs.objectives.services.writing import override_standing
from programs.tickets.services.writing import change_ticket, watch_ticket
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.personas import EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.programs.api_pages import got, sent
from tests.programs.objectives import by_hand, objective
from tests.programs.tickets import as_, draft, ticket
from tests.teams import create_teams

SignIn = Callable[[Persona], Client]
OF_METRIC = KeyResultDraft(
    title="Reviews begin sooner", metric="pr.pickup_time", better="lower", baseline=72000.0, target=43200.0
)


@pytest.fixture(autouse=True)
def teams(org: Org) -> Org:
    create_teams()
    return org


def differences(change: Mapping[str, Any]) -> dict[str, tuple[Any, Any, bool]]:
    return {each["field"]: (each["from"], each["to"], each["hidden"]) for each in change["differences"]}


def test_a_tickets_history_tells_fields_and_links(sign_in: SignIn, teams: Org) -> None:
    records = [merged(1, day_before(9)), merged(2, day_before(8), author="grace")]
    teams.push("pull-requests", *records)
    pulls = {request.number: request for request in PullRequest.objects.all()}
    hidden = objective(EXECUTIVE, title="A draft that nobody knows", unit="search", publish=False)
    found = ticket(title="Before")
    said = draft(
        title="After", owner="", due_on=local_today() + timedelta(days=3), metric="pr.pickup_time", objective=hidden.pk,
        pull_requests=(pulls[2].pk,),
    )  # fmt: skip
    change_ticket(as_(EXECUTIVE), found, said, of_version=1)
    watch_ticket(as_(MEMBER), found)
    address = f"/api/v1/tickets/{found.pk}/history/"
    watched, changed, filed = got(sign_in(EXECUTIVE), address)["history"]
    assert (filed["by"], filed["first"], filed["automatic"], filed["differences"]) == ("Edith", True, False, [])
    assert (watched["by"], differences(watched)) == ("Ada", {"watchers": (None, "Ada", False)})
    name = f"{pulls[2].repository.name}#2"
    assert changed["first"] is False
    assert differences(changed) == {
        "title": ("Before", "After", False),
        "owner": ("Ada", None, False),
        "due_on": (f"{local_today() + timedelta(days=14)}", f"{local_today() + timedelta(days=3)}", False),
        "metric": (None, "pr.pickup_time", False),
        "objective": (None, "A draft that nobody knows", False),
        "pull_requests": (None, name, False),
    }
    [_, told, _] = got(sign_in(MEMBER), address)["history"]
    assert differences(told)["objective"] == (None, None, True), "there is one, and not which"
    assert differences(told)["pull_requests"] == (None, None, True)
    assert got(sign_in(OTHER_MEMBER), address, 404)
    assert got(sign_in(EXECUTIVE), "/api/v1/tickets/4711/history/", 404)
    assert "colour" in got(sign_in(EXECUTIVE), address, 400, colour="red")["error"]["message"]


def test_an_objectives_history_tells_key_results_and_amounts(sign_in: SignIn) -> None:
    found = objective(title="Reviews no longer wait", key_results=(OF_METRIC,))
    [result] = KeyResult.objects.filter(objective=found)
    override_standing(as_(MANAGER), Objective.objects.get(pk=found.pk), "at_risk", "Two are ill")
    client, address = sign_in(MANAGER), f"/api/v1/objectives/{found.pk}/history/"
    document = client.get(f"/api/v1/objectives/{found.pk}/").json()
    kept = [{name: each[name] for name in ("id", "title", "metric", "statistic", "better", "target_kind")}
            for each in document["key_results"]]  # fmt: skip
    kept[0] |= {"target": 3600.0}
    sent(client, "PATCH", f"/api/v1/objectives/{found.pk}/", {"key_results": kept, "version": document["version"]})
    told = got(client, address)["history"]  # a test is one transaction, in which all happens at one moment
    assert [each["first"] for each in told].count(True) == 1
    assert [(each["key_result"], each["title"], each["target"]) for change in told for each in change["added"]] == [
        (result.pk, result.title, result.target)
    ]
    assert [differences(each) for each in told if "override" in differences(each)] == [
        {"override": (None, "at_risk", False), "override_reason": (None, "Two are ill", False)}
    ]
    [changed] = [each for each in told if "target" in differences(each)]
    assert (changed["by"], differences(changed)["target"]) == ("Edith", (result.target, 3600.0, False))
    assert {each["key_result"] for each in changed["differences"]} == {result.pk}
    assert got(sign_in(EXECUTIVE), "/api/v1/objectives/4711/history/", 404)


def test_amounts_that_are_not_shown_are_not_told_either(sign_in: SignIn) -> None:
    """The figures of the whole organisation are not for members; its goals are."""
    found = objective(EXECUTIVE, unit=None, key_results=(OF_METRIC,))
    address = f"/api/v1/objectives/{found.pk}/history/"
    [*_, told] = got(sign_in(EXECUTIVE), address)["history"]
    assert (told["added"][0]["target"], told["added"][0]["hidden"]) != (None, True)
    [*_, told] = got(sign_in(MEMBER), address)["history"]
    assert (told["added"][0]["target"], told["added"][0]["hidden"]) == (None, True)


def test_a_draft_has_a_history_for_those_who_see_it(sign_in: SignIn) -> None:
    found = objective(publish=False)
    assert got(sign_in(MANAGER), f"/api/v1/objectives/{found.pk}/history/")
    assert got(sign_in(MEMBER), f"/api/v1/objectives/{found.pk}/history/", 404)


def test_values_that_were_entered_by_hand_are_in_it(sign_in: SignIn) -> None:
    found = objective(key_results=(by_hand(),))
    [result] = KeyResult.objects.filter(objective=found)
    check_in(as_(MANAGER), found, confidence="high", note="", key_result=result.pk, value=4.0)
    [changed, *_] = got(sign_in(MANAGER), f"/api/v1/objectives/{found.pk}/history/")["history"]
    assert differences(changed)["hand_value"] == (None, 4.0, False)


def test_a_history_that_is_cut_does_not_begin_with_what_was_written(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = objective(EXECUTIVE, key_results=(by_hand(title="Interviews"),))
    result = KeyResult.objects.get()
    for number in range(3):
        Objective.objects.filter(pk=found.pk).update(title=f"Title {number}")
        KeyResult.objects.filter(pk=result.pk).update(target=100 + number)
    address = f"/api/v1/objectives/{found.pk}/history/"
    whole = got(sign_in(EXECUTIVE), address)["history"]
    assert [each["first"] for each in whole].count(True) == 1
    assert [added["title"] for each in whole for added in each["added"]] == ["Interviews"]
    monkeypatch.setattr("programs.history.events.CHANGES_LISTED", 2)
    cut = got(sign_in(EXECUTIVE), address)["history"]
    assert [each["first"] for each in cut] == [False] * len(cut)
    assert not any(each["added"] for each in cut)
    assert {field: told for change in cut for field, told in differences(change).items()} == {
        "target": (101.0, 102.0, False),
        "title": ("Title 1", "Title 2", False),
    }
