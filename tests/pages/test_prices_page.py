"""The page of prices, and what the spend section says of seats and of tokens without a price."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from insights.ui import wording
from integrations.connectors.drafts import ProvidedParts
from integrations.enums import VendorContent
from integrations.models import Connection, PriceOverride
from integrations.telemetry.prices.overrides import save_override
from integrations.telemetry.seats.csv_import import import_seats
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.pages.recomputed import rows_of, total
from tests.personas import ADMIN, create_user
from tests.vendor_reports import report_of, store

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(create_user(ADMIN))
    return client


@pytest.fixture
def used(org: Org) -> Org:
    today = timezone.localdate() - timedelta(days=1)
    for name in ("ada", "ben", "cem", "dan", "eve"):
        org.session(by=name, on=today, tokens=100_000, output=1_000, model="claude-sonnet-4-5")
    org.session(by="ada", on=today, tokens=50_000, model="acme-1")
    org.fold()
    Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)
    return org


def rows(client: Client, **params: str) -> list[dict[str, str]]:
    answered = client.get(reverse("ai_prices_csv"), params)
    return list(csv.DictReader(io.StringIO(answered.getvalue().decode("utf-8-sig"))))


def test_the_same_tokens_on_another_model(admin: Client, used: Org) -> None:
    by_model = {row["Model"]: row for row in rows(admin, all="claude-haiku-4-5")}
    assert float(by_model["claude-sonnet-4-5"]["Spend (USD)"]) == pytest.approx(5 * 0.315)
    assert float(by_model["claude-sonnet-4-5"]["Spend then (USD)"]) == pytest.approx(5 * 0.105)
    assert by_model["acme-1"]["Spend (USD)"] == ""
    assert float(by_model["acme-1"]["Spend then (USD)"]) == pytest.approx(0.05)


def test_one_model_alone_is_exchanged(admin: Client, used: Org) -> None:
    page = admin.get(
        reverse("ai_prices"), {"used": ["claude-sonnet-4-5", "acme-1"], "instead": ["", "claude-haiku-4-5"]}
    ).content.decode()
    assert "$0.05" in page
    assert "1 model excluded" in page  # what it cost before is not known


def test_a_model_without_a_price_is_listed_and_can_be_given_one(admin: Client, used: Org) -> None:
    page = admin.get(reverse("ai_prices")).content.decode()
    assert "Models without a price" in page
    assert f"{reverse('admin:integrations_priceoverride_add')}?model=acme-1" in page


def test_tokens_without_a_price_open_to_these_alone(admin: Client, org: Org) -> None:
    """The model has a price from yesterday on: what was used before is not known."""
    today = timezone.localdate()
    since = DateRange(today - timedelta(days=1), None)
    priced = PriceOverride(model="acme-1", during=since, input=Decimal(2), output=Decimal(8), reason="A contract")
    save_override(priced, by=None)
    org.session(by="ada", on=today - timedelta(days=5), tokens=30_000, model="acme-1")
    org.session(by="ada", on=today - timedelta(days=1), tokens=50_000, model="acme-1")
    org.fold()
    page = admin.get(reverse("ai_prices")).content.decode()
    _, _, without_price = page.partition("Models without a price")
    [(address, printed)] = re.findall(r'<a class="hw-drill" href="([^"]+)"[^>]*>([^<]+)</a>', without_price)
    opened = rows_of(lambda url: admin.get(url).getvalue(), address)
    assert printed == wording.compact(total(opened, "Contribution")) == wording.compact(30_000)


def test_a_name_that_nobody_knows_is_said(admin: Client, used: Org) -> None:
    page = admin.get(reverse("ai_prices"), {"all": "sonet"}).content.decode()
    assert "No price is known for <code>sonet</code>" in page


def test_a_list_that_does_not_fit_is_refused(admin: Client, used: Org) -> None:
    assert admin.get(reverse("ai_prices"), {"used": ["a", "b"], "instead": ["c"]}).status_code == 400
    assert admin.get(reverse("ai_prices"), {"all": "x" * 300}).status_code == 400


def test_models_of_few_people_are_left_out(client: Client, used: Org) -> None:
    Organisation.objects.update(individual_policy=IndividualPolicy.PSEUDONYMS)
    client.force_login(User.objects.create_superuser("eva", "eva@example.com", "secret"))
    assert rows(client) == []  # the other model alone would tell of them by subtraction

    assert "2 models not shown" in client.get(reverse("ai_prices")).content.decode()


def test_without_tokens_the_page_says_so(admin: Client) -> None:
    assert "No tokens in this period" in admin.get(reverse("ai_prices")).content.decode()


def test_it_takes_few_queries(admin: Client, used: Org, django_assert_max_num_queries: pytest.FixtureRequest) -> None:
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        admin.get(reverse("ai_prices"), {"all": "claude-haiku-4-5"})


def test_seats_are_added_on_request(admin: Client, used: Org) -> None:
    assert "With seats" not in admin.get(reverse("ai_tab", args=["spend"])).content.decode()
    start = timezone.localdate().replace(day=1)
    import_seats(
        f"agent,plan,monthly_price,email,seats,start,end\nclaude_code,Team,30,zoe@example.com,,{start},\n".encode()
    )
    page = admin.get(reverse("ai_tab", args=["spend"])).content.decode()
    assert "With seats" in page
    assert "Spend with seats" not in page
    assert "1 of 1 seat unused" in page
    assert "Spend with seats" in admin.get(reverse("ai_tab", args=["spend"]), {"cost": "seats"}).content.decode()
    page = admin.get(reverse("ai_tab", args=["adoption"]), {"developers": "licensed"}).content.decode()
    assert "0 of 1 developer with a seat used it" in page


def test_unused_seats_by_vendors_stand_there_although_none_is_entered(admin: Client, used: Org) -> None:
    used.people({"full_name": "Zoe", "email": "zoe@example.com"})
    vendor = Connection.objects.create(provider="anthropic", name="Anthropic")
    seats = report_of(timezone.localdate() - timedelta(days=3), "ada", "zoe", content=VendorContent.SEATS)
    assert isinstance(seats.usage, ProvidedParts)
    parts = [replace(part, last_used_on=None) for part in seats.usage.parts]
    store(vendor, [replace(seats, usage=ProvidedParts(parts))])
    page = admin.get(reverse("ai_tab", args=["spend"])).content.decode()
    assert "1 of 2 seats unused" in page, "ada had a session"
    assert "With seats" not in page, "what they cost is unknown"
