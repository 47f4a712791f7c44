"""When a section of the delivery page has something to say: each rule just above and just below its thresholds."""

from __future__ import annotations

from insights.pages.ai.explanations import Hint, shown_hints
from insights.pages.delivery import explanations
from insights.query.query import MetricValue
from tests.pages.test_tiles_and_explanations import figure

HOUR = 3600.0


def rate(percent: float, *, of: int) -> MetricValue:
    return figure(percent, numerator=percent * of / 100, denominator=of, sample_size=of)


def text_of(hint: Hint | None) -> str:
    assert hint is not None
    return hint.text


def test_reviews_wait() -> None:
    hint = text_of(explanations.reviews_wait(figure(6 * HOUR), figure(10 * HOUR), url=""))
    assert "wait 6.0 h for their first review" in hint
    assert "cycle time of 10.0 h" in hint
    assert explanations.reviews_wait(figure(3.9 * HOUR), figure(5 * HOUR), url="") is None
    assert explanations.reviews_wait(figure(6 * HOUR), figure(13 * HOUR), url="") is None
    assert explanations.reviews_wait(figure(6 * HOUR, sample_size=19), figure(10 * HOUR), url="") is None
    assert explanations.reviews_wait(figure(None), figure(None), url="") is None


def test_more_is_started_than_finished() -> None:
    hint = text_of(explanations.wip_outgrows_output(figure(50), figure(40), figure(100), figure(100), url=""))
    assert "grew by 25%" in hint
    assert explanations.wip_outgrows_output(figure(49), figure(40), figure(100), figure(100), url="") is None
    assert explanations.wip_outgrows_output(figure(50), figure(40), figure(106), figure(100), url="") is None
    assert explanations.wip_outgrows_output(figure(25), figure(19), figure(1), figure(1), url="") is None, "few items"


def test_runs_that_pass_when_run_again() -> None:
    assert "5.0% of the runs" in text_of(explanations.flaky_runs(rate(5, of=100), url=""))
    assert explanations.flaky_runs(rate(4.9, of=1000), url="") is None
    assert explanations.flaky_runs(rate(50, of=99), url="") is None


def test_failures_rise() -> None:
    hint = text_of(explanations.failures_rise(rate(15, of=20), rate(10, of=20), figure(125), figure(100), url=""))
    assert "rose by 5.0 pts to 15.0%" in hint
    assert "Pull requests grew by 25% as well" in hint
    alone = text_of(explanations.failures_rise(rate(15, of=20), rate(10, of=20), figure(119), figure(100), url=""))
    assert "grew" not in alone
    assert explanations.failures_rise(rate(14.9, of=20), rate(10, of=20), figure(1), figure(1), url="") is None
    assert explanations.failures_rise(rate(50, of=9), rate(10, of=20), figure(1), figure(1), url="") is None
    assert explanations.failures_rise(rate(15, of=20), rate(0, of=9), figure(1), figure(1), url="") is None, "by chance"


def test_bugs_come_back() -> None:
    assert "15.0% of the fixed bugs" in text_of(explanations.bugs_come_back(rate(15, of=20), url=""))
    assert explanations.bugs_come_back(rate(14.9, of=20), url="") is None
    assert explanations.bugs_come_back(rate(50, of=19), url="") is None


def test_merged_without_a_review() -> None:
    assert "20.0% of the pull requests" in text_of(explanations.merged_unreviewed(rate(20, of=20), url=""))
    assert explanations.merged_unreviewed(rate(19.9, of=20), url="") is None
    assert explanations.merged_unreviewed(rate(50, of=19), url="") is None


def test_large_and_hardly_discussed() -> None:
    hint = text_of(explanations.large_and_hardly_discussed(figure(400), figure(0.9), url=""))
    assert "change 400 lines, and reviews leave 0.9 comments" in hint
    assert explanations.large_and_hardly_discussed(figure(399), figure(0.9), url="") is None
    assert explanations.large_and_hardly_discussed(figure(400), figure(1.0), url="") is None


def test_few_name_a_work_item() -> None:
    assert "Only 59.9%" in text_of(explanations.unlinked(rate(59.9, of=20), url=""))
    assert explanations.unlinked(rate(60, of=20), url="") is None
    assert explanations.unlinked(rate(10, of=19), url="") is None


def test_no_figures_give_no_hints() -> None:
    assert shown_hints(None, None) == []
