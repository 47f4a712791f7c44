"""The epics that tests of forecasts read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from insights.query import windows
from tests.forecasts.work import REFUNDS, RULES, Board, know, working_day_after, working_days_before
from tests.teams import create_teams


@pytest.fixture
def board() -> Board:
    """Platform finishes one item of *Instant refunds* a day, and ten are left; *Price rules* of search is young."""
    teams = create_teams()
    know("ada", "hedy", "grace")
    today = windows.local_today()
    board = Board()
    refunds = board.epic("SHOP-900", REFUNDS, due_on=working_day_after(today, 7))
    board.items(refunds, done=working_days_before(today, 40), todo=10, created=today - timedelta(days=90))
    rules = board.epic("SHOP-901", RULES)
    board.items(rules, done=working_days_before(today, 5), todo=7, by="grace")
    assert teams.platform.slug == "platform"
    return board
