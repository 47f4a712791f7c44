"""Ownership in Django admin: rows are corrected, logged, and refused where they overlap."""

from __future__ import annotations

import html

import pytest
from django.test import Client
from django.urls import reverse

from integrations.delivery.ownership.find import find_owned
from integrations.delivery.ownership.give import own
from integrations.models import Connection, Owned, OwnedKind, Ownership, OwnershipChange, Repository
from tests.delivery.ownership.test_page import merged
from tests.org import Org
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
LIST = "/admin/integrations/owned/"


@pytest.fixture
def teams(db: None) -> Teams:
    """Engineering with Platform and Search; Platform owns acme/shop."""
    created = create_teams()
    Repository.objects.create(name="acme/shop")
    own(find_owned("acme/shop"), created.platform)
    return created


def change(owned: Owned) -> str:
    return reverse("admin:integrations_owned_change", args=[owned.pk])


def rows(*stored: tuple[Ownership | None, int, str, str], owned: Owned) -> dict[str, str]:
    """The inline's form: (stored row, unit, first day, first day no longer)."""
    sent = {
        "ownerships-TOTAL_FORMS": str(len(stored)),
        "ownerships-INITIAL_FORMS": str(sum(1 for row in stored if row[0])),
    }
    for number, (row, unit, start, end) in enumerate(stored):
        sent |= {
            f"ownerships-{number}-id": str(row.pk) if row else "",
            f"ownerships-{number}-owned": str(owned.pk),
            f"ownerships-{number}-unit": str(unit),
            f"ownerships-{number}-during_0": start,
            f"ownerships-{number}-during_1": end,
        }
    return sent


def test_days_are_corrected_with_log(teams: Teams, admin: Client) -> None:
    shop, stored = find_owned("acme/shop"), Ownership.objects.get()
    sent = rows((stored, teams.platform.pk, "", "2026-03-09"), (None, teams.search.pk, "2026-03-09", ""), owned=shop)
    answer = admin.post(change(shop), sent)
    assert answer.status_code == 302, html.unescape(answer.content.decode())
    changes = {
        (ownership.unit.slug, str(ownership.during.lower), str(ownership.during.upper))
        for ownership in Ownership.objects.all()
    }
    assert changes == {("platform", "None", "2026-03-09"), ("search", "2026-03-09", "None")}
    logged = [
        (logged.unit, str(logged.day_from), logged.by and logged.by.is_superuser)
        for logged in OwnershipChange.objects.order_by("pk")
    ]
    assert logged[1:] == [("", "None", True), ("Platform", "None", True), ("Search", "2026-03-09", True)]
    assert "Search in Teams" in html.unescape(admin.get(change(shop)).content.decode())


def test_two_owners_on_a_day_are_refused_in_words(teams: Teams, admin: Client) -> None:
    shop, stored = find_owned("acme/shop"), Ownership.objects.get()
    sent = rows((stored, teams.platform.pk, "", ""), (None, teams.search.pk, "2026-03-09", ""), owned=shop)
    answer = admin.post(change(shop), sent)
    assert answer.status_code == 200
    assert "overlap" in html.unescape(answer.content.decode())
    assert Ownership.objects.count() == 1


def test_the_list_says_who_owns_what_and_confirms_proposals(org: Org, teams: Teams, admin: Client) -> None:
    merged(org, "acme/web", "grace")
    page = html.unescape(admin.get(LIST).content.decode())
    assert "Platform (Teams)" in page
    assert "nobody" in page
    assert "acme/shop" not in admin.get(f"{LIST}?owner=no").content.decode().split("result_list")[1]
    sent = {"action": "confirm_proposals", "_selected_action": [find_owned("acme/web").pk]}
    answer = admin.post(LIST, sent, follow=True)
    assert "1 proposal was confirmed." in answer.content.decode()
    assert Ownership.objects.get(unit=teams.search).owned == find_owned("acme/web")


def test_what_a_service_follows_can_be_corrected(teams: Teams, admin: Client) -> None:
    service = Owned.objects.create(kind=OwnedKind.SERVICE, name="checkout")
    shop = Repository.objects.get()
    answer = admin.post(change(service), {"follows": shop.pk, **rows(owned=service)})
    assert answer.status_code == 302
    service.refresh_from_db()
    assert service.follows == shop


@pytest.mark.usefixtures("teams")
def test_how_sub_tasks_count_is_chosen_for_boards_alone(admin: Client) -> None:
    board = Owned.objects.create(kind=OwnedKind.BOARD, connection=Connection.objects.create(name="Jira"), name="12")
    assert "sub-tasks count alone" in admin.get(change(board)).content.decode().lower()
    assert admin.post(change(board), {"parts_alone": "on", **rows(owned=board)}).status_code == 302
    board.refresh_from_db()
    assert board.parts_alone
    shop = find_owned("acme/shop")
    assert "sub-tasks count alone" not in admin.get(change(shop)).content.decode().lower()
    assert admin.post(change(shop), {"parts_alone": "on", **rows(owned=shop)}).status_code == 302
    shop.refresh_from_db()
    assert not shop.parts_alone


@pytest.mark.usefixtures("teams")
def test_only_what_no_record_names_is_deleted(org: Org, admin: Client) -> None:
    org.push("incidents", {"id": "i1", "service": "checkout", "started_at": "2026-03-01T10:00:00Z"})
    old = Owned.objects.create(kind=OwnedKind.SERVICE, name="gone")
    assert Connection.objects.exists()
    delete = reverse("admin:integrations_owned_delete", args=[find_owned("checkout").pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    assert admin.post(reverse("admin:integrations_owned_delete", args=[old.pk]), {"post": "yes"}).status_code == 302
    assert not Owned.objects.filter(name="gone").exists()
