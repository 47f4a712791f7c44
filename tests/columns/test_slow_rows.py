"""A page waits for rows that are read live as long as its allowance says, then shows their last copy, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from insights.columns.source import EXACT, PAGE, Allowance, Lag
from insights.engine import live_rows, scan
from insights.engine.fact_query import FactQuery
from insights.engine.live_rows import rows_of_answer
from insights.query.measures import Facts
from insights.query.query import Window
from integrations.facts.ai import AGENT_SESSIONS
from integrations.models import AgentSession, FactChange, FactFamily
from tests.columns.states import build_all, copied_alone, slow_rows
from tests.columns.test_partitions import in_another
from tests.engine.facts import create_world

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
DAYS = [NOW.date() - timedelta(days=n) for n in range(6, -1, -1)]
WHOLE = Window(DAYS[0], DAYS[-1] + timedelta(days=1))
SESSIONS = Facts(AGENT_SESSIONS)
PATIENT = Allowance(PAGE.lag, live_seconds=30)
IMPATIENT = Allowance(PAGE.lag, live_seconds=0.05)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The number of copied sessions; one of them is none any more, for an hour."""
    monkeypatch.setattr(live_rows, "_slow_until", {})
    with time_machine.travel(NOW, tick=False), copied_alone(["agent_sessions"]):
        create_world(1, days=DAYS, sessions=20)
        build_all()
        number = AgentSession.objects.filter(has_work=True).count()
        lose_one()
        changed = FactChange.objects.create(family=FactFamily.AI, day_from=DAYS[0], day_to=WHOLE.end)
        FactChange.objects.filter(pk=changed.pk).update(at=changed.at - timedelta(hours=1))
        yield number


def lose_one() -> None:
    AgentSession.objects.filter(pk=AgentSession.objects.filter(has_work=True).earliest("pk").pk).update(has_work=False)


def ask(allowance: Allowance) -> tuple[int, Lag]:
    """The number of sessions."""
    with rows_of_answer(allowance) as rows:
        groups = scan.scan(FactQuery(AGENT_SESSIONS, ((WHOLE.start, WHOLE.end),)), [SESSIONS])
        return sum(group.facts for group in groups.values()), rows.lag


def test_beyond_so_much_time_a_page_reads_the_last_version(sessions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next page does not even try, for a while."""
    at = FactChange.objects.get().at
    with slow_rows(AGENT_SESSIONS):
        assert ask(PATIENT) == (sessions - 1, Lag())
        assert ask(IMPATIENT) == (sessions, Lag(as_of=at))
        assert ask(EXACT) == (sessions - 1, Lag())
    assert ask(PATIENT) == (sessions, Lag(as_of=at))
    monkeypatch.setattr(live_rows, "_slow_until", {AGENT_SESSIONS.name: 0.0})
    assert ask(PATIENT) == (sessions - 1, Lag())


def test_an_answer_goes_on_in_its_snapshot(sessions: int) -> None:
    with rows_of_answer(IMPATIENT) as rows:
        with slow_rows(AGENT_SESSIONS):
            assert "read_parquet" in rows.source(AGENT_SESSIONS, [WHOLE], {"day"})
        in_another(lose_one).join()
        assert AgentSession.objects.filter(has_work=True).count() == sessions - 1
    assert AgentSession.objects.filter(has_work=True).count() == sessions - 2


def test_the_limit_costs_no_statement(sessions: int) -> None:
    counts = {}
    for allowance in (PATIENT, Allowance(PAGE.lag)):
        with CaptureQueriesContext(connection) as captured:
            assert ask(allowance)[0] == sessions - 1
        counts[allowance] = len(captured)
    assert len(set(counts.values())) == 1


def test_within_a_transaction_of_the_callers_there_is_no_limit(sessions: int) -> None:
    """It must not fail, and has no savepoint to go back to."""
    with transaction.atomic(), slow_rows(AGENT_SESSIONS):
        assert ask(IMPATIENT) == (sessions - 1, Lag())
