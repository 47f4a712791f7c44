"""Findings and causes where they belong beside their pages: dashboards, the business review, API and CSV."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from django.test import Client

from insights.models import Dashboard, Finding, ReviewWaits
from insights.models.findings import FindingState
from orgtree.models import Unit
from programs.qbr.services.freezing import freeze_qbr
from tests.findings.test_findings import HOUR, slower, stored
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, signed_in
from tests.programs.qbrs import review
from tests.programs.tickets import as_, ticket
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
DEBT = {"answer": "debt", "signs": [{"metric": "pr.revert_rate", "before": 1.0, "after": 6.0}]}


@pytest.fixture
def teams() -> Teams:
    return create_teams()


@pytest.fixture
def found(teams: Teams) -> list[Finding]:
    return stored(slower(teams.search), slower(teams.platform), slower(None))


def file_of(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    text = answer.getvalue().decode().removeprefix("\ufeff")
    return [*csv.DictReader(io.StringIO(text))]


def waits(unit: Unit, people: int = 7) -> ReviewWaits:
    line = {"cause": "few_reviewers", "share": 0.62, "low": 0.4, "high": 0.8}
    rest = {"cause": "unknown", "share": 0.38, "low": 0.2, "high": 0.6}
    days = {"since": date(2026, 8, 24), "until": date(2026, 11, 23)}
    return ReviewWaits.objects.create(
        unit=unit, pull_requests=80, waiting=40, people=people, lines=[line, rest], **days
    )


def test_findings_are_a_csv_file_of_the_page_and_of_the_api(found: list[Finding]) -> None:
    Finding.objects.filter(pk=found[0].pk).update(details={"debt": DEBT})
    for address in ("/insights/findings.csv", "/api/v1/findings.csv"):
        rows = file_of(signed_in(EXECUTIVE), address)
        assert {row["Unit"] for row in rows} == {"search", "platform", ""}
        [row] = [row for row in rows if row["Unit"] == "search"]
        assert row["Finding"].startswith("The wait for a first review in")
        assert (row["Before"], row["After"], row["Hours of waiting a month"]) == ("36000.0", "72000.0", "435")
        assert row["Complexity or debt"].startswith("It looks like growing debt")
        assert [row["Unit"] for row in file_of(signed_in(MEMBER), address)] == ["platform"]
    answer = signed_in(EXECUTIVE).get(f"/api/v1/findings/{found[0].pk}/").json()
    assert answer["complexity_or_debt"] == DEBT
    assert signed_in(EXECUTIVE).get(f"/api/v1/findings/{found[1].pk}/").json()["complexity_or_debt"] is None


def test_what_to_look_at_has_the_findings_on_the_metrics_of_the_page(found: list[Finding]) -> None:
    """Pickup time is a metric of Delivery, not of the AI page."""

    def looked_at(client: Client, page: str) -> str:
        return client.get(f"/insights/{page}/parts/look/", headers={"HX-Request": "true"}).content.decode()

    delivery = looked_at(signed_in(EXECUTIVE), "delivery")
    assert delivery.count("The wait for a first review") == 3
    assert "in Search rose" in delivery
    assert f'href="/insights/findings/?state=open&amp;finding={found[0].pk}"' in delivery
    assert "The wait for a first review" not in looked_at(signed_in(EXECUTIVE), "ai")
    own = looked_at(signed_in(MEMBER), "delivery")
    assert own.count("The wait for a first review") == 1
    assert "in Search" not in own
    Finding.objects.update(state=FindingState.DISMISSED, reason="Known.")
    assert "The wait for a first review" not in looked_at(signed_in(EXECUTIVE), "delivery")


def test_closed_findings_are_a_file_of_their_own(found: list[Finding]) -> None:
    Finding.objects.filter(unit=None).update(state=FindingState.RESOLVED, ended_on=date(2026, 11, 28))
    [row] = file_of(signed_in(EXECUTIVE), "/insights/findings.csv?state=closed")
    assert (row["State"], row["Ended on"]) == ("Resolved", "2026-11-28")


def test_why_reviews_wait_is_a_list_and_a_file(teams: Teams) -> None:
    waits(teams.platform)
    waits(teams.search)
    listed = signed_in(EXECUTIVE).get("/api/v1/review-waits/").json()
    assert listed["total"] == 2
    [own] = signed_in(MEMBER).get("/api/v1/review-waits/").json()["review_waits"]
    assert (own["unit"], own["waiting"], own["causes"][0]) == (
        *("platform", 40),
        {"cause": "few_reviewers", "share": 0.62, "low": 0.4, "high": 0.8},
    )
    assert "people" not in own
    for address in ("/insights/findings/waits.csv", "/api/v1/review-waits.csv"):
        rows = file_of(signed_in(MEMBER), address)
        assert [(row["Unit"], row["Cause"], row["Share (percent)"]) for row in rows] == [
            ("platform", "Few reviewers", "62.0"),
            ("platform", "Cannot tell", "38.0"),
        ]


def test_causes_of_few_people_are_in_no_list(teams: Teams) -> None:
    waits(teams.platform, people=2)
    assert signed_in(MEMBER).get("/api/v1/review-waits/").json()["total"] == 0
    assert file_of(signed_in(MEMBER), "/api/v1/review-waits.csv") == []


def test_a_card_of_a_dashboard_shows_what_its_reader_may_see(found: list[Finding], admin_dashboard: Dashboard) -> None:
    part = f"/insights/dashboards/{admin_dashboard.pk}/parts/c1/"
    whole = signed_in(ADMIN).get(part).content.decode()
    assert whole.count("The wait for a first review") == 3
    own = signed_in(MEMBER).get(part).content.decode()
    assert own.count("The wait for a first review") == 1
    assert "in Search rose" in whole
    assert "in Search" not in own
    file = f"/insights/dashboards/{admin_dashboard.pk}/charts/c1.csv"
    assert [row["Unit"] for row in file_of(signed_in(MEMBER), file)] == ["platform"]


@pytest.fixture
def admin_dashboard(teams: Teams) -> Dashboard:
    client = signed_in(ADMIN)
    answer = client.post("/insights/dashboards/new/", {"title": "Ours", "purpose": ""})
    assert answer.status_code == 302
    dashboard = Dashboard.objects.get()
    page = f"/insights/dashboards/{dashboard.pk}/"
    # A window that another kind of card had left in the form says nothing here.
    assert client.post(f"{page}cards/new/", {"kind": "findings", "window": "4w"}).status_code == 302
    assert client.post(f"{page}share/", {"title": "Ours", "purpose": "", "roles": ["everybody"]}).status_code == 302
    assert client.post(f"{page}publish/").status_code == 302
    dashboard.refresh_from_db()
    assert "window" not in dashboard.published[0]
    return dashboard


def test_a_business_review_lists_the_findings_of_its_period_and_what_became_of_them(found: list[Finding]) -> None:
    platform, whole = found[1], found[2]
    Finding.objects.filter(pk=platform.pk).update(
        *(), state=FindingState.DISMISSED, ended_on=date(2026, 11, 28), reason="Two people left."
    )
    Finding.objects.filter(pk=whole.pk).update(found_on=date(2026, 12, 31), ended_on=None)
    ticket(EXECUTIVE, title="A rota of reviewers", unit="search", metric="pr.pickup_time")
    qbr = review(day=date(2026, 11, 28))
    page = " ".join(signed_in(EXECUTIVE).get(f"/programs/qbr/{qbr.pk}/").content.decode().split())
    assert "3 findings, 1 of them closed" in page
    assert "Two people left" in page
    assert "A rota of reviewers: " in page
    content = json.loads(freeze_qbr(as_(EXECUTIVE), qbr).body)
    assert {(one["unit"] or {}).get("slug") for one in content["findings"]} == {"search", "platform", None}
    assert [one["hours"] for one in content["findings"]] == pytest.approx([434.8] * 3, abs=0.1)
    Finding.objects.all().delete()
    again = signed_in(EXECUTIVE).get(f"/api/v1/qbr/{qbr.pk}/").json()["document"]["findings"]
    assert len(again) == 3, "it is frozen"


def test_a_business_review_shows_findings_of_units_that_its_reader_may_see(found: list[Finding]) -> None:
    qbr = review(unit="platform", day=date(2026, 11, 28))
    listed = signed_in(MANAGER).get(f"/api/v1/qbr/{qbr.pk}/").json()["document"]["findings"]
    assert [one["unit"] for one in listed] == ["platform"]
    assert listed[0]["hours"] == pytest.approx(434.8, abs=0.1)
    assert HOUR == 3600
