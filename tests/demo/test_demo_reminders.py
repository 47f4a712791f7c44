"""Each sign-in of the demo finds something in the inbox that is theirs, told by the same planner, once."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime

import pytest

from demo.load.organisation import load_demo_organisation
from demo.load.personas import open_demo_accounts
from demo.load.reminders import tell_demo_people
from demo.load.tickets import write_demo_tickets
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from insights.query.windows import local_today
from programs.models import Notice, OutgoingEmail
from tests.org import Org


def year(flavour: Flavour, today: date) -> DemoYear:
    return DemoYear(seed=1, flavour=flavour, anchor=datetime(today.year, today.month, today.day, 12, tzinfo=UTC))


def kinds_by_account() -> dict[str, set[str]]:
    kinds = defaultdict(set)
    for name, kind in Notice.objects.values_list("account__username", "kind"):
        kinds[name.partition("@")[0]].add(kind)
    return kinds


def test_managers_hear_of_their_teams_and_owners_of_their_tickets(org: Org) -> None:
    today = local_today()
    planned_year = year(Flavour.SMALL_STORIES, today)
    load_demo_organisation(planned_year)
    open_demo_accounts()
    write_demo_tickets(planned_year, today=today)
    assert tell_demo_people(planned_year, today=today)
    kinds = kinds_by_account()
    assert {"ticket_overdue", "ticket_overdue_in_team"} <= kinds["maya.manager"]
    assert {"ticket_overdue", "ticket_assigned"} <= kinds["max.member"]
    assert "ticket_due_soon" in kinds["ada.admin"]
    assert "ticket_overdue_in_team" not in kinds["max.member"]
    assert tell_demo_people(planned_year, today=today) == 0
    assert not OutgoingEmail.objects.exists()


@pytest.mark.usefixtures("org")
def test_the_quiet_flavour_tells_nobody_anything() -> None:
    today = local_today()
    planned_year = year(Flavour.SMALL_QUIET, today)
    load_demo_organisation(planned_year)
    open_demo_accounts()
    assert tell_demo_people(planned_year, today=today) == 0
