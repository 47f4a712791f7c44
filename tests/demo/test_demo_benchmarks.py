"""The demo's benchmarks name what there is, in an order of time; that they can be agreed its own run tells."""

from __future__ import annotations

from demo.load.benchmarks import BENCHMARKS, FOCUS
from insights.benchmarks.baselines import grows_with_time
from insights.catalogue.registry import get
from insights.query.enums import Better
from programs.benchmarks.services.fields import can_be_agreed_on
from programs.benchmarks.services.focusing import STARTER_SETS


def test_what_the_demo_agrees_on_can_be_agreed_on() -> None:
    for benchmark in BENCHMARKS:
        metric = get(benchmark.metric)
        assert can_be_agreed_on(metric)
        assert grows_with_time(metric) == bool(benchmark.period), benchmark.metric
        assert metric.better is not Better.NEITHER
        better = (
            benchmark.target >= benchmark.threshold
            if metric.better is Better.HIGHER
            else benchmark.target <= benchmark.threshold
        )
        assert better, benchmark.metric
    for focus in FOCUS:
        assert can_be_agreed_on(get(focus.metric))


def test_later_versions_come_later() -> None:
    for plans in (BENCHMARKS, FOCUS):
        by_subject: dict[tuple[str, str], list[int]] = {}
        for plan in plans:
            by_subject.setdefault((plan.team, plan.metric if plans is BENCHMARKS else ""), []).append(plan.days_ago)
        assert any(len(days) > 1 for days in by_subject.values()), "somebody learned"
        for subject, days in by_subject.items():
            assert days == sorted(days, reverse=True), subject


def test_starter_sets_are_three_to_five_indicators_that_there_are() -> None:
    for starter_set in STARTER_SETS.values():
        assert 3 <= len(starter_set.keys) <= 5
        assert [metric.key for metric in starter_set.metrics] == list(starter_set.keys), starter_set.name
        assert all(can_be_agreed_on(metric) for metric in starter_set.metrics)
    space = {dimension for metric in STARTER_SETS["space"].metrics for dimension in metric.space}
    assert len(space) >= 4, "dimensions of the framework"
    assert [metric.key.split(".")[0] for metric in STARTER_SETS["dora"].metrics] == ["dora"] * 5
