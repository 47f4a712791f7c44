"""The sentences of findings as somebody reads them who knows nothing of Headway."""

from __future__ import annotations

from datetime import date

import pytest

from insights.findings.detectors import BY_KEY, DETECTORS, OF_DATA
from insights.findings.words import FIND_OUT, FindingWords, worded
from insights.models import Finding
from orgtree.models import Unit

HOUR = 3600.0
SINCE, UNTIL = date(2026, 8, 3), date(2026, 11, 23)


def words_of(detector: str, before: float, after: float, low: float, high: float, **fields: object) -> FindingWords:
    one = Finding(
        detector=detector,
        metric=BY_KEY[detector].metric,
        unit=Unit(name="Search"),
        since=SINCE,
        until=UNTIL,
        before=before,
        after=after,
        low=low,
        high=high,
        sample=160,
    )
    for name, value in fields.items():
        setattr(one, name, value)
    words = worded(one, {"a": "Berlin", "b": "Berlin", "c": "Lisbon"})
    assert words
    return words


def test_a_change_says_what_a_typical_week_has() -> None:
    words = words_of("pr.pickup_time.change", 10 * HOUR, 20 * HOUR, 5 * HOUR, 14 * HOUR)
    assert words.title == "The wait for a first review in Search rose from 10.0 h to 20.0 h"
    assert words.detail == (
        "Since 3 Aug 2026 it is 20.0 h in a typical week; before that it was 10.0 h. "
        "The difference is 5.0 h to 14.0 h (95% interval)."
    )
    assert words.sure == (
        "At most 1 in 100 of the findings listed here is expected to be a coincidence. "
        "This one was there a week earlier, too, and rests on 160 PRs."
    )
    assert words.cost == "435 hours of waiting a month"
    assert words.to_try.startswith("Name a reviewer")


def test_what_got_better_asks_what_was_changed() -> None:
    words = words_of("pr.pickup_time.change", 20 * HOUR, 10 * HOUR, -14 * HOUR, -5 * HOUR)
    assert (words.to_try, words.is_worse, words.cost) == (FIND_OUT, False, "")
    assert words.title.endswith("fell from 20.0 h to 10.0 h")


@pytest.mark.parametrize(
    ("before", "after", "title"),
    [
        (10, 14, "Pull requests wait 40% longer for a review in Search than in comparable teams"),
        (10, 20, "Pull requests wait twice as long for a review in Search as in comparable teams"),
        (10, 173, "Pull requests wait 17.3 times as long for a review in Search as in comparable teams"),
        (0, 14, "Pull requests wait longer for a review in Search than in comparable teams"),
    ],
)
def test_a_gap_of_twice_the_time_is_no_percentage(before: float, after: float, title: str) -> None:
    words = words_of("pr.pickup_time.gap", before * HOUR, after * HOUR, HOUR, 2 * HOUR, compared_with=["a", "b", "c"])
    assert words.title == title


def test_shares_differ_by_percentage_points() -> None:
    words = words_of("ai.ship_rate.gap", 46.2, 7.7, -46.2, -33.5, compared_with=["a", "b", "c"], compared_by="teams x")
    assert words.title == (
        "Only 7.7% of the lines that agents write in Search are committed; in comparable teams it is 46.2%"
    )
    assert words.detail == (
        "In a typical week it is 7.7% there, and 46.2% in comparable teams. "
        "The difference is 33.5 to 46.2 percentage points (95% interval)."
    )
    assert words.compared == "Compared with 3 teams x: Berlin (2 teams) and Lisbon."


def test_a_trend_is_a_line() -> None:
    words = words_of("wip.count.trend", 3.0, 9.0, 4.0, 8.0)
    assert words.detail == (
        "Leaving out ups and downs, it went from 3 to 9 in the last 26 weeks. The difference is 4 to 8 (95% interval)."
    )


def test_missing_data_say_how_far_figures_may_be_off() -> None:
    effects = [{"metric": "pr.throughput", "value": 632.0, "low": 632.0, "high": 737.0}]
    words = words_of(
        "data.unmatched_people", 0.0, 14.2, 14.2, 14.2, unit=None, sample=737, details={"effects": effects}
    )
    assert words.title == "Nobody is known as the author of 14.2% of the last quarter’s pull requests"
    assert words.sure == "This is counted, not estimated: all 737 PRs of the last quarter were checked."
    assert words.effects == ["Merged pull requests: 632, and up to 737 with nothing missing"]


def test_questions_keep_the_case_of_names() -> None:
    questions = {BY_KEY[key].question for key in ("ai.spend_per_merged_pr.change", "capacity.wip_per_person.leavers")}
    assert questions == {
        "Has it changed: spend per merged PR?",
        "Did many people leave after a high load: WIP per person?",
    }


def test_a_repository_without_a_context_file_stands_beside_those_with_one() -> None:
    fields = {"unit": None, "repository": "release-tooling"}
    words = words_of("ai.spend_wasted.gap.context_files", 30.0, 62.0, 20.0, 40.0, **fields)
    assert words.title == (
        "The repository release-tooling has no agent context file, and 62.0% of its agent spend led to no commit; "
        "with a file it is 30.0%"
    )
    assert (
        words.compared == "Compared with those with such a file among the repositories in which agents are used most."
    )


@pytest.mark.parametrize("detector", [*DETECTORS, *OF_DATA], ids=lambda one: one.key)
def test_no_sentence_has_a_code_or_a_gap_in_it(detector: object) -> None:
    key = getattr(detector, "key", "")
    for before, after in ((10.0, 20.0), (20.0, 10.0)):
        declared = BY_KEY[key].higher if after > before else BY_KEY[key].lower
        if not declared:
            continue
        words = words_of(key, before, after, 5.0, 12.0)
        for text in (words.title, words.detail, words.sure, words.reading, words.to_try):
            assert text[:1].isupper() or text[:1].isdigit(), text
            assert "_" not in text, text
            assert "{" not in text, text
            assert "  " not in text, text
            assert "None" not in text, text
