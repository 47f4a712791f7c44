"""Days follow the organisation's time zone, also when it changes and the raw rows are gone."""

from __future__ import annotations

from datetime import date

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from pytest_django import DjangoAssertNumQueries

from integrations.models import AgentSession, AgentSessionDay, AgentToolDay, FactFamily
from integrations.outbox.fact_changes import take_changes
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions.calendar import apply_time_zone
from integrations.telemetry.sessions.fold import fold_received_batches
from orgtree.models import Organisation
from tests.telemetry.raw_rows import Event, Point, at, days_cut_in, receive

pytestmark = pytest.mark.django_db

AUCKLAND = "Pacific/Auckland"  # twelve or thirteen hours ahead of UTC


def days() -> dict[str, list[tuple[date, int]]]:
    """The output of each day by its source, whether or not it counts."""
    return {
        source: list(
            AgentSessionDay.objects.filter(source=source)
            .values_list("day")
            .annotate(output=Sum("output_tokens"))
            .order_by("day")
        )
        for source in ("events", "metrics")
    }


def test_a_changed_zone_cuts_all_days_anew_without_raw_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    apply_time_zone()
    receive(
        [
            Event(at("2026-03-02 10:00"), kind=EventKind.REQUEST, tokens=(0, 0, 0, 10)),
            Event(at("2026-03-02 14:00"), kind=EventKind.REQUEST, tokens=(0, 0, 0, 20)),
            Event(at("2026-03-02 14:00"), kind=EventKind.TOOL_CALL, tool="Bash", outcome="failed"),
            Point(at("2026-03-02 10:00"), 11.0),
            Point(at("2026-03-02 14:00"), 22.0),
        ]
    )
    fold_received_batches()
    assert days() == {"events": [(date(2026, 3, 2), 30)], "metrics": [(date(2026, 3, 2), 33)]}
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE integrations_agent_event, integrations_agent_point")
    with transaction.atomic():
        take_changes()

    monkeypatch.setattr(settings, "TIME_ZONE", AUCKLAND)
    with days_cut_in(AUCKLAND):
        apply_time_zone()
        second, third = date(2026, 3, 2), date(2026, 3, 3)
        assert days() == {"events": [(second, 10), (third, 20)], "metrics": [(second, 11), (third, 22)]}
        assert AgentToolDay.objects.get().day == third
        assert AgentSession.objects.get().started_on == second
        assert Organisation.current().calendar_zone == AUCKLAND
        with transaction.atomic():
            changed = [change for change in take_changes() if change.family == FactFamily.AI]
        assert [(change.day_from, change.day_to) for change in changed] == [(second, date(2026, 3, 4))]


def test_an_unchanged_zone_costs_one_look(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    apply_time_zone()
    with django_assert_num_queries(1):
        apply_time_zone()
