"""Bills that telemetry explains less of than before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from integrations.models import Connection, Silence
from integrations.silence.watch import watch
from tests.org import Org
from tests.personas import ADMIN, create_user
from tests.vendor_reports import report_of, store

pytestmark = pytest.mark.django_db
LAST = date(2026, 3, 17)  # day of the bill
NOW = datetime(2026, 3, 18, 8, tzinfo=UTC)
DAYS = [LAST - timedelta(days=number) for number in range(35)]
NEW = ("ben", "cem", "dan")  # whose agents send nothing


def bill(vendor: Connection, *, since: date | None) -> None:
    """Three dollars a day of Ada, and from `since` on as much of each of three others."""
    store(vendor, [report_of(day, "ada", *(NEW if since and day >= since else ())) for day in DAYS])


@pytest.fixture
def vendor(org: Org) -> Connection:
    """Whose bill of Ada her sessions explain."""
    for day in DAYS:
        org.session(by="ada", on=day, requests=10, tokens=1_000_000)
    org.fold()
    return Connection.objects.create(provider="anthropic", name="Anthropic")


def test_a_bill_that_is_explained_as_before_is_none(vendor: Connection) -> None:
    bill(vendor, since=DAYS[-1])
    assert watch(NOW) == 0


def test_people_without_telemetry_are_noticed_once_and_end_with_it(vendor: Connection, client: Client) -> None:
    bill(vendor, since=DAYS[6])
    assert watch(NOW) == 1
    assert watch(NOW) == 0
    [silence] = Silence.objects.open()
    assert (silence.sender, silence.since) == ("bill:claude_code", DAYS[6])
    assert silence.share_before == pytest.approx(1.0)
    client.force_login(create_user(ADMIN))
    page = client.get("/integrations/").content.decode()
    assert "Telemetry explains less of the bill of Claude Code" in page
    assert "In the four weeks before, it explained 100" in page
    bill(vendor, since=None)
    assert watch(NOW) == 0
    silence.refresh_from_db()
    assert silence.end == Silence.End.RETURNED


def test_a_small_rise_is_none(vendor: Connection) -> None:
    bill(vendor, since=DAYS[1])  # 18 dollars
    assert watch(NOW) == 0


def test_without_a_bill_it_ends(vendor: Connection) -> None:
    bill(vendor, since=DAYS[6])
    watch(NOW)
    watch(NOW + timedelta(days=30))
    assert Silence.objects.get(sender="bill:claude_code").end == Silence.End.REMOVED
