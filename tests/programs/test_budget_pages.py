"""Pages and API of budgets and charge-back."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client

from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, VendorUsageDraft, Who
from integrations.enums import VendorContent, VendorLevel
from integrations.models import Connection
from orgtree.models import Attribute, Person, PersonAttribute
from programs.budgets.services.alerting import alert_of_budgets
from programs.models import Budget
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, create_user
from tests.programs.budgets import IN_PLATFORM, budget, spends, spends_weekly, weeks_before
from tests.programs.reminders import open_accounts
from tests.teams import Teams, create_teams
from tests.vendor_reports import store

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
EIGHT_WEEKS = weeks_before(date(2026, 11, 16), 8)
SINCE_2025 = DateRange(date(2025, 1, 1), None)


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        teams = create_teams()
        open_accounts()
        yield teams


def client_of(persona: Any) -> Client:
    client = Client()
    client.force_login(create_user(persona))
    return client


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return response.content.decode()


def centre(name: str, *people: str) -> None:
    attribute, _ = Attribute.objects.get_or_create(slug="cost_centre", name="Cost centre")
    for person in people:
        PersonAttribute.objects.create(
            person=Person.objects.get(email=f"{person}@example.com"),
            attribute=attribute,
            value=name,
            during=SINCE_2025,
        )


def charged(persona: Any, **params: str) -> list[dict[str, str]]:
    response = client_of(persona).get("/api/v1/charge-back.csv", {"attribute": "cost_centre", **params})
    assert response.status_code == 200, response.content
    body = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(body)))


def by_centre(rows: list[dict[str, str]], month: str = "2026-11") -> dict[str, float]:
    return {row["cost_centre"]: float(row["spend_usd"]) for row in rows if row["month"] == month}


def test_the_list_shows_spend_forecast_and_contacts(org: Org) -> None:
    spends_weekly(org, 10, weeks=EIGHT_WEEKS)
    budget(amount=200)
    page = text(client_of(EXECUTIVE), "/insights/ai/budgets/")
    for words in ("Platform", "$120", "$240", "Forecast to exceed it", "Ada", "Edith", "Alerts at 80% forecast"):
        assert words in page
    assert "Alerts sent" not in page
    assert alert_of_budgets() == 1
    assert re.search(r"Alerts sent \d+ \w+: 80% forecast", text(client_of(EXECUTIVE), "/insights/ai/budgets/"))
    assert "No budgets in October 2026" in text(client_of(EXECUTIVE), "/insights/ai/budgets/?month=2026-10")
    assert "month=2026-13" not in page
    assert client_of(EXECUTIVE).get("/insights/ai/budgets/?month=2026-13").status_code == 400


def limits(day: int, *people: tuple[str, str, str | None, str]) -> None:
    """A report of the day: each person's name, the level of their limit, the limit, and what they have spent."""
    anthropic, _ = Connection.objects.get_or_create(provider="anthropic", name="Anthropic")
    usage = [
        VendorUsageDraft(
            level=VendorLevel.PERSON,
            person=Who(email=f"{name}@example.com"),
            product=level,
            spend_limit=None if amount is None else Decimal(amount),
            cost=Decimal(spent),
            currency="USD",
        )
        for name, level, amount, spent in people
    ]
    report = VendorReportDraft(
        external_id=f"limits:{day}",
        report="limits",
        content=VendorContent.LIMITS,
        day=date(2026, 11, day),
        usage=ProvidedParts(usage),
    )
    store(anthropic, [report])


def test_limits_of_vendors_stand_beside_budgets_without_names_or_few_people() -> None:
    everybody = [f"{first}da" for first in "abcde"]
    limits(14, *((name, "organization", "9", "9") for name in everybody))
    of_tier = [(name, "seat_tier", None if name == "eda" else "500", "399") for name in everybody[:-2]]
    limits(
        15,
        *of_tier,
        ("dda", "seat_tier", "500", "400"),
        ("eda", "seat_tier", "1000", "1000"),
        ("fred", "seat_tier", None, "1.25"),
        ("gil", "user", "5", "4"),
    )
    page = re.sub(r"<[^>]+>|\s+", " ", text(client_of(EXECUTIVE), "/insights/ai/budgets/"))
    row = re.sub(r" +", " ", page.partition("Near a limit")[2])
    assert "Anthropic on 15 November 2026 The seat tier 6 5 with a limit $3,000 $2,598" in row
    assert "1 at the limit, 1 at 80 % or more" in row
    assert "The person" not in row, "a level of one person"
    assert "eda" not in row
    for persona in (MANAGER, MEMBER):
        assert "Limits at vendors" not in text(client_of(persona), "/insights/ai/budgets/")


def test_the_ai_page_shows_the_budget_of_its_unit(org: Org) -> None:
    spends_weekly(org, 60, weeks=EIGHT_WEEKS)
    budget()
    budget(unit="")
    client = client_of(EXECUTIVE)
    assert "Budget of Nov" in text(client, "/insights/ai/parts/spend_budgets/?unit=platform")
    assert "Budget of Nov" in text(client, "/insights/ai/parts/spend_budgets/?from=2026-10-09&to=2026-11-16")


