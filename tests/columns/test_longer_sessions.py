"""Sessions that go on: what rows of their former days say of them follows in the columns."""

from __future__ import annotations

import pytest

from insights.columns.check import check_columns
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.columns.states import build_all, copied_alone
from tests.telemetry.raw_rows import Event, at, receive

pytestmark = pytest.mark.django_db
COPIED = ["agent_sessions", "agent_session_days", "agent_tool_days", "agent_spend_shares"]


def work(day: str, model: str) -> None:
    receive(
        [
            Event(at(f"{day} 10:00"), kind=EventKind.REQUEST, key=f"request-{day}", model=model, tokens=(9, 0, 0, 9)),
            Event(at(f"{day} 10:01"), kind=EventKind.TOOL_CALL, key=f"call-{day}", tool="Bash", outcome="succeeded"),
        ]
    )
    fold_received_batches()


def test_weeks_of_a_session_that_went_on_are_copied_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insights.columns.build.MOST_ROWS", 1)  # a partition for each week
    used = [("2026-02-11", "claude-sonnet-4-5"), ("2026-02-25", "claude-opus-4-5"), ("2026-03-11", "gpt-5")]
    with copied_alone(COPIED):
        for day, model in used:
            work(day, model)
            build_all()
            assert check_columns().differences == []
