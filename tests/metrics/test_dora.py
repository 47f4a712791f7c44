"""The DORA and incident metrics by worked examples: what happened in a week, and what each metric is, by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from insights.metrics.query import Dimension, Granularity, SeriesAnswer, Statistic, Window
from integrations.models import Owned
from integrations.ownership.give import own
from orgtree.models import Unit
from tests.linking.delivery import Delivery, iso
from tests.org import Org
from tests.telemetry.raw_rows import days_cut_in

pytestmark = pytest.mark.django_db
HOUR, DAY = 3600.0, 86400.0
WEEK = "2026-W10"


@pytest.fixture
def shop() -> Delivery:
    return Delivery()


@pytest.fixture
def org(tmp_path: Path) -> Org:
    return Org(tmp_path)


def test_a_week_of_a_team(org: Org, shop: Delivery) -> None:
    """
    | what happened                                                    | when                  |
    |------------------------------------------------------------------|-----------------------|
    | #1 first commit, opened, merged                                  | Mon 08:00 09:00 12:00 |
    | d1 deployed                                                      | Mon 14:00             |
    | an incident begins (no cause named); it is resolved              | Mon 15:00 18:00       |
    | #2 first commit, opened, merged                                  | Tue 08:00 10:00 11:00 |
    | d2 deployed, unplanned                                           | Tue 12:00             |
    | #3 first commit, opened, merged                                  | Wed 10:00 11:00 13:00 |
    | d3 deployed; a rollback of it an hour later                      | Thu 10:00 11:00       |
    | an incident from elsewhere, long after every deployment; resolved | Sat 12:00, Sun 12:00  |

    Lead times: 6 h, 4 h, 24 h.  Deploy times: 2 h, 1 h, 21 h.  Failed: d1 by the incident
    (restored 4 h after it), d3 by the rollback (1 h).  Incidents last 3 h and 24 h.
    """
    shop.merges(1, first_commit="Mon 08:00", opened="Mon 09:00", at="Mon 12:00")
    shop.deploys("d1", at="Mon 14:00")
    shop.incident("i1", at="Mon 15:00", resolved="Mon 18:00")
    shop.merges(2, first_commit="Tue 08:00", opened="Tue 10:00", at="Tue 11:00")
    shop.deploys("d2", at="Tue 12:00", unplanned=True)
    shop.merges(3, first_commit="Wed 10:00", opened="Wed 11:00", at="Wed 13:00")
    shop.deploys("d3", at="Thu 10:00")
    shop.deploys("back", at="Thu 11:00", rollback_of="d3")
    shop.incident("i2", at="Sat 12:00", resolved="Sun 12:00")

    def value(key: str) -> float | None:
        return org.metric(key, week=WEEK).value

    assert value("dora.deployment_frequency") == pytest.approx(4 / 7)
    assert value("dora.deployment_days") == pytest.approx(3)
    assert value("dora.lead_time") == 6 * HOUR
    assert value("pr.deploy_time") == 2 * HOUR
    assert value("dora.change_failure_rate") == pytest.approx(50)
    assert value("dora.recovery_time") == 2.5 * HOUR
    assert value("dora.rework_rate") == pytest.approx(25)
    assert value("incident.count") == 2
    assert value("incident.mttr") == 13.5 * HOUR
    assert value("incident.count_per_deployment") == pytest.approx(0.5)


def test_without_deployments_there_is_no_failure_rate(org: Org, shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 14:00")
    shop.incident("i1", at="Mon+2 15:00")
    after = "2026-W12"
    assert org.metric("dora.change_failure_rate", week=after).value is None
    assert org.metric("dora.rework_rate", week=after).value is None
    assert org.metric("dora.recovery_time", week=after).value is None
    assert org.metric("incident.count_per_deployment", week=after).value is None
    assert org.metric("dora.deployment_frequency", week=after).value == 0, "a source is connected: none is none"
    assert org.metric("incident.count", week=after).value == 1


def test_before_anything_was_told_nothing_is_zero(org: Org, shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 14:00")
    figure = org.metric("dora.deployment_frequency", week="2025-W10")
    assert figure.value is None
    assert figure.reason


def test_a_pull_request_merged_months_after_its_first_commit_keeps_its_lead_time(org: Org, shop: Delivery) -> None:
    shop.merges(1, first_commit="Mon 00:00", opened="Mon+9 00:00", at="Mon+10 00:00")
    shop.deploys("d1", at="Mon+10 06:00")
    assert org.metric("dora.lead_time", week="2026-W20").value == 70 * DAY + 6 * HOUR


def test_what_lacks_a_stage_is_left_out_and_counted(org: Org, shop: Delivery) -> None:
    """#1 has all stages; #2 has no first commit, and #3 no review; #4 was deployed before it was merged."""
    reviewed = [{"author": "grace@example.com", "state": "approved", "submitted_at": iso("Mon 10:30")}]
    shop.commits("m4", after="start")
    shop.merges(1, first_commit="Mon 08:00", opened="Mon 10:00", at="Mon 11:00", reviews=reviewed)
    shop.merges(2, opened="Mon 10:00", at="Mon 11:00", reviews=reviewed)
    shop.merges(3, first_commit="Mon 08:00", opened="Mon 10:00", at="Mon 11:00")
    shop.merges(4, first_commit="Mon 08:00", opened="Mon 10:00", at="Tue 11:00", sha="m4")
    shop.deploys("d1", at="Mon 13:00", sha="m4")

    def figure(key: str) -> tuple[float | None, int, int]:
        found = org.metric(key, week=WEEK)
        return found.value, found.sample_size, found.left_out

    assert figure("dora.lead_time") == (5 * HOUR, 3, 1)
    assert figure("pr.deploy_time") == (2 * HOUR, 3, 1)
    assert figure("dora.lead_time_coding") == (2 * HOUR, 1, 3)
    assert figure("dora.lead_time_pickup") == (HOUR / 2, 1, 3)
    assert figure("dora.lead_time_review") == (0, 1, 3)
    assert figure("dora.lead_time_merge") == (HOUR / 2, 1, 3)
    assert figure("dora.lead_time_deploy") == (2 * HOUR, 1, 3)


