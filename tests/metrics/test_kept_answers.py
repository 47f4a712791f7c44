"""What takes long to read is given again for a while; what is read quickly is always of now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from insights import windows
from insights.metrics import kept_comparisons
from insights.metrics.comparison import ANY_AGENT, Comparison, ReadTogether, read_comparison
from insights.metrics.distribution import kept_distribution, read_distribution
from insights.metrics.kept_answers import KEPT_FOR
from insights.metrics.query import Dimension, MetricQuery
from insights.metrics.row_statement import RowOrder
from insights.metrics.rows import RowsPage, read_rows
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


def greatest(query: MetricQuery, size: int = 3) -> RowsPage:
    return read_rows(query, size=size, order=RowOrder.GREATEST)


def titles(page: RowsPage) -> list[str]:
    return [row["title"] for row in page.rows]


def test_of_few_facts_nothing_is_kept(org: Org, query: MetricQuery) -> None:
    assert kept_distribution(query) == read_distribution(query)
    assert titles(greatest(query)) == ["Change 12", "Change 11", "Change 10"]
    tell(org, range(13, 15))
    assert kept_distribution(query).sample_size == 14
    assert titles(greatest(query))[0] == "Change 14"
    assert not KeptComparison.objects.exists()


def test_of_many_facts_the_answer_is_kept_for_a_while(
    org: Org, query: MetricQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insights.metrics.kept_answers.SLOW_SECONDS", -1.0)
    spread, slowest = read_distribution(query), greatest(query)
    assert kept_distribution(query) == spread
    tell(org, range(13, 15))
    assert kept_distribution(query) == spread, "as of a short while ago"
    assert (titles(greatest(query)), greatest(query).total) == (titles(slowest), 12)
    assert greatest(query).rows == slowest.rows
    for other in (
        MetricQuery(KEY, windows.trailing(12)),
        MetricQuery(KEY, windows.trailing(8), facets={Dimension.WORK_TYPE: ("other",)}),
    ):
        assert kept_distribution(other) == read_distribution(other)
    assert len(greatest(query, size=4).rows) == 4
    later = datetime.now(UTC) + KEPT_FOR + timedelta(seconds=1)
    with time_machine.travel(later, tick=False):
        assert kept_distribution(query).sample_size == 14
        assert titles(greatest(query))[0] == "Change 14"


def test_an_answer_from_before_a_fill_ended_is_not_given_again(
    org: Org, query: MetricQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Years may have been imported since: charts tell of them at once."""
    monkeypatch.setattr("insights.metrics.kept_answers.SLOW_SECONDS", -1.0)
    monkeypatch.setattr(kept_comparisons, "SLOW_SECONDS", -1.0)

    def told() -> tuple[int, int]:
        [compared] = kept_comparisons.comparisons([query], ANY_AGENT)
        return kept_distribution(query).sample_size, compared.second.facts + compared.unmatched

    assert told() == (12, 12)
    tell(org, range(13, 15))
    assert told() == (12, 12)
    SnapshotState.note_change(filled_at=timezone.now())
    assert told() == (14, 14)
    tell(org, range(15, 16))
    assert told() == (14, 14), "it is kept again"


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


def test_what_is_kept_names_nobody(query: MetricQuery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insights.metrics.kept_answers.SLOW_SECONDS", -1.0)
    greatest(query)
    [kept] = KeptComparison.objects.all()
    assert set(kept.answer) == {"facts", "total"}
    assert all(isinstance(fact, int) for fact in kept.answer["facts"])
