"""What bottlenecks cost in a business review: worked by hand from its stages and findings."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from insights.catalogue.lead_time_stages import LEAD_TIME, STAGES
from insights.catalogue.registry import get
from programs.closing.services.figures import Amount, Figure, Period, Stage, described
from programs.closing.services.frozen import FrozenDays, FrozenUnit
from programs.qbr.services.bottlenecks import BottleneckCost, costliest_bottlenecks
from programs.qbr.services.document import FrozenFinding, QbrDocument, QbrSectionText

HOUR = 3600.0
Q3 = Period("Q3 2026", date(2026, 7, 1), date(2026, 10, 1), kind="quarter", counted_to=date(2026, 10, 1))
OWN, MOBILE, DATA = (
    FrozenUnit(pk, name.lower(), name) for pk, name in ((1, "Engineering"), (2, "Mobile"), (3, "Data"))
)
STAGES_OF_LEAD_TIME = f"stages:{LEAD_TIME}"


def stage(key: str, hours: float, *, median: float, mean: float, changes: int = 100) -> Stage:
    return Stage(
        key=key,
        label=STAGES[key][1],
        value=hours * HOUR,
        median=median * HOUR,
        mean=mean * HOUR,
        sample_size=changes,
        people=9,
        reveals_few=False,
        reason="",
    )


def finding(pk: int, unit: FrozenUnit | None, hours: float, **more: Any) -> FrozenFinding:
    """Found in the middle of the quarter; hours a month."""
    parts: dict[str, Any] = {
        "metric": "pr.pickup_time",
        "title": f"Finding {pk}",
        "hours_low": hours / 2,
        "hours_high": hours * 2,
        "since": date(2026, 8, 1),
        "found_on": date(2026, 8, 20),
        "state": "new",
        "state_label": "New",
        "ended_on": None,
        "reason": "",
    }
    return FrozenFinding(id=pk, unit=unit, hours=hours, **{**parts, **more})


def costs(now: tuple[Stage, ...], before: tuple[Stage, ...], *findings: FrozenFinding) -> list[BottleneckCost]:
    nothing = Amount(value=None, sample_size=0, people=0, reveals_few=False, reason="")
    figure = Figure(
        **described(get(LEAD_TIME)),
        phrase="",
        now=nothing,
        before=nothing,
        threshold=None,
        target=None,
        higher_is_better=None,
        band=None,
        band_before=None,
    )
    section = QbrSectionText(
        key="bottlenecks", name="", headline="", commentary="", figures=(), charts=(STAGES_OF_LEAD_TIME,)
    )
    nobody: dict[str, Any] = dict.fromkeys(("written_by", "objectives", "teams_without_objective", "tickets"), ())
    document = QbrDocument(
        schema=QbrDocument.schema_versions[-1],
        kind="qbr",
        id=1,
        unit=OWN,
        period=Q3,
        before=FrozenDays("Q2 2026", date(2026, 4, 1), date(2026, 7, 1)),
        frozen_at=None,
        frozen_by=None,
        **nobody,
        tickets_total=0,
        figures={LEAD_TIME: figure},
        charts={STAGES_OF_LEAD_TIME: (now, before)},
        sections=(section,),
        findings=findings,
    )
    return list(costliest_bottlenecks(document))


def test_a_stage_costs_what_changes_waited_longer_than_in_the_period_before() -> None:
    """16.7 − 12.9 = 3.8 hours more, times 100 changes; its median grew by 2 hours, its mean by 5."""
    [pickup, merge] = costs(
        (
            stage("coding", 30, median=20, mean=40),
            stage("pickup", 16.7, median=6, mean=20),
            stage("merge", 2, median=1, mean=3),
        ),
        (
            stage("coding", 10, median=10, mean=10),
            stage("pickup", 12.9, median=4, mean=15, changes=80),
            stage("merge", 3, median=1, mean=4),
        ),
    )
    assert (pickup.hours, pickup.low, pickup.high) == pytest.approx((380, 200, 500))
    assert pickup.waited == pytest.approx(1670)
    assert (merge.cost, merge.hours) == pytest.approx((0, -100)), "it got shorter, and coding is no wait"


def test_nothing_to_compare_with_is_no_cost() -> None:
    [only] = costs((stage("deploy", 40, median=30, mean=60),), ())
    assert only.hours is None
    assert (only.cost, only.waited) == pytest.approx((0, 4000))


def test_a_finding_costs_for_as_long_as_it_held_and_units_count_once() -> None:
    """August and September are 61 of 30.4 days; until 16 August, half of a month."""
    found = costs(
        (),
        (),
        finding(1, MOBILE, 100),
        finding(2, MOBILE, 60),
        finding(3, DATA, 300, ended_on=date(2026, 8, 16)),
        finding(4, OWN, 900),
        finding(5, None, 900),
        finding(6, DATA, 900, state="dismissed"),
        finding(7, DATA, 900, since=date(2026, 10, 1)),
    )
    months = 30.4375
    assert [one.of.id for one in found if isinstance(one.of, FrozenFinding)] == [1, 3]
    assert [one.cost for one in found] == pytest.approx([100 * 61 / months, 300 * 15 / months])
    assert (found[0].low, found[0].high) == pytest.approx((50 * 61 / months, 200 * 61 / months))
