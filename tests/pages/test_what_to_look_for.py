"""Hints: each rule just at and just beyond its bounds, and the rules in the docs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from insights.catalogue.registry import declared_metrics
from insights.catalogue.rules import Figures
from insights.query.query import MetricValue
from insights.ui.hints import condition_in_words, rule_that_holds, sentence, table_of_rules
from scripts.write_reference import RULES, with_rules
from tests.pages.test_tiles import figure

HOUR = 3600.0
Known = Mapping[str, MetricValue]


def rate(percent: float, *, of: int) -> MetricValue:
    return figure(percent, numerator=percent * of / 100, denominator=of, sample_size=of)


def said(key: str, now: Known, before: Known | None = None, **given: float) -> str:
    """The sentence of the metric's rules; empty where none holds."""
    printed = {name: f"<{name}>" for name in ("of_failures", "tool", "first", "people", "spend", "lines")}
    figures = Figures(now.get, (before or {}).get, given, printed)
    rule = rule_that_holds(key, figures)
    return sentence(rule, figures) if rule else ""


def test_low_adoption_with_long_sessions() -> None:
    def low(adoption: float | None, seconds: float) -> str:
        return said("ai.adoption_rate", {"ai.adoption_rate": figure(adoption), "ai.session_duration": figure(seconds)})

    assert low(20.0, 45 * 60).startswith(
        "Only 20.0% of enrolled developers were active, yet their sessions last 45 min on average"
    )
    assert low(50.0, 45 * 60) == ""
    assert low(20.0, 1799) == ""
    assert low(None, 45 * 60) == ""
    assert said("ai.adoption_rate", {"ai.adoption_rate": figure(20.0)}) == "", "the other figure is not known"


def test_little_is_committed_and_failing_calls_say_more() -> None:
    shipped = figure(29.9, denominator=1000)
    assert "lines that agents generated were committed" in said("ai.ship_rate", {"ai.ship_rate": shipped})
    failing = said("ai.ship_rate", {"ai.ship_rate": shipped, "ai.error_rate": rate(10, of=100)})
    assert failing.startswith("Only 29.9% of the generated lines were committed, and 10.0% of tool calls failed.")
    fewer = said("ai.ship_rate", {"ai.ship_rate": shipped, "ai.error_rate": rate(10, of=99)})
    assert "tool calls" not in fewer
    assert said("ai.ship_rate", {"ai.ship_rate": figure(29.9, denominator=999)}) == ""
    assert said("ai.ship_rate", {"ai.ship_rate": figure(30, denominator=1000)}) == ""


@pytest.mark.parametrize(
    ("now", "before", "sessions", "sessions_before", "is_said"),
    [(125, 100, 50, 50, True), (124, 100, 50, 50, False), (130, 100, 56, 50, False), (130, 0, 50, 50, False)],
)
def test_spend_rises_without_use(
    now: float, before: float, sessions: float, sessions_before: float, *, is_said: bool
) -> None:
    text = said(
        "ai.spend",
        {"ai.spend": figure(now), "ai.sessions": figure(sessions)},
        {"ai.spend": figure(before), "ai.sessions": figure(sessions_before)},
    )
    assert bool(text) is is_said
    assert not text or text.startswith("Spend rose by 25% while the number of sessions hardly changed")


def test_commits_grow_dearer() -> None:
    def dearer(now: float, share: float) -> str:
        return said(
            "ai.spend_per_commit",
            {"ai.spend_per_commit": figure(now), "ai.committed_code_share": figure(share)},
            {"ai.spend_per_commit": figure(4.0), "ai.committed_code_share": figure(20.0)},
        )

    assert dearer(5.0, 22.0).startswith("Spend per commit rose by 25%")
    assert dearer(4.9, 22.0) == ""
    assert dearer(5.0, 22.1) == ""
    assert dearer(5.0, 17.9) == ""


def test_much_is_wasted() -> None:
    def wasted(committed: float | None, lost: float) -> str:
        return said("ai.spend_wasted", {"ai.spend_committed": figure(committed), "ai.spend_wasted": figure(lost)})

    assert wasted(70, 30).startswith("$30.00, 30% of the spend of known outcome, went to sessions without a commit.")
    assert wasted(71, 29) == ""
    assert wasted(None, 10).startswith("$10.00, 100% of the spend")
    assert wasted(None, 9.99) == ""


def test_tokens_without_a_price() -> None:
    assert said("ai.unpriced_tokens", {"ai.unpriced_tokens": figure(10), "ai.tokens": figure(1000)}).startswith(
        "1% of all tokens belong to models without a known price"
    )
    assert said("ai.unpriced_tokens", {"ai.unpriced_tokens": figure(9), "ai.tokens": figure(1000)}) == ""
    assert said("ai.unpriced_tokens", {"ai.unpriced_tokens": figure(0), "ai.tokens": figure(None)}) == ""


def test_one_tool_fails() -> None:
    def fails(percent: float, calls: int, share: float) -> str:
        return said("ai.error_rate", {"ai.error_rate": rate(percent, of=calls)}, share_of_tool=share)

    assert fails(10, 100, 0.4).startswith(
        "10.0% of tool calls fail, and <of_failures> of the failures are calls of <tool>"
    )
    assert fails(9.9, 100, 0.4) == ""
    assert fails(10, 99, 0.4) == ""
    assert fails(10, 100, 0.39) == ""
    assert said("ai.error_rate", {"ai.error_rate": rate(10, of=100)}) == "", "no page says which tool"


