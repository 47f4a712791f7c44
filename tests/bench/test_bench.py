"""The bench measures what it says, on facts that the metrics read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from insights.metrics.query import MetricQuery, Window
from insights.metrics.read import read_series
from programs.bench.facts import UNITS, Size, generate
from programs.bench.figures import Limit, Measured, percentile
from programs.bench.ingest import fill_partition
from programs.bench.load import logs_body
from tests.org import Org


@pytest.mark.django_db
def test_generated_facts_are_those_that_metrics_read() -> None:
    size = Size(people=10, weeks=4, sessions_per_week=2)
    generate(size)
    tomorrow = timezone.localdate() + timedelta(days=1)
    window = Window(tomorrow - timedelta(weeks=6), tomorrow)
    keys = ("ai.sessions", "ai.active_developers", "ai.tokens", "ai.error_rate", "ai.lines_generated")
    sessions, developers, tokens, errors, lines = (
        answer.total[0] for answer in read_series([MetricQuery(key, window) for key in keys])
    )
    assert sessions.value == size.sessions
    assert developers.value == developers.denominator == size.people
    assert tokens.value == 7400 * size.sessions
    assert errors.value == pytest.approx(100 / 12)
    assert lines.value


@pytest.mark.django_db
def test_everybody_stands_in_a_team_of_the_generated_tree() -> None:
    from orgtree.models import Placement, Unit

    generate(Size(people=20, weeks=1, sessions_per_week=1))
    assert Unit.objects.filter(slug__startswith="bench").count() == UNITS
    assert Placement.objects.filter(ancestor__slug="bench-0").count() == 20
    assert Placement.objects.count() == 3 * 20  # team, group and root


def test_generated_requests_have_records_that_differ() -> None:
    body = ExportLogsServiceRequest.FromString(logs_body(120))
    records = [record for each in body.resource_logs for scope in each.scope_logs for record in scope.log_records]
    assert len({record.SerializeToString() for record in records}) == 120


def test_a_filled_partition_is_neither_new_nor_counted(org: Org) -> None:
    today = timezone.localdate()
    org.session(by="ada", on=today - timedelta(days=1), tokens=10)
    org.session(by="ada", on=today, at="00:00", minutes=0, tokens=10)
    fill_partition(1000)
    assert org.metric("ai.tokens", from_=today - timedelta(days=7), to=today + timedelta(days=1)).value == 20


def test_figures_say_how_far_from_the_limit_they_are() -> None:
    figure = Measured(
        "speed", 30.0, "records/s", "≥ 60% of the limit", met=False, conditions="alone", limit=Limit("copied", 100.0)
    )
    assert figure.ratio == 0.3
    assert "MISSED" in figure.as_text()
    assert "0.30 of the limit: 100 copied" in figure.as_text()
    assert percentile([1, 2, 3, 4, 5], 50) == 3
    assert percentile([7], 95) == 7
