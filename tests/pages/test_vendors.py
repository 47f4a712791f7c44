"""Pages of an organisation of which vendors' reports are all that is known, and the reconciliation with their bills."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from integrations.enums import VendorContent
from integrations.models import Connection
from orgtree.access.trust import trial_state
from tests.org import Org
from tests.personas import EXECUTIVE, create_user
from tests.vendor_reports import report_of, store

pytestmark = pytest.mark.django_db
PEOPLE = ("ada", "ben", "cem", "dan", "eve", "fay")


@pytest.fixture
def vendor(org: Org) -> Connection:
    """Six people, of whom five used an agent yesterday."""
    org.people(*({"full_name": name.title(), "email": f"{name}@example.com"} for name in PEOPLE), on="2025-01-01")
    connection = Connection.objects.create(provider="anthropic", name="Anthropic")
    yesterday = date.today() - timedelta(days=1)  # noqa: DTZ011  # of the process's own clock, as the pages'
    store(connection, [report_of(yesterday, *PEOPLE[:5], content=content) for content in VendorContent])
    return connection


@pytest.mark.usefixtures("vendor")
def test_without_telemetry_the_ai_page_says_what_vendors_know(client: Client) -> None:
    client.force_login(create_user(EXECUTIVE))
    opened = client.get("/insights/ai/")
    assert opened.status_code == 302
    assert opened.headers["Location"].startswith("/insights/ai/vendors/")
    page = client.get("/insights/ai/vendors/").content.decode()
    assert "Use by any source" in page
    assert "known from the vendor alone" in page
    assert "What telemetry adds" in page
    assert "5 active developers." in page


@pytest.mark.usefixtures("vendor")
def test_people_of_vendors_reports_end_trial_mode() -> None:
    """Five people have activity, though nothing but a vendor tells of it."""
    assert not trial_state().in_trial


def test_without_a_vendor_the_tab_says_what_to_connect(org: Org, client: Client) -> None:
    org.session(by="ada", on=date.today() - timedelta(days=1))  # noqa: DTZ011
    org.fold()
    client.force_login(create_user(EXECUTIVE))
    assert "Connect the API of an agent’s vendor" in client.get("/insights/ai/vendors/").content.decode()


@pytest.mark.usefixtures("vendor")
def test_a_bill_without_telemetry_is_of_people_who_send_none(client: Client) -> None:
    client.force_login(create_user(EXECUTIVE))
    page = client.get("/insights/ai/reconciliation/").content.decode()
    assert "$12.50" in page  # five people at 2.50 dollars
    causes = client.get("/insights/ai/reconciliation/charts/causes.csv").getvalue().decode()
    assert "No telemetry" in causes
    assert "Discount" in causes
    answer = client.get("/api/v1/metrics/ai.bill_difference/series/", {"segment": "cause"}).json()
    by_cause = {part["segment"]["cause"]: part["value"] for part in answer["total"]}
    assert by_cause == {"not_instrumented": 15.0, "discount": -2.5}
