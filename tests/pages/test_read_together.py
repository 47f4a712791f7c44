"""What a page's charts and sections read is noted with the page, so that they share their scans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client

from insights.metrics.query import MetricQuery
from insights.metrics.visible import visible_together
from insights.views import answers
from insights.views.ai.charts import CHARTS
from insights.views.delivery.charts import CHARTS as DELIVERY_CHARTS

pytestmark = pytest.mark.django_db
PAGES = {"/insights/ai/": CHARTS, "/insights/delivery/": DELIVERY_CHARTS}


@pytest.mark.parametrize("page", PAGES)
def test_whatever_a_chart_reads_is_noted_with_its_page(
    page: str, member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    forgotten: list[str] = []

    def watched(*args: Any, series: Any, totals: Any, beside: Any, **more: Any) -> Any:
        noted_by_page = beside()
        for queries, noted in ((series, noted_by_page.series), (totals, noted_by_page.totals)):
            asked.extend(query.key for query in queries)
            forgotten.extend(f"{query.key} by {query.segments}" for query in queries if query not in noted)
        return visible_together(*args, series=series, totals=totals, beside=beside, **more)

    monkeypatch.setattr(answers, "visible_together", watched)
    for name in PAGES[page]:
        assert member.get(f"{page}charts/{name}/").status_code == 200, name
    assert len(asked) >= len(PAGES[page])
    assert not forgotten


def test_the_page_itself_asks_for_buckets_of_what_it_draws_alone(
    member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tiles have lines; what it splits is told of the whole window, and charts ask for their buckets themselves."""
    asked: list[MetricQuery] = []

    def watched(*args: Any, series: Sequence[MetricQuery], **more: Any) -> Any:
        asked.extend(series)
        return visible_together(*args, series=series, **more)

    monkeypatch.setattr(answers, "visible_together", watched)
    assert member.get("/insights/ai/").status_code == 200
    assert asked
    assert not [query.key for query in asked if query.segments]
