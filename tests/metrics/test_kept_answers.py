"""What takes long to read is given again for a while; what is read quickly is always of now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from insights import windows
from insights.metrics import kept_comparisons
from insights.metrics.comparison import ANY_AGENT, Comparison, ReadTogether, read_comparison
from insights.metrics.kept_answers import KEPT_FOR
from insights.metrics.query import MetricQuery
from insights.models import KeptComparison, SnapshotState
from tests.org import Org
from tests.pages.delivering import day_before, merged

pytestmark = pytest.mark.django_db
KEY = "pr.cycle_time"


@pytest.fixture
def query(org: Org) -> MetricQuery:
    org.people({"full_name": "Ada Example", "email": "ada@example.com"})
    tell(org, range(1, 13))
    return MetricQuery(KEY, windows.trailing(8))


def tell(org: Org, numbers: range) -> None:
    org.push("pull-requests", *(merged(number, day_before(number % 40 + 1), waits=float(number)) for number in numbers))
    org.fold()


def test_an_answer_from_before_a_fill_ended_is_not_given_again(
    org: Org, query: MetricQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Years may have been imported since: charts tell of them at once."""
    monkeypatch.setattr(kept_comparisons, "SLOW_SECONDS", -1.0)

    def told() -> int:
        [compared] = kept_comparisons.comparisons([query], ANY_AGENT)
        return compared.second.facts + compared.unmatched

    assert told() == 12
    tell(org, range(13, 15))
    assert told() == 12
    SnapshotState.note_change(filled_at=timezone.now())
    assert told() == 14
    tell(org, range(15, 16))
    assert told() == 14, "it is kept again"


def test_a_comparison_that_is_read_quickly_is_read_each_time(
    query: MetricQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_comparisons, "SLOW_SECONDS", 1000.0)  # on a busy machine nothing is quick
    kept_comparisons.comparisons([query], ANY_AGENT)
    assert not KeptComparison.objects.exists()


def test_a_comparison_of_figures_from_long_ago_is_kept_as_well(
    query: MetricQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no fact changes for hours, what is kept of everybody is as old."""
    monkeypatch.setattr(kept_comparisons, "SLOW_SECONDS", -1.0)
    hours_ago = timezone.now() - timedelta(hours=3)
    asked: list[str] = []

    def of_kept_figures(query: MetricQuery, line: str, together: ReadTogether) -> Comparison:
        asked.append(line)
        return replace(read_comparison(query, line, together), computed_at=hours_ago)

    monkeypatch.setattr(kept_comparisons, "read_comparison", of_kept_figures)
    [first], [again] = (kept_comparisons.comparisons([query], ANY_AGENT) for _ in range(2))
    assert first == again
    assert again.computed_at == hours_ago
    assert asked == [ANY_AGENT]
    with time_machine.travel(timezone.now() + KEPT_FOR + timedelta(seconds=1), tick=False):
        kept_comparisons.comparisons([query], ANY_AGENT)
    assert asked == [ANY_AGENT] * 2