def test_from_the_idea_to_production(org: Org, shop: Delivery) -> None:
    """
    | SHOP-1 is written down          | Mon 00:00 |
    | somebody begins to work on it   | Tue 00:00 |
    | #1 names it: its first commit   | Wed 00:00 |
    | #1 is merged, and deployed      | Thu 00:00, Thu 12:00 |
    | #2 names no item                | merged Thu 06:00 |
    """
    shop.push(
        "work-items",
        id="SHOP-1",
        project="SHOP",
        title="Sell tea",
        type="Story",
        status_category="in_progress",
        created_at=iso("Mon 00:00"),
        transitions=[{"at": iso("Tue 00:00"), "from": "To do", "to": "Doing", "category": "in_progress"}],
    )
    shop.merges(1, first_commit="Wed 00:00", opened="Wed 12:00", at="Thu 00:00", work_items=["SHOP-1"])
    shop.merges(2, first_commit="Wed 00:00", opened="Wed 12:00", at="Thu 06:00")
    shop.deploys("d1", at="Thu 12:00")
    found = {
        key: org.metric(key, week=WEEK)
        for key in ("delivery.idea_to_production", "delivery.backlog_time", "delivery.planning_time")
    }
    assert [each.value for each in found.values()] == [3.5 * DAY, DAY, DAY]
    assert {each.left_out for each in found.values()} == {1}


