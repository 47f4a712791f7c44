"""The adapter over django-chartjs mends what its JSON gets wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from insights.query import windows
from insights.ui.charts import ChartData, ChartView, Dataset, Number
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.personas import EXECUTIVE, Persona
from tests.teams import OTHERS_IN_PLATFORM, create_teams


class Odd(ChartView):
    def chart_data(self, request: HttpRequest) -> ChartData:
        values: list[Number] = [Decimal("0.1"), math.nan, math.inf, None, 0.1 + 0.2]
        return ChartData(
            "line",
            "currency",
            list("abcde"),
            [Dataset("A", "claude_code", "agent", values)],
            incomplete={0: "incomplete week"},
        )


def drawn() -> dict[str, object]:
    body = Odd.as_view()(RequestFactory().get("/")).content
    document: dict[str, object] = json.loads(body, parse_constant=pytest.fail)
    return document


def test_figures_are_json_numbers_or_null() -> None:
    assert drawn()["datasets"] == [
        {"label": "A", "name": "A", "key": "claude_code", "role": "agent", "data": [0.1, None, None, None, 0.3]}
    ]


def test_the_view_itself_does_not_leak() -> None:
    figures = ("kind", "unit", "label_name", "labels", "datasets", "bucket", "incomplete", "left_out")
    assert set(drawn()) == {*figures, "marks", "benchmarks"}


def test_a_donut_is_a_table_of_parts() -> None:
    parts = [Dataset("Ada", "a", "sequence", [3]), Dataset("Grace", "b", "sequence", [Decimal(1)])]
    chart = ChartData("donut", "count", ["Whole window"], parts)
    assert list(chart.rows()) == [
        ["Part", "Value (count)", "Share (percent)"],
        ["Ada", 3.0, 75.0],
        ["Grace", 1.0, 25.0],
    ]


def test_a_donut_without_the_segments_of_few_people_says_so(org: Org, sign_in: Callable[[Persona], Client]) -> None:
    create_teams()
    yesterday = windows.local_today() - timedelta(days=1)
    for name in ("ada", *OTHERS_IN_PLATFORM):
        for model in ("claude-sonnet-4-5", "claude-haiku-4-5"):  # one of them could be subtracted from the whole
            org.session(by=name, on=yesterday, tokens=1000, model=model)
    org.session(by="grace", on=yesterday, tokens=5000, model="claude-opus-4-1")
    org.fold()
    client = sign_in(EXECUTIVE)
    address = reverse("ai_chart", args=["spend_breakdown"])
    answer = client.get(f"{address}?breakdown=model").json()
    assert [series["label"] for series in answer["datasets"]] == ["claude-sonnet-4-5"]
    assert answer["left_out"] == "2 hidden segments excluded"
    assert answer["centre"]["note"] == "in what is shown"
    table = client.get(f"{reverse('ai_chart_csv', args=['spend_breakdown'])}?breakdown=model").getvalue().decode()
    assert table.splitlines()[-1] == "2 hidden segments excluded,,"
    Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)
    answer = client.get(f"{address}?breakdown=model").json()
    assert (len(answer["datasets"]), answer["left_out"], answer["centre"]["note"]) == (3, "", "12 weeks")


def test_an_empty_donut_divides_by_nothing() -> None:
    chart = ChartData("donut", "count", ["Whole window"], [Dataset("Ada", "a", "sequence", [0])])
    assert list(chart.rows())[1] == ["Ada", 0.0, 0.0]
