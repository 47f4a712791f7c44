"""The rules of who sees what: changed on one page, kept with their history, and announced to everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.write_errors import FieldError
from orgtree.access.policy import change_policy, policy_history, rules_of
from orgtree.models import IndividualPolicy, MembersSee, Organisation
from programs.models import MessageKind, Notice
from programs.reminders.services.labels import items_of, with_related
from programs.reminders.services.planning import plan_reminders
from tests.pages.recomputed import plain
from tests.personas import ADMIN, MANAGER, MEMBER, create_user, signed_in
from tests.programs.test_philosophy import publish
from tests.teams import create_teams

PAGE, WRITE, HISTORY = "/orgtree/access/", "/orgtree/access/rules/", "/orgtree/access/history/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def teams(db: None) -> None:
    create_teams()
    Organisation.objects.update(leaderboard=False)
    for persona in (ADMIN, MANAGER, MEMBER):
        create_user(persona)
    User.objects.update(date_joined=timezone.now() - timedelta(days=1))


def rules(**changed: Any) -> dict[str, Any]:
    usual = {"individual_policy": "pseudonyms", "minimum_group_size": 5, "members_see": "own_units"}
    return {**usual, "leaderboard": False, **changed}


def sent(**changed: Any) -> dict[str, Any]:
    """The rules as their form sends them."""
    return {name: value for name, value in rules(**changed).items() if value is not False}


def test_a_change_is_in_force_at_once_with_a_history_and_one_notice_for_everybody() -> None:
    admin = signed_in(ADMIN)
    assert admin.post(WRITE, sent(individual_policy="named", minimum_group_size=8)).status_code == 302
    assert rules_of(Organisation.current()) == rules(individual_policy="named", minimum_group_size=8)
    plan_reminders()
    plan_reminders()
    last = Notice.objects.filter(kind=MessageKind.POLICY).latest("policy_id").policy
    notices = list(with_related(Notice.objects.filter(policy=last)))
    assert sorted(notice.account.email for notice in notices) == sorted(
        f"{name}@example.com" for name in ("admin", "ada", "edith", "fiona", "mary", "joan")
    )
    assert items_of(notices)[0].title == "Individual data: pseudonyms → named; Minimum group: 5 → 8"
    assert "Individual data: pseudonyms → named" in plain(signed_in(MEMBER).get("/programs/inbox/").content.decode())
    history = plain(signed_in(MEMBER).get(HISTORY).content.decode())
    assert "admin" in history
    assert "pseudonyms → named" in history


def test_an_old_change_is_not_announced_again_when_its_notices_are_deleted() -> None:
    change_policy(rules(minimum_group_size=6), by=create_user(ADMIN))
    plan_reminders(now=timezone.now() + timedelta(days=200))
    assert not Notice.objects.filter(kind=MessageKind.POLICY).exists()


def test_an_account_that_came_later_gets_no_notice_of_it() -> None:
    change_policy(rules(minimum_group_size=6), by=create_user(ADMIN))
    late = signed_in(ADMIN)
    plan_reminders()
    before = Notice.objects.count()
    create_user(type(ADMIN)("newcomer"))
    plan_reminders()
    assert Notice.objects.count() == before
    assert late.get(PAGE).status_code == 200


@pytest.mark.parametrize("persona", [MANAGER, MEMBER])
def test_only_admins_change_the_rules(persona: Any) -> None:
    client = signed_in(persona)
    assert client.post(WRITE, sent(individual_policy="named")).status_code in (403, 404)
    page = client.get(PAGE, sent(individual_policy="named")).content.decode()
    assert "not applied yet" not in page
    assert WRITE not in page
    assert Organisation.current().individual_policy == IndividualPolicy.PSEUDONYMS


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "These rules are in force already."),
        ({"minimum_group_size": 1}, "greater than or equal to 2"),
        ({"individual_policy": "everything"}, "Select a valid choice"),
        ({"leaderboard": "on"}, "Publish the measurement philosophy first"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(changed: dict[str, Any], words: str) -> None:
    history = policy_history()
    answer = signed_in(ADMIN).post(WRITE, sent(**changed))
    assert answer.status_code == 400
    assert words in plain(answer.content.decode())
    assert rules_of(Organisation.current()) == rules()
    assert policy_history() == history


def test_the_leaderboard_goes_on_once_a_philosophy_is_published_and_off_for_everybody() -> None:
    admin, board = signed_in(ADMIN), "/insights/ai/leaderboard/"
    with pytest.raises(FieldError, match="philosophy"):
        change_policy(rules(leaderboard=True), by=create_user(ADMIN))
    publish()
    assert "The leaderboard is off" in admin.get(board).content.decode()
    assert admin.post(WRITE, sent(leaderboard="on")).status_code == 302
    assert "The leaderboard is off" not in admin.get(board).content.decode()
    assert admin.get("/insights/ai/leaderboard.csv").status_code == 200
    admin.post(WRITE, sent())
    for address in (board, "/insights/ai/parts/leaderboard/"):
        assert "The leaderboard is off" in signed_in(MANAGER).get(address).content.decode()
    assert signed_in(MANAGER).get("/insights/ai/leaderboard.csv").status_code == 404


def test_a_proposed_rule_shows_what_would_be_seen_before_it_holds() -> None:
    proposed = sent(individual_policy="named", members_see=MembersSee.EVERYTHING.value)
    page = plain(signed_in(ADMIN).get(PAGE, {**proposed, "as": "member"}).content.decode())
    assert "2 changes not applied yet" in page
    assert "Figures of any number of people" in page
    assert Organisation.current().individual_policy == IndividualPolicy.PSEUDONYMS
