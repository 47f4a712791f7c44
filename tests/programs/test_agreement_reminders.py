"""Reminders of pull requests that break a working agreement: to the team that opted in, once, in its hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from insights.query.windows import local_today
from integrations.delivery.agreements.agree import agree
from integrations.delivery.agreements.apply import apply_agreements
from integrations.delivery.ownership.find import find_unit
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import PullRequest
from programs.models import Breach, MessageKind, Notice
from programs.reminders.services.inbox import notices_of
from programs.reminders.services.labels import items_of, notices_of_page
from programs.reminders.services.planning import plan_reminders
from tests.org import Org
from tests.pages.delivering import REPOSITORY
from tests.personas import MEMBER
from tests.programs.reminders import open_accounts
from tests.programs.tickets import as_
from tests.teams import create_teams

pytestmark = pytest.mark.django_db
TERMS: dict[str, Any] = {"most_lines": 100, "needs_work_item": True, "review_hours": 8}
ALL = set(Breach.values)


def wednesday(hour: int) -> datetime:
    """The hour, in UTC, of the last Wednesday that is over."""
    day = local_today() - timedelta(days=1)
    day -= timedelta(days=(day.weekday() - 2) % 7)
    return datetime.combine(day, time(hour), UTC)


@pytest.fixture(autouse=True)
def platform(org: Org) -> None:
    """Ada of Platform, which owns the repository, has an account; her pull request breaks all that is agreed."""
    create_teams()
    open_accounts()
    org.push("pull-requests", pull_request(1))
    org.own(REPOSITORY, "platform")


def pull_request(number: int, **fields: Any) -> dict[str, Any]:
    opened = {"id": f"pr-{number}", "repository": REPOSITORY, "number": number, "author": "ada@example.com"}
    times = {"created_at": (wednesday(0) - timedelta(days=1)).isoformat(), "state": "open"}
    return {**opened, **times, "title": "Weigh the basket", "additions": 101, "deletions": 0, **fields}


def agreed(unit: str = "platform", **terms: Any) -> None:
    agree(find_unit(unit), {**TERMS, **terms})
    apply_agreements()
    recompute_waiting_pull_requests()


def reminded(at: datetime) -> set[tuple[str, int]]:
    """Who was reminded at that moment of what, for the first time."""
    before = set(Notice.objects.values_list("pk", flat=True))
    plan_reminders(today=at.date(), now=at)
    new = Notice.objects.filter(kind=MessageKind.AGREEMENT_BROKEN).exclude(pk__in=before)
    return {(notice.account.get_username().partition("@")[0], notice.number) for notice in new}


def test_a_team_that_opted_in_is_reminded_once_of_a_breach() -> None:
    agreed()
    assert reminded(wednesday(10)) == set(), "it is off by default"
    agreed(reminds_team=True)
    assert reminded(wednesday(10)) == {("ada", breach) for breach in ALL}
    assert reminded(wednesday(11)) == set()


def test_it_says_what_is_broken_and_links_to_the_pull_request() -> None:
    agreed(reminds_team=True, needs_work_item=None, review_hours=None)
    reminded(wednesday(10))
    [notice] = notices_of(as_(MEMBER)).filter(kind=MessageKind.AGREEMENT_BROKEN)
    [item] = items_of(notices_of_page([notice.pk]))
    assert (item.label, item.title, item.detail) == ("Larger than agreed", "Weigh the basket", f"{REPOSITORY} #1.")
    assert item.path == f"/insights/pull-requests/{PullRequest.objects.get().pk}/"


@pytest.mark.parametrize(
    ("terms", "after"),
    [
        ({}, timedelta(hours=3)),
        ({}, timedelta(hours=19)),
        ({}, timedelta(days=3, hours=10)),  # Saturday
        ({"work_starts_at": time(11), "work_ends_at": time(12)}, timedelta(hours=10)),
        ({"time_zone": "Asia/Tokyo"}, timedelta(hours=10)),  # 19:00 there
    ],
)
def test_nobody_is_reminded_outside_of_the_teams_hours(terms: dict[str, Any], after: timedelta) -> None:
    at = wednesday(0) + after
    agreed(reminds_team=True, **terms)
    assert reminded(min(at, timezone.now()) if at.weekday() == 2 else at) == set()


def test_it_is_made_up_for_in_the_next_working_hours() -> None:
    agreed(reminds_team=True, time_zone="Asia/Tokyo")
    assert reminded(wednesday(10)) == set()
    assert reminded(wednesday(1)) == {("ada", breach) for breach in ALL}, "10:00 there"


def test_the_term_is_inherited_and_can_be_switched_off_below() -> None:
    agreed("engineering", reminds_team=True)
    assert reminded(wednesday(10)) == {("ada", breach) for breach in ALL}
    Notice.objects.all().delete()
    agreed(reminds_team=False)
    assert reminded(wednesday(10)) == set()


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda _: {"additions": 100}, ALL - {Breach.TOO_LARGE}),
        (lambda at: {"state": "closed", "closed_at": at}, set()),
        (
            lambda at: {"reviews": [{"author": "grace@example.com", "state": "approved", "submitted_at": at}]},
            ALL - {Breach.UNREVIEWED},
        ),
    ],
)
def test_a_reminder_whose_reason_is_gone_is_marked_as_read(
    org: Org, change: Callable[[str], dict[str, Any]], left: set[int]
) -> None:
    agreed(reminds_team=True)
    reminded(wednesday(10))
    org.push("pull-requests", pull_request(1, **change(wednesday(9).isoformat())))
    recompute_waiting_pull_requests()
    assert reminded(wednesday(11)) == set()
    unread = Notice.objects.filter(kind=MessageKind.AGREEMENT_BROKEN).unread()
    assert set(unread.values_list("number", flat=True)) == left


def test_old_pull_requests_and_those_that_do_not_count_are_left_alone(org: Org) -> None:
    agreed(reminds_team=True, ignored_labels=["bulk"])
    old = (wednesday(10) - timedelta(days=31)).isoformat()
    org.push("pull-requests", pull_request(1, labels=["bulk"]), pull_request(2, created_at=old))
    recompute_waiting_pull_requests()
    assert reminded(wednesday(10)) == set()