def test_few_spend_most() -> None:
    assert said("ai.spend_per_developer", {}, developers=20, spend_of_first=0.5).startswith(
        "<first> of <people> developers make up <spend> of the spend and <lines> of the AI lines committed."
    )
    assert said("ai.spend_per_developer", {}, developers=19, spend_of_first=0.5) == ""
    assert said("ai.spend_per_developer", {}, developers=20, spend_of_first=0.49) == ""


def test_a_cold_cache() -> None:
    assert said("ai.cache_hit_rate", {"ai.cache_hit_rate": figure(49.9, denominator=1e6)}).startswith("Only 49.9% of")
    assert said("ai.cache_hit_rate", {"ai.cache_hit_rate": figure(49.9, denominator=1e6 - 1)}) == ""
    assert said("ai.cache_hit_rate", {"ai.cache_hit_rate": figure(50.0, denominator=1e6)}) == ""


def test_reviews_wait() -> None:
    def waits(pickup: float | None, cycle: float | None, pull_requests: int = 20) -> str:
        waited = figure(pickup, sample_size=pull_requests)
        return said("pr.pickup_time", {"pr.pickup_time": waited, "pr.cycle_time": figure(cycle)})

    assert "wait 6.0 h for their first review, beside a cycle time of 10.0 h" in waits(6 * HOUR, 10 * HOUR)
    assert waits(3.9 * HOUR, 5 * HOUR) == ""
    assert waits(6 * HOUR, 13 * HOUR) == ""
    assert waits(6 * HOUR, 10 * HOUR, pull_requests=19) == ""
    assert waits(None, None) == ""


def test_work_in_progress_outgrows_output() -> None:
    def grew(now: float, before: float, merged: float | None, merged_before: float) -> str:
        return said(
            "wip.count",
            {"wip.count": figure(now), "pr.throughput": figure(merged)},
            {"wip.count": figure(before), "pr.throughput": figure(merged_before)},
        )

    assert grew(50, 40, 105, 100).startswith("Work in progress grew by 25% while no more was merged")
    assert grew(49, 40, 100, 100) == ""
    assert grew(50, 40, 106, 100) == ""
    assert grew(25, 19, 1, 1) == "", "few items"
    assert grew(50, 40, 0, 100) != "", "nothing was merged at all"


def test_flaky_runs() -> None:
    assert said("ci.flaky_rate", {"ci.flaky_rate": rate(5, of=100)}).startswith("5.0% of the runs")
    assert said("ci.flaky_rate", {"ci.flaky_rate": rate(4.9, of=1000)}) == ""
    assert said("ci.flaky_rate", {"ci.flaky_rate": rate(50, of=99)}) == ""


def test_flaky_tests() -> None:
    assert said("test.flaky_rate", {"test.flaky_rate": rate(0.5, of=1000)}).startswith("0.5% of the test results")
    assert said("test.flaky_rate", {"test.flaky_rate": rate(0.4, of=10_000)}) == ""
    assert said("test.flaky_rate", {"test.flaky_rate": rate(50, of=999)}) == ""


def test_failures_rise() -> None:
    def rose(now: MetricValue, before: MetricValue, size: float = 100) -> str:
        key = "dora.change_failure_rate"
        return said(key, {key: now, "pr.size": figure(size)}, {key: before, "pr.size": figure(100)})

    both = rose(rate(15, of=20), rate(10, of=20), 125)
    assert both == (
        "The change failure rate rose by 5.0 pts to 15.0%. Pull requests grew by 25% as well: smaller changes fail "
        "less often."
    )
    assert rose(rate(15, of=20), rate(10, of=20), 119) == "The change failure rate rose by 5.0 pts to 15.0%."
    assert rose(rate(14.9, of=20), rate(10, of=20)) == ""
    assert rose(rate(50, of=9), rate(10, of=20)) == ""
    assert rose(rate(15, of=20), rate(0, of=9)) == "", "by chance"


@pytest.mark.parametrize(
    ("key", "least", "too_little", "words"),
    [
        ("bug.reopen_rate", 15, 14.9, "15.0% of the fixed bugs"),
        ("pr.unreviewed_rate", 20, 19.9, "20.0% of the pull requests"),
        ("pr.linked_rate", 59.9, 60, "Only 59.9%"),
    ],
)
def test_shares_of_twenty_or_more(key: str, least: float, too_little: float, words: str) -> None:
    assert words in said(key, {key: rate(least, of=20)})
    assert said(key, {key: rate(too_little, of=20)}) == ""
    assert said(key, {key: rate(least, of=19)}) == ""


def test_large_and_hardly_discussed() -> None:
    def large(lines: float, comments: float, pull_requests: int = 20) -> str:
        size = figure(lines, sample_size=pull_requests)
        return said("pr.size", {"pr.size": size, "pr.review_depth": figure(comments)})

    assert large(400, 0.9).startswith("Pull requests change 400 lines, and reviews leave 0.9 comments per 100 lines")
    assert large(399, 0.9) == ""
    assert large(400, 1.0) == ""
    assert large(400, 0.9, pull_requests=19) == ""


def test_conditions_in_words() -> None:
    words = {
        condition_in_words(condition)
        for metric in declared_metrics()
        for rule in metric.look_for
        for condition in rule.when
    }
    assert {
        "Pickup time at least 4.0 h",
        "Pickup time at least 50% of Cycle time",
        "at least 20 PRs",
        "at least 10 deployments in the window before",
        "Spend up by at least 25% since the window before",
        "Sessions up or down by at most 10% since the window before",
        "Change failure rate up by at least 5 points since the window before",
        "at least 40% of the failures made up by one tool",
    } <= words


def test_the_docs_list_the_rules() -> None:
    text = RULES.read_text()
    assert text == with_rules(text, table_of_rules()), "run scripts/write_reference.py"
