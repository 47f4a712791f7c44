"""The pulse of open pages tells a reader that something changed, and nothing that can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from insights.pages import change_token
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org

pytestmark = pytest.mark.django_db
QUARTER = datetime(2026, 3, 4, 10, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def first_look() -> Iterator[None]:
    change_token.states_by_step.clear()
    yield
    change_token.states_by_step.clear()


def protected() -> None:
    organisation = Organisation.current()
    organisation.individual_policy = IndividualPolicy.PSEUDONYMS
    organisation.protected_since = QUARTER - timedelta(days=300)
    organisation.save()


def pulse(client: Client) -> str:
    return client.get("/insights/pulse/").headers["ETag"]


def test_the_mark_is_opaque_and_of_one_reader(org: Org, member: Client) -> None:
    other = Client()
    other.force_login(User.objects.create_user("other"))
    assert pulse(member) != pulse(other)
    assert pulse(member) == pulse(member)
    assert len(pulse(member).strip('"')) == 32
    assert "-" not in pulse(member)


def test_who_may_not_see_all_learns_of_changes_once_in_a_quarter_of_an_hour(org: Org, member: Client) -> None:
    protected()
    marks = set()
    for minute in range(15):
        with time_machine.travel(QUARTER + timedelta(minutes=minute), tick=False):
            org.session(by="ada", on=QUARTER.date() - timedelta(days=2))
            org.fold()
            marks.add(pulse(member))
    assert len(marks) == 1, "fifteen changes, none of them told"
    with time_machine.travel(QUARTER + timedelta(minutes=15), tick=False):
        assert pulse(member) not in marks
        moved = pulse(member)
        newcomer = Client()
        newcomer.force_login(User.objects.create_user("newcomer"))
        before = pulse(newcomer)
        org.session(by="ada", on=QUARTER.date() - timedelta(days=3))
        org.fold()
        assert (pulse(member), pulse(newcomer)) == (moved, before)
