"""The rows of a relation as arrays, while facts go on changing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import DataError, transaction

from insights.metrics.measures import Total
from insights.metrics.query import Dimension
from insights.metrics.reading import Reading
from insights.metrics.row_arrays import RowArrays, row_arrays
from integrations.facts.ai import AGENT_SESSIONS
from integrations.models import AgentSession
from tests.metrics.facts import create_world

FIRST = date(2026, 3, 2)
DAYS = [FIRST + timedelta(days=n) for n in range(10)]
READING = Reading(AGENT_SESSIONS, ((DAYS[0], DAYS[-1] + timedelta(days=1)),), segments=(Dimension.AGENT,))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _world() -> None:
    create_world(5, days=DAYS, sessions=40)


def agents_of(rows: RowArrays) -> Counter[str]:
    positions, words = rows.segment(Dimension.AGENT)
    return Counter(words[position] if position >= 0 else "nowhere" for position in positions.tolist())


def test_each_row_has_its_value() -> None:
    with row_arrays(READING, []) as rows:
        assert agents_of(rows) == Counter(AgentSession.objects.values_list("agent", flat=True))


def test_facts_without_an_id_are_rows_all_the_same() -> None:
    nameless = replace(
        AGENT_SESSIONS, fact="nothing", sql=f"SELECT *, NULL::bigint AS nothing FROM ({AGENT_SESSIONS.sql}) AS s"
    )
    with row_arrays(READING, []) as rows, row_arrays(replace(READING, relation=nameless), []) as of_nameless:
        assert sorted(of_nameless.people.tolist()) == sorted(rows.people.tolist())
        assert set(of_nameless.facts.tolist()) == {0}
        assert agents_of(of_nameless) == agents_of(rows)


def test_rows_that_break_off_are_an_error_and_the_connection_goes_on() -> None:
    """The database sends thousands of rows before it finds that it cannot go on."""
    breaks = replace(
        AGENT_SESSIONS,
        sql=f"SELECT s.*, 1 / (20000 - n) AS broken FROM ({AGENT_SESSIONS.sql}) AS s, generate_series(1, 30000) AS n",
        columns=AGENT_SESSIONS.columns | {"broken"},
    )
    reading, measure = replace(READING, relation=breaks), Total(breaks, column="broken")
    with pytest.raises(DataError, match="division by zero"), transaction.atomic(), row_arrays(reading, [measure]):
        raise AssertionError("these rows are not whole")
    with row_arrays(READING, []) as rows:
        assert len(rows) == 40


def test_rows_keep_their_value_when_some_of_them_change_after_they_were_read() -> None:
    with row_arrays(READING, []) as rows:
        as_read = agents_of(rows)
        last = AgentSession.objects.filter(agent="codex").latest("pk")
        AgentSession.objects.filter(agent="codex").exclude(pk=last.pk).update(agent="gemini")
        assert agents_of(rows) == as_read


def test_rows_whose_value_nobody_has_any_more_are_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with row_arrays(READING, []) as rows:
        as_read = agents_of(rows)
        AgentSession.objects.filter(agent="codex").update(agent="newcomer")
        assert agents_of(rows) == as_read  # as this process remembers
        monkeypatch.setattr("insights.metrics.row_arrays._known_words", {})
        assert agents_of(rows) == Counter({**as_read, "nowhere": as_read["codex"], "codex": 0})