def test_unresolved_failures_are_left_out_of_the_recovery_time(org: Org, shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 10:00")
    shop.incident("i1", at="Mon 11:00")
    shop.deploys("d2", at="Tue 10:00")
    shop.incident("i2", at="Tue 11:00", resolved="Tue 12:00")
    figure = org.metric("dora.recovery_time", week=WEEK)
    assert (figure.value, figure.sample_size, figure.left_out) == (2 * HOUR, 1, 1)
    assert org.metric("dora.change_failure_rate", week=WEEK).value == 100


def test_a_unit_covers_what_it_owns_and_people_their_lead_times(org: Org, shop: Delivery) -> None:
    """Ada is in payments, which owns nothing; search owns the service cart, and engineering is above both."""
    org.tree("Engineering")
    for unit in ("Payments", "Search"):
        org.unit(unit, below="engineering")
    org.join("ada", "payments")
    shop.merges(1, first_commit="Mon 08:00", at="Mon 12:00")
    shop.deploys("d1", at="Mon 14:00", service="cart")
    own(Owned.objects.get(name="cart"), Unit.objects.get(slug="search"), by=None)

    def value(key: str, unit: str) -> float | None:
        return org.metric(key, unit=unit, week=WEEK).value

    assert value("dora.lead_time", "payments") == 6 * HOUR
    assert value("dora.lead_time", "search") is None
    assert value("dora.deployment_frequency", "search") == pytest.approx(1 / 7)
    assert value("dora.deployment_frequency", "payments") is None, "it owns nothing"
    assert value("dora.lead_time", "engineering") == 6 * HOUR
    assert value("dora.deployment_frequency", "engineering") == pytest.approx(1 / 7)


def test_segments_and_facets(org: Org, shop: Delivery) -> None:
    shop.merges(1, first_commit="Mon 08:00", at="Mon 12:00", title="fix: tea")
    shop.deploys("d1", at="Mon 14:00", service="cart")
    shop.deploys("d2", at="Tue 14:00", service="search")
    shop.incident("i1", at="Tue 15:00", service="search")
    window = Window(date(2026, 3, 2), date(2026, 3, 9))

    def by(key: str, dimension: Dimension) -> dict[str, float | None]:
        answer: SeriesAnswer = org.series(key, window=window, segments=(dimension,))
        return {each.segment[dimension.value]: each.value for each in answer.total}

    assert by("dora.change_failure_rate", Dimension.SERVICE) == {"cart": 0, "search": 100}
    assert by("dora.lead_time", Dimension.METHOD) == {"time": 6 * HOUR}
    assert by("dora.lead_time", Dimension.WORK_TYPE) == {"bug": 6 * HOUR}
    assert by("dora.lead_time", Dimension.AGENT) == {"Non-AI": 6 * HOUR}
    assert org.metric("dora.change_failure_rate", service="cart", week=WEEK).value == 0


def test_the_weeks_of_a_window_add_up_to_it(org: Org, shop: Delivery) -> None:
    """Medians are computed anew; counts and the parts of rates add up."""
    for number, day in enumerate(("Mon", "Wed+1", "Sun+2", "Mon+3", "Tue+3", "Fri+4")):
        shop.merges(number, first_commit=f"{day} 01:00", at=f"{day} {2 + number:02}:00")
        shop.deploys(f"d{number}", at=f"{day} {10 + number}:00", unplanned=number % 2 == 0)
    window = Window(date(2026, 3, 2), date(2026, 4, 6))
    answer = org.series("dora.rework_rate", window=window, granularity=Granularity.WEEK)
    assert sum(each.numerator or 0 for each in answer.series) == answer.total[0].numerator == 3
    assert sum(each.denominator or 0 for each in answer.series) == answer.total[0].denominator == 6
    lead_times = org.series("dora.lead_time", window=window, statistic=Statistic.MEDIAN)
    # 9, 10, 11, 12, 13, 14 hours
    assert lead_times.total[0].value == 11.5 * HOUR
    assert [each.sample_size for each in lead_times.series] == [1, 1, 1, 2, 1]


def test_a_change_of_the_clock_shifts_no_week_and_no_duration(org: Org, shop: Delivery) -> None:
    """In Berlin summer time begins on Sunday 29 March 2026 at 01:00 UTC: Monday begins at 22:00 UTC then, not 23:00."""
    with days_cut_in("Europe/Berlin"):
        shop.deploys("d1", at="Sun+2 22:30")  # half past eleven on Sunday
        shop.merges(1, first_commit="Sun+3 00:00", at="Sun+3 02:00")
        shop.deploys("d2", at="Sun+3 04:00")
        shop.deploys("d3", at="Sun+3 22:30")  # half past twelve on Monday
        deployments = {
            week: org.metric("dora.deployment_frequency", week=week).sample_size
            for week in ("2026-W12", "2026-W13", "2026-W14")
        }
        assert deployments == {"2026-W12": 1, "2026-W13": 1, "2026-W14": 1}
        assert org.metric("dora.lead_time", week="2026-W13").value == 4 * HOUR
