"""Roles: granted and ended by admins, dated, and listed on a public page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.write_errors import FieldError
from orgtree.access.access import viewable
from orgtree.access.grants import end, give
from orgtree.models import Grant, Organisation, Person, Role
from tests.personas import ADMIN, MEMBER, create_user
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db


@pytest.fixture
def teams(db: None) -> Teams:
    create_user(MEMBER)
    return create_teams()


def manager(teams: Teams, *, first_day: date | None = None, last_day: date | None = None) -> Grant:
    return give(
        create_user(MEMBER),
        Role.MANAGER,
        unit=teams.search,
        first_day=first_day or timezone.localdate(),
        last_day=last_day,
        by=create_user(ADMIN),
    )


def fields_of(**changed: str) -> dict[str, str]:
    today = timezone.localdate().isoformat()
    return {"account": MEMBER.email, "role": "manager", "unit": "search", "first_day": today, **changed}


def test_a_role_that_is_given_on_the_page_holds_at_once_and_stands_there(teams: Teams, admin: Client) -> None:
    answer = admin.post(reverse("give_grant"), fields_of(reason="Stands in for Lise"), follow=True)
    assert "Stands in for Lise" in answer.content.decode()
    assert teams.search.pk in viewable(create_user(MEMBER)).managed_ids
    member = Client()
    member.force_login(create_user(MEMBER), backend="django.contrib.auth.backends.ModelBackend")
    page = member.get(reverse("access")).content.decode()
    assert "Stands in for Lise" in page
    assert 'action="/orgtree/access/roles/' not in page


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"account": "nobody@example.com"}, "There is no active account"),
        ({"unit": "nowhere"}, "There is no unit"),
        ({"unit": ""}, "A manager needs a unit"),
        ({"role": "executive"}, "Only managers have a unit"),
        ({"first_day": "2026-03-02", "last_day": "2026-03-01"}, "It ends before it begins"),
        ({"first_day": "soon"}, "Enter a valid date"),
    ],
)
def test_what_is_wrong_is_said_beside_the_form(
    teams: Teams, admin: Client, changed: dict[str, str], words: str
) -> None:
    before = Grant.objects.count()
    answer = admin.post(reverse("give_grant"), fields_of(**changed))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert Grant.objects.count() == before


def test_the_same_role_is_held_once_at_a_time(teams: Teams) -> None:
    manager(teams, first_day=date(2026, 1, 1), last_day=date(2026, 1, 31))
    manager(teams, first_day=date(2026, 2, 1))
    with pytest.raises(FieldError, match="on some of these days"):
        manager(teams, first_day=date(2026, 1, 31))


def test_an_ended_role_sees_nothing_more_and_keeps_its_days(teams: Teams) -> None:
    first_day = timezone.localdate() - timedelta(days=3)
    grant = manager(teams, first_day=first_day)
    end(grant)
    end(grant)
    assert teams.search.pk not in viewable(create_user(MEMBER)).managed_ids
    grant.refresh_from_db()
    assert (grant.during.lower, grant.during.upper) == (first_day, timezone.localdate())


def test_a_role_that_ends_on_its_first_day_never_was(teams: Teams) -> None:
    end(manager(teams))
    assert not Grant.objects.filter(role=Role.MANAGER).exists()


def test_the_page_names_who_sees_the_readers_data(teams: Teams, member: Client) -> None:
    page = member.get(reverse("access")).content.decode()
    assert "You are Ada" in page
    assert "Leads Platform" in page
    assert "6 people, including you" in page
    assert "mary@example.com: aggregates of the whole organisation" in page
    assert "fewer than 5 people" in page


def test_accounts_are_called_as_the_people_they_belong_to(teams: Teams, member: Client) -> None:
    executive = User.objects.get(email="mary@example.com")
    Person.objects.create(full_name="Mary Somerville", email="Mary@example.com")
    by_address = member.get(reverse("access")).content.decode()
    assert "Mary Somerville: aggregates of the whole organisation" in by_address
    Person.objects.create(full_name="Mary Greig", email="greig@example.com", user=executive)
    linked = member.get(reverse("access")).content.decode()
    assert "Mary Greig: aggregates of the whole organisation" in linked
    assert "Mary Somerville" not in linked


def test_the_page_says_that_the_trial_shows_everything(teams: Teams, member: Client) -> None:
    Organisation.objects.update(protected_since=None)
    assert "everybody sees every name and figure" in member.get(reverse("access")).content.decode()
