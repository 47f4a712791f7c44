"""The picker: rules with a live count, search, and decisions by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as db
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.models import Connection, Stream
from integrations.sync.resources import rules_of, set_rules
from tests.connections.conftest import add_resources

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(connection: Connection) -> str:
    add_resources(connection, "acme/shop", "acme/search", "acme/sandbox-ada", "other/docs")
    add_resources(connection, "acme/legacy", archived=True)
    return reverse("admin:integrations_connection_resources", args=[connection.pk])


def picked(connection: Connection) -> list[str]:
    return sorted(connection.resources.filter(picked=True).values_list("name", flat=True))


def ids(connection: Connection, *names: str) -> list[int]:
    return list(connection.resources.filter(name__in=names).values_list("pk", flat=True))


def test_rules_pick_what_matches_and_make_its_streams(admin: Client, connection: Connection, page: str) -> None:
    admin.post(page, {"act": "rules", "match": "acme/*", "exclude": "*sandbox*"})
    assert picked(connection) == ["acme/search", "acme/shop"]
    assert Stream.objects.filter(resource__name="acme/shop", kind="pull_request").exists()
    assert "<b>2</b> of 5 synced" in admin.get(page).content.decode()


def test_the_count_follows_what_is_typed_and_stores_nothing(admin: Client, connection: Connection, page: str) -> None:
    counted = admin.post(f"{page}count/", {"match": "ACME/*\nother/*", "archived": "on"}).content.decode()
    assert "<b>5</b> of 5" in counted
    assert picked(connection) == []


def test_more_resources_take_no_more_queries(admin: Client, connection: Connection, page: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(db) as captured:
            admin.get(page)
        return len(captured)

    admin.get(page)
    of_five = queries()
    add_resources(connection, *(f"acme/service-{number}" for number in range(20)))
    assert queries() == of_five


def test_a_search_narrows_and_all_that_it_finds_can_be_picked(
    admin: Client, connection: Connection, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from integrations.admin.connections import resources

    monkeypatch.setattr(resources, "ON_A_PAGE", 1)
    shown = admin.get(f"{page}?q=acme").content.decode()
    assert "1–1 of 4" in shown
    admin.post(f"{page}?q=acme", {"act": "pick", "all_found": "1"})
    assert picked(connection) == ["acme/legacy", "acme/sandbox-ada", "acme/search", "acme/shop"]


def test_what_the_rules_added_lately_is_listed_newest_first_and_can_be_undone(
    admin: Client, connection: Connection, page: str
) -> None:
    admin.post(page, {"act": "rules", "match": "acme/*"})
    connection.resources.update(found_at=timezone.now() - timedelta(days=40))
    add_resources(connection, "acme/young")
    add_resources(connection, "acme/younger")
    discovered_by_rules(connection)
    shown = admin.get(f"{page}?state=new").content.decode()
    assert shown.index("acme/younger") < shown.index('aria-label="acme/young"')
    assert "acme/shop" not in shown
    assert f"found {timezone.now():%-d %b %Y}" in shown
    admin.post(f"{page}?state=new", {"act": "drop", "all_found": "1"})
    assert picked(connection) == ["acme/sandbox-ada", "acme/search", "acme/shop"]
    admin.post(page, {"act": "rules", "match": "*"})
    assert "acme/young" not in picked(connection), "the decision outweighs the rules"


def discovered_by_rules(connection: Connection) -> None:
    """Apply the rules, as each listing does."""
    connection.refresh_from_db()
    set_rules(connection, rules_of(connection))


def test_a_hand_outweighs_the_rules_until_it_is_taken_back(admin: Client, connection: Connection, page: str) -> None:
    admin.post(page, {"act": "rules", "match": "acme/*"})
    chosen = {"resource": ids(connection, "acme/shop")}
    admin.post(page, {"act": "drop", **chosen})
    assert "acme/shop" not in picked(connection)
    assert "by hand" in admin.get(page).content.decode()
    admin.post(page, {"act": "leave", **chosen})
    assert "acme/shop" in picked(connection)


def test_only_what_belongs_to_the_connection_can_be_picked(admin: Client, connection: Connection, page: str) -> None:
    other = Connection.objects.create(provider="github", name="Other")
    foreign = add_resources(other, "acme/foreign")[0]
    admin.post(page, {"act": "pick", "resource": [foreign.pk, "no number", "9" * 30]})
    foreign.refresh_from_db()
    assert not foreign.picked
    assert picked(connection) == []


def test_the_page_waits_while_nothing_is_listed_and_says_what_hinders(admin: Client, connection: Connection) -> None:
    address = reverse("admin:integrations_connection_resources", args=[connection.pk])
    assert "Listing what the credential can see" in admin.get(address).content.decode()
    Connection.objects.update(problem="GitHub refused the token.", remedy="Enter a new one.")
    page = admin.get(address).content.decode()
    assert "GitHub refused the token." in page
    assert "Listing what" not in page


def test_another_listing_can_be_requested(admin: Client, connection: Connection, page: str) -> None:
    Connection.objects.update(discover_at=None)
    admin.post(page, {"act": "list"})
    connection.refresh_from_db()
    assert connection.discover_at is not None
