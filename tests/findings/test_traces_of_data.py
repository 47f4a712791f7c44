"""Every number of a finding about data is that of records: counted a second time from what was pushed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import unescape
from statistics import median
from typing import Any, cast

import pytest
from django.db.models import Sum
from django.test import Client

from insights.findings.checks import WEEK
from insights.findings.data_quality import data_checks
from insights.findings.detectors import OF_DATA
from insights.findings.night import Night, store
from insights.findings.words import worded
from insights.models import Finding
from insights.query.query import Window
from integrations.delivery.allocation.measure import measure_effort
from integrations.models import Effort, Silence
from orgtree.models import Identity, IndividualPolicy
from tests.delivery.linking.delivery import Record
from tests.findings.test_findings import MONDAY, TODAY
from tests.findings.test_traces import push
from tests.pages.delivering import at, deployed, merged
from tests.personas import EXECUTIVE, signed_in
from tests.teams import OTHERS_IN_PLATFORM, create_teams

pytestmark = pytest.mark.django_db
OWN, STRANGER = "acme/own", "a-stranger"
QUARTER = Window(MONDAY - 13 * WEEK, MONDAY)
SILENT_SINCE = MONDAY - 3 * WEEK
BEFORE_SILENCE = Window(SILENT_SINCE - 13 * WEEK, SILENT_SINCE)


def numbered() -> list[tuple[int, date]]:
    """A pull request a day until the tool fell silent."""
    return [(number, BEFORE_SILENCE.start + timedelta(days=number)) for number in range(13 * 7)]


def is_of_stranger(number: int) -> bool:
    return number % 5 == 2


def is_guessed(number: int) -> bool:
    return number % 4 == 0


def is_skewed(number: int) -> bool:
    return number % 6 == 1


def is_linked(number: int) -> bool:
    return number % 3 == 0


def a_quarter() -> Iterator[Record]:
    """One pull request a day: some of a stranger, some with a commit after they were opened, some of a work item; each
    is released at once, some without a commit that says so.
    """
    item = {"id": "SHOP-1", "project": "SHOP", "title": "A basket", "type": "feature", "status_category": "in_progress"}
    yield "work-items", {**item, "created_at": at(BEFORE_SILENCE.start, 0), "assignee": "ada@example.com"}
    for number, day in numbered():
        waits = number * 3 % 7  # on the same day
        record = merged(number + 1, day, author=OTHERS_IN_PLATFORM[number % 5], waits=waits)
        if is_of_stranger(number):
            record["author"] = STRANGER
        record |= {"repository": OWN, "work_items": ["SHOP-1"] if is_linked(number) else []}
        committed = at(day, 3 if is_skewed(number) else -(number * 3 % 11))
        [commit] = cast("list[dict[str, object]]", record["commits"])
        record["commits"] = [{**commit, "authored_at": committed, "committed_at": committed}]
        yield "pull-requests", record
        sha = {} if is_guessed(number) else {"sha": f"{number + 1:040x}"}
        yield "deployments", deployed(number + 1, day, waits=waits, **sha) | {"repository": OWN}


def rows_of(client: Client, key: str) -> list[dict[str, Any]]:
    params = {"from": QUARTER.start.isoformat(), "to": QUARTER.end.isoformat(), "size": "1000"}
    rows: list[dict[str, Any]] = client.get(f"/api/v1/metrics/{key}/rows/", params).json()["rows"]
    return rows


def bounds(known: Sequence[float], uncertain: int) -> tuple[float, float, float]:
    """The median of the certain ones, and with all uncertain ones shorter or longer than any of them."""
    shorter, longer = [min(known)] * uncertain, [max(known)] * uncertain
    return median(known), median([*shorter, *known]), median([*known, *longer])


def test_every_number_about_data_is_that_of_rows() -> None:
    create_teams(IndividualPolicy.NAMED)
    push(*a_quarter())
    assert Identity.objects.filter(value=STRANGER).update(person=None), "nobody knows whose account it is"
    measure_effort()
    Silence.objects.create(sender="connection:1", sender_name="Shop", since=SILENT_SINCE)
    checks = {check.detector.key.removeprefix("data."): check for check in data_checks(MONDAY)}
    store(Night(len(checks), [*checks.values()]), today=TODAY)
    findings = {one.detector.removeprefix("data."): one for one in Finding.objects.all()}
    client = signed_in(EXECUTIVE)
    inside = [number for number, day in numbered() if day >= QUARTER.start]
    merges, coding, leads = (rows_of(client, key) for key in ("pr.throughput", "pr.coding_time", "dora.lead_time"))
    assert len(merges) == len(leads) == len(inside)
    effects = {name: {one["metric"]: one for one in finding.details["effects"]} for name, finding in findings.items()}

    known_people = {name.capitalize() for name in OTHERS_IN_PLATFORM}
    strangers = [row for row in merges if row["person"] not in known_people]
    assert len(strangers) == sum(map(is_of_stranger, inside))
    assert is_share(findings["unmatched_people"], 100 * len(strangers) / len(merges), of=len(merges))
    known = len(merges) - len(strangers)
    assert effects["unmatched_people"]["pr.throughput"] == effect("pr.throughput", known, known, len(merges))

    guessed = [row for row in leads if row["method"] == "time"]
    assert len(guessed) == sum(map(is_guessed, inside))
    assert is_share(findings["unknown_commits"], 100 * len(guessed) / len(leads), of=len(leads))
    sure = [row["contribution"] for row in leads if row["method"] != "time"]
    assert effects["unknown_commits"]["dora.lead_time"] == effect("dora.lead_time", *bounds(sure, len(guessed)))

    skewed = len(merges) - len(coding)
    assert skewed == sum(map(is_skewed, inside))
    assert is_share(findings["clock_skew"], 100 * skewed / len(merges), of=len(merges))
    times = [row["contribution"] for row in coding]
    assert effects["clock_skew"]["pr.coding_time"] == effect("pr.coding_time", *bounds(times, skewed))

    assert is_share(findings["stale_sources"], 100 * 3 / 13, of=len(merges))
    assert effects["stale_sources"]["pr.throughput"] == effect(
        "pr.throughput", len(merges), len(merges), len(numbered())
    )
    assert findings["stale_sources"].since == SILENT_SINCE

    days = Effort.objects.filter(day__gte=QUARTER.start, day__lt=QUARTER.end)
    whole, unlinked = (float(some.aggregate(sum=Sum("days"))["sum"]) for some in (days, days.filter(work_item=None)))
    assert is_share(findings["missing_links"], 100 * unlinked / whole, of=days.count())
    new = 100 - 100 * unlinked / whole
    assert effects["missing_links"]["allocation.new_share"] == effect("allocation.new_share", new, new, 100)
    assert len(findings) == len(OF_DATA), "every kind is there"
    page = client.get("/insights/findings/").content.decode()
    for finding in findings.values():
        words = worded(finding, {})
        assert words is not None
        assert f"{finding.after:.1f}%" in words.title
        assert words.title in unescape(page)


def is_share(finding: Finding, percent: float, *, of: int) -> bool:
    return finding.after == pytest.approx(percent) and finding.sample == of


def effect(metric: str, value: float, low: float, high: float) -> dict[str, object]:
    return {
        "metric": metric,
        **{name: pytest.approx(one) for name, one in (("value", value), ("low", low), ("high", high))},
    }
