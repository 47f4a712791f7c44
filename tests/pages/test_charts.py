"""The adapter over django-chartjs mends what its JSON gets wrong."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from insights.charts import ChartData, ChartView, Dataset, Number


class Odd(ChartView):
    def chart_data(self, request: HttpRequest) -> ChartData:
        values: list[Number] = [Decimal("0.1"), math.nan, math.inf, None, 0.1 + 0.2]
        return ChartData(
            "line", "currency", list("abcde"), [Dataset("A", "claude_code", "agent", values)], drawn_from=1
        )


def drawn() -> dict[str, object]:
    body = Odd.as_view()(RequestFactory().get("/")).content
    found: dict[str, object] = json.loads(body, parse_constant=pytest.fail)
    return found


def test_figures_are_json_numbers_or_null() -> None:
    assert drawn()["datasets"] == [
        {"label": "A", "name": "A", "key": "claude_code", "role": "agent", "data": [0.1, None, None, None, 0.3]}
    ]


def test_the_view_itself_does_not_leak() -> None:
    assert set(drawn()) == {
        *("kind", "unit", "label_name", "labels", "datasets", "drawn_from", "to_date_from", "marks", "benchmarks")
    }


def test_a_donut_is_a_table_of_parts() -> None:
    parts = [Dataset("Ada", "a", "sequence", [3]), Dataset("Grace", "b", "sequence", [Decimal(1)])]
    chart = ChartData("donut", "count", ["Whole window"], parts)
    assert list(chart.rows()) == [
        ["Part", "Value (count)", "Share (percent)"],
        ["Ada", 3.0, 75.0],
        ["Grace", 1.0, 25.0],
    ]


def test_an_empty_donut_divides_by_nothing() -> None:
    chart = ChartData("donut", "count", ["Whole window"], [Dataset("Ada", "a", "sequence", [0])])
    assert list(chart.rows())[1] == ["Ada", 0.0, 0.0]