def test_a_budget_is_set_changed_and_its_history_names_the_author() -> None:
    client = client_of(MANAGER)
    sent = {"unit": "platform", "amount": "500", "first_month": "2026-11", "spent_percent": "90"}
    assert client.post("/insights/ai/budgets/new/", sent).status_code == 302
    stored = Budget.objects.get()
    assert (stored.forecast_percent, stored.spent_percent) == (None, 90)
    path = f"/insights/ai/budgets/{stored.pk}/"
    assert client.post(path, {**sent, "amount": "700", "version": "1"}).status_code == 302
    page = text(client, path)
    assert "Amount a month: 500.00 → 700.00" in page
    assert "Edith" in page
    conflict = client.post(path, {**sent, "amount": "900", "version": "1"})
    assert conflict.status_code == 409
    assert client.post("/insights/ai/budgets/new/", sent).status_code == 400
    assert client_of(MEMBER).get(path).status_code == 404
    assert client.post(f"{path}remove/").status_code == 302
    assert not Budget.objects.exists()


def test_the_api_writes_and_reads_as_the_pages_do(org: Org) -> None:
    spends_weekly(org, 10, weeks=EIGHT_WEEKS)
    client = client_of(MANAGER)
    sent = {"unit": "platform", "amount": 200, "first_month": "2026-11"}
    added = client.post("/api/v1/budgets/", sent, content_type="application/json")
    assert added.status_code == 201, added.content
    document = added.json()
    assert document["spent"] == pytest.approx(120, abs=0.01)
    assert document["forecast"] == pytest.approx(240, abs=0.01)
    assert (document["state"], document["contacts"], document["first_month"]) == ("forecast_over", ["Edith"], "2026-11")
    path = f"/api/v1/budgets/{document['id']}/"
    changed = client.patch(path, {"amount": 300.5, "version": 1}, content_type="application/json")
    assert changed.json()["amount"] == 300.5
    assert client.patch(path, {"amount": 1, "version": 1}, content_type="application/json").status_code == 409
    assert client.patch(path, {"amount": -1, "version": 2}, content_type="application/json").status_code == 400
    assert client_of(MEMBER).patch(path, {"amount": 1, "version": 2}, "application/json").status_code == 403
    listed = client_of(MEMBER).get("/api/v1/budgets/").json()
    assert [line["amount"] for line in listed["budgets"]] == [300.5]
    assert client.delete(path).status_code == 204


def test_cost_centres_add_up_to_the_total_and_nobodys_is_a_row(org: Org) -> None:
    everybody = (*IN_PLATFORM, "grace", "lise", "edith", "x1", "x2", "x3", "x4")
    centre("R&D", *IN_PLATFORM)
    spends(org, 10, on="2026-11-04", people=everybody)
    spends(org, 1, on="2026-10-05", people=IN_PLATFORM)
    rows = charged(EXECUTIVE, **{"from": "2026-10", "to": "2026-11"})
    assert by_centre(rows) == pytest.approx({"R&D": 60, "No cost centre": 70, "Total": 130}, abs=0.01)
    assert by_centre(rows, "2026-10") == pytest.approx({"R&D": 6, "No cost centre": 0, "Total": 6}, abs=0.01)
    page = text(client_of(EXECUTIVE), "/insights/ai/charge-back/?attribute=cost_centre")
    assert "$130.00" in page
    of_one = charged(EXECUTIVE, agent="claude_code")
    assert by_centre(of_one)["Total"] == pytest.approx(130, abs=0.01)
    assert {row["agent"] for row in of_one} == {"claude_code"}
    assert by_centre(charged(EXECUTIVE, agent="codex"))["Total"] == 0


def test_a_centre_of_few_people_is_no_row_and_cannot_be_subtracted(org: Org) -> None:
    """Two of Sales beside six of R&D: what is left of the total would be theirs."""
    centre("R&D", *IN_PLATFORM)
    centre("Sales", "grace", "lise")
    spends(org, 10, on="2026-11-04", people=(*IN_PLATFORM, "grace", "lise"))
    found = by_centre(charged(EXECUTIVE))
    assert found == pytest.approx({"No cost centre, and centres of too few people": 80, "Total": 80}, abs=0.01)


def test_a_centre_named_like_a_formula_stays_text(org: Org) -> None:
    centre("=1+1", *IN_PLATFORM)
    spends(org, 10, on="2026-11-04")
    assert "'=1+1" in by_centre(charged(EXECUTIVE))


@pytest.mark.parametrize(
    "params",
    [
        {"attribute": "shoe_size"},
        {"agent": "clippy"},
        {"from": "2026-13"},
        {"from": "2026-11", "to": "2026-10"},
        {"from": "2020-01"},
    ],
)
def test_what_is_wrong_is_named(params: dict[str, str]) -> None:
    centre("R&D", "ada")
    given = {"attribute": "cost_centre", **params}
    assert client_of(EXECUTIVE).get("/api/v1/charge-back.csv", given).status_code == 400
    assert client_of(EXECUTIVE).get("/insights/ai/charge-back/", given).status_code == 400


@pytest.mark.parametrize("attribute", ["", "cost_centre"])
def test_a_unit_that_does_not_exist_is_no_page(attribute: str) -> None:
    centre("R&D", "ada")
    given = {"unit": "nowhere", "attribute": attribute}
    assert client_of(EXECUTIVE).get("/insights/ai/charge-back/", given).status_code == 404


def test_members_charge_back_their_own_unit_alone(org: Org) -> None:
    centre("R&D", *IN_PLATFORM)
    spends(org, 10, on="2026-11-04")
    assert by_centre(charged(MEMBER, unit="platform"))["R&D"] == pytest.approx(60, abs=0.01)
    assert client_of(MEMBER).get("/api/v1/charge-back.csv?attribute=cost_centre&unit=search").status_code == 404
    assert client_of(MEMBER).get("/api/v1/charge-back.csv?attribute=cost_centre").status_code in (400, 403)
