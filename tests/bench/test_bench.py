"""The bench measures what it says, on facts that the metrics read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from bench.delay import people_who_send
from bench.facts import Size, generate
from bench.figures import Limit, Measured, percentile
from bench.ingest import fill_partition
from bench.load import logs_body
from insights.engine.read import read_series
from insights.query.query import Query, Window
from integrations.code.attribution.session_outcomes import recompute_outcomes
from integrations.facts.unconfirmed import unconfirmed_people
from integrations.models import AgentSession, Commit, FileAttribution
from orgtree.models import Person
from tests.org import Org

SIZE = Size(people=60, units=12, weeks=8, sessions_per_week=2, commits_per_week=1)


@pytest.mark.django_db
def test_generated_facts_are_those_that_metrics_read() -> None:
    generate(SIZE)
    tomorrow = timezone.localdate() + timedelta(days=1)
    window = Window(tomorrow - timedelta(weeks=SIZE.weeks + 2), tomorrow)
    sessions, developers, tokens, errors, committed, lines, share, shipped = (
        answer.total[0]
        for answer in read_series(
            [
                Query(key, window)
                for key in (
                    *("ai.sessions", "ai.active_developers", "ai.tokens", "ai.error_rate", "ai.lines_committed"),
                    *("ai.lines_generated", "ai.committed_code_share", "ai.ship_rate"),
                )
            ]
        )
    )
    stored = AgentSession.objects.count()
    assert sessions.value == stored
    assert 0.7 * SIZE.people * SIZE.weeks * SIZE.sessions_per_week < stored  # less those of people who were not there
    assert 0 < (developers.value or 0) <= SIZE.people
    assert 7400 * stored < (tokens.value or 0) < 8200 * stored  # one of seven goes on, one of five uses a second model
    assert errors.value == pytest.approx(100 / 12.7, abs=1)
    assert 0 < (committed.value or 0) < (lines.value or 0)
    assert 0 < (share.value or 0) < 100
    assert 0 < (shipped.value or 0) < 100


@pytest.mark.django_db
def test_generated_facts_are_as_the_intake_leaves_them() -> None:
    generate(SIZE)
    commits = Commit.objects.values_list("pk", flat=True)
    assert recompute_outcomes(list(commits), list(AgentSession.objects.values_list("pk", flat=True))) == set()
    attributed = Commit.objects.filter(pk__in=FileAttribution.objects.values("commit"))
    assert attributed.count() == AgentSession.objects.filter(committed=True).count()
    for commit in Commit.objects.prefetch_related("files")[:50]:
        files = list(commit.files.all())
        assert len(files) == commit.file_count
        assert sum(file.added or 0 for file in files) == commit.lines_added


@pytest.mark.django_db
def test_senders_are_people_whose_figures_are_not_hidden() -> None:
    senders = people_who_send()
    assert set(senders) == set(Person.objects.values_list("email", flat=True))
    assert not unconfirmed_people()


def test_generated_requests_have_records_that_differ() -> None:
    body = ExportLogsServiceRequest.FromString(logs_body(120))
    records = [record for log in body.resource_logs for scope in log.scope_logs for record in scope.log_records]
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
