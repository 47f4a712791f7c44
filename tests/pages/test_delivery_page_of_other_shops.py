"""The delivery page of shops that deliver otherwise than that of tests/pages/test_delivery_page.py, or not at all."""

from __future__ import annotations

import re

from django.test import Client

from tests.org import Org
from tests.pages.delivering import day_before, deliver, deployed, merged
from tests.pages.test_ai_page import tile
from tests.pages.test_delivery_page import PAGE, page, part, stages_card, verdict, words


def test_without_one_metric_there_is_no_score(org: Org, member: Client) -> None:
    org.push("deployments", deployed(1, day_before(3)))
    html = page(member)
    assert "No score: lead time for changes and recovery time are missing." in html


def test_the_bottleneck_says_what_became_worse(org: Org, member: Client) -> None:
    """Reviews came at once in the first four weeks, and eight hours later in the last."""
    early = [day_before(40 + number) for number in range(6)]
    late = [day_before(3 + number) for number in range(6)]
    org.push("pull-requests", *(merged(n, day) for n, day in enumerate(early, 1)))
    org.push("pull-requests", *(merged(n, day, waits=8) for n, day in enumerate(late, 11)))
    org.push("deployments", *(deployed(n, day) for n, day in enumerate(early, 1)))
    org.push("deployments", *(deployed(n, day, waits=8) for n, day in enumerate(late, 11)))
    card = stages_card(page(member, range="4w"))
    assert "Pickup is the bottleneck: 65% of lead time" in card
    assert "The median change waits 12.0 h, the mean without the slowest 5% is 12.0 h (+8.0 h" in card
    assert "vs. previous 4 weeks, the only stage that got slower)." in card
    assert "Returning to 4.0 h would cut lead time by 43%." in card  # 8 of 18.5 hours


def test_too_few_pull_requests_call_no_bottleneck_out(org: Org, member: Client) -> None:
    deliver(org, changes=2, unreviewed=0)
    html = page(member)
    assert "is the bottleneck" not in html
    assert "No bottleneck: Fewer than 5 changes" in stages_card(html)
    assert "10.5 h" in stages_card(html)
    assert "Small sample: 2 of the 5 that a stable figure needs." in tile(html, "dora.lead_time")


def test_without_data_the_page_says_what_to_connect(member: Client, db: None) -> None:
    html = page(member)
    assert "No deployment has been synced or pushed yet." in tile(html, "dora.deployment_frequency")
    assert "Missing DORA inputs" in html
    needs = words(part(member, "dora_needs"))
    assert "Deployments Missing." in needs
    assert "Issue tracker Missing." in needs
    for name in ("efficiency", "quality", "hygiene"):
        assert f"{PAGE}{name}/" in html, "its tab"
        assert "What to look for" not in part(member, name)


def test_the_slowest_pull_requests_come_first_and_open(org: Org, member: Client) -> None:
    days = [day_before(3 + number) for number in range(3)]
    org.push("pull-requests", *(merged(n, day, waits=n) for n, day in enumerate(days, 1)))
    org.push("deployments", *(deployed(n, day, waits=n) for n, day in enumerate(days, 1)))
    table = part(member, "slowest", spread="pr.cycle_time")
    assert re.findall(r">Change (\d)<", table) == ["3", "2", "1"]
    assert re.search(r'href="/insights/pull-requests/\d+/"', table)
    assert "8.5 h" in words(table)  # opened 2 h after the first commit, merged 7.5 h after it, and 3 h later


def test_titles_from_elsewhere_are_text(org: Org, member: Client) -> None:
    hostile = "<script>alert('x')</script>&\"'"
    org.push("pull-requests", merged(1, day_before(3), title=hostile))
    org.push("deployments", deployed(1, day_before(3)))
    assert "<script>alert" not in part(member, "slowest")
    assert "&lt;script&gt;alert" in part(member, "slowest")


def test_the_verdict_names_what_moved_and_no_small_sample(org: Org, member: Client) -> None:
    courses = [*((100 + n, 0.0) for n in range(8)), *((20 + n, 60.0) for n in range(8))]
    for number, (ago, waits) in enumerate(courses, start=1):
        org.push("pull-requests", merged(number, day_before(ago), waits=waits))
        org.push("deployments", deployed(number, day_before(ago), waits=waits))
    said = verdict(page(member))
    assert said.startswith("Lead time for changes is worse than in the previous 12 weeks. Pickup is the bottleneck")
    assert "recovery time" not in said.lower(), "no failure, no recovery"
