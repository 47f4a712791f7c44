"""Records without a place: on the health page, on the connection's page, and a rule that is tried before it is
saved.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import AnyDraft, IncidentDraft, PipelineRunDraft
from integrations.enums import ResourceKind
from integrations.intake.apply_placing_rules import apply_placing_rules
from integrations.intake.place_waiting import place_waiting
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection, Incident, PipelineRun, PlacingRule, Repository

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADD = "admin:integrations_placingrule_add"


def text_of(answer: Any) -> str:
    return " ".join(html.unescape(answer.content.decode()).split())


def tell(connection: Connection, *drafts: AnyDraft) -> None:
    with transaction.atomic():
        store_drafts(connection, drafts)


@pytest.fixture
def shop(connection: Connection) -> Repository:
    draft = ResourceDraft(ResourceKind.REPOSITORY, "shop", "acme/shop", remote="github.com/acme/shop")
    with transaction.atomic():
        stored = store_resource(connection, draft).repository
    assert stored is not None
    return stored


@pytest.fixture
def jenkins(db: None) -> Connection:
    """With 38 builds of a repository that nobody knows, and one of none."""
    connection = Connection.objects.create(provider="jira", name="Builds")
    builds = [
        PipelineRunDraft(
            external_id=str(number),
            run=str(number),
            name="payments/main",
            repository="https://ci:s3cret@github.com/acme/pay.git" if number else "",
            finished_at=NOON,
        )
        for number in range(39)
    ]
    tell(connection, *builds)
    return connection


def test_the_health_page_says_what_is_not_placed_and_why(admin: Client, member: Client, jenkins: Connection) -> None:
    page = text_of(admin.get("/integrations/"))
    assert "38 pipeline runs of payments/main name github.com/acme/pay. No connection knows it." in page
    assert "1 pipeline run of payments/main names no repository." in page
    rule = f"{reverse(ADD)}?subject=repository&connection={jenkins.pk}&pattern="
    assert f"{rule}github.com%2Facme%2Fpay" in page
    assert f"{rule}payments%2Fmain" in page
    assert "s3cret" not in page
    assert "github.com/acme/pay" not in text_of(member.get("/integrations/"))
    listed = text_of(admin.get(reverse("admin:integrations_connection_unplaced", args=[jenkins.pk])))
    assert "38 pipeline runs of payments/main name github.com/acme/pay. No connection knows it." in listed
    assert f"{rule}github.com%2Facme%2Fpay" in listed


def test_a_rule_is_filled_in_tried_and_saved(admin: Client, jenkins: Connection, shop: Repository) -> None:
    form = text_of(admin.get(f"{reverse(ADD)}?subject=repository&connection={jenkins.pk}&pattern=acme%2Fpay*"))
    assert 'value="acme/pay*"' in form
    given = {"subject": "repository", "connection": jenkins.pk, "pattern": "https://github.com/ACME/pa?.git"}
    tried = text_of(admin.post(reverse("admin:integrations_placingrule_try"), given))
    assert "38 pipeline runs of payments/main name github.com/acme/pay" in tried
    assert "names no repository" not in tried
    assert PlacingRule.objects.count() == 0
    refused = admin.post(reverse(ADD), given)
    assert "Say which repository the name means." in text_of(refused)
    assert admin.post(reverse(ADD), given | {"repository": shop.pk}).status_code == 302
    place_waiting()
    assert PipelineRun.objects.filter(repository=shop).count() == 38


def test_trying_says_which_names_have_a_place_without_the_rule(admin: Client, shop: Repository) -> None:
    given = {"subject": "repository", "pattern": "acme/*"}
    tried = text_of(admin.post(reverse("admin:integrations_placingrule_try"), given))
    assert "No waiting record." in tried
    assert "acme/shop" in tried
    assert "Enter a name or a pattern." in text_of(admin.post(reverse("admin:integrations_placingrule_try"), {}))


def test_a_rule_for_a_service_is_tried_on_the_records_that_name_it(admin: Client, jenkins: Connection) -> None:
    tell(jenkins, *(IncidentDraft(external_id=str(n), service="Checkout (EU)", started_at=NOON) for n in range(3)))
    given = {"subject": "service", "pattern": "checkout*", "service": "payments"}
    tried = text_of(admin.post(reverse("admin:integrations_placingrule_try"), given))
    assert "3 records of the service Checkout (EU)" in tried
    assert admin.post(reverse(ADD), given).status_code == 302
    assert apply_placing_rules() == 3
    assert set(Incident.objects.values_list("service", flat=True)) == {"payments"}


def test_a_member_may_not_try_rules(member: Client) -> None:
    assert member.post(reverse("admin:integrations_placingrule_try"), {}).status_code == 302
