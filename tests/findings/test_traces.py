"""Every number of a finding is that of rows: what a night finds in records, counted a second time from the rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

import pytest
from django.test import Client

from insights.findings.checks import WEEK, WEEKS
from insights.findings.night import look, store
from insights.findings.words import names_behind, worded
from insights.models import Finding
from orgtree.models import IndividualPolicy
from tests.delivery.linking.delivery import Record, push
from tests.findings.test_findings import MONDAY, TODAY
from tests.personas import EXECUTIVE, signed_in
from tests.teams import OTHERS_IN_PLATFORM, create_teams

pytestmark = pytest.mark.django_db
SLOW_WEEKS = 12
PEOPLE = ("ada", *OTHERS_IN_PLATFORM)
CHANGED = MONDAY - SLOW_WEEKS * WEEK


def pull_requests() -> Iterator[Record]:
    """Six people of Platform merge one each a week; for twelve weeks the first review comes three times as late."""
    for week in range(WEEKS):
        monday = MONDAY - (WEEKS - week) * WEEK
        for number, author in enumerate(PEOPLE):
            opened = datetime.combine(monday + timedelta(days=number % 4), time(8), UTC)
            usual = 3 + (week * 7 + number * 5) % 4 + number / 10
            reviewed = opened + timedelta(hours=usual * (3 if monday >= CHANGED else 1))
            review = {"author": f"{PEOPLE[number - 1]}@example.com", "state": "approved"}
            record = {
                **{"id": f"shop#{week}-{number}", "repository": "acme/shop", "number": week * 10 + number + 1},
                **{"author": f"{author}@example.com", "state": "merged", "additions": 10, "deletions": 0},
                **{"created_at": opened.isoformat(), "merged_at": (reviewed + timedelta(hours=1)).isoformat()},
                "reviews": [{**review, "submitted_at": reviewed.isoformat()}],
            }
            yield "pull-requests", record


def waits_by_week(client: Client, metric: str, since: date, until: date) -> list[list[float]]:
    """The waits of the rows that the page shows, of each week."""
    weeks = []
    for number in range((until - since) // WEEK):
        monday = since + number * WEEK
        params = {"unit": "platform", "from": monday.isoformat(), "to": (monday + WEEK).isoformat(), "size": "1000"}
        answer = client.get(f"/api/v1/metrics/{metric}/rows/", params).json()
        assert answer["total"] == len(answer["rows"])
        weeks.append([row["contribution"] for row in answer["rows"]])
    return weeks


def test_every_number_of_a_finding_is_that_of_rows() -> None:
    create_teams(IndividualPolicy.NAMED)
    push(*pull_requests())
    store(look(TODAY), today=TODAY)
    [finding] = Finding.objects.filter(metric="pr.pickup_time", unit__slug="platform")
    client = signed_in(EXECUTIVE)
    assert finding.since == CHANGED
    before = waits_by_week(client, finding.metric, MONDAY - WEEKS * WEEK, finding.since)
    since = waits_by_week(client, finding.metric, finding.since, finding.until)
    assert finding.before == pytest.approx(median(median(week) for week in before))
    assert finding.after == pytest.approx(median(median(week) for week in since))
    assert finding.sample == sum(map(len, since)) == SLOW_WEEKS * len(PEOPLE)
    words = worded(finding, names_behind([finding]))
    assert words is not None
    for hours in (finding.before, finding.after):
        assert f"{hours / 3600:.1f} h" in words.title
    a_month = (finding.after - finding.before) / 3600 * finding.sample / SLOW_WEEKS * 365.25 / 12 / 7
    assert f"{a_month:.0f} hours of waiting a month" in words.cost
    assert finding.low < finding.after - finding.before < finding.high
