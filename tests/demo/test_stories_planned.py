"""Whatever the seed and the day on which somebody starts the demo, its stories are in it and the quiet one has none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.demo.stories import STORIES, Flavour, Weeks
from integrations.demo.year import DemoYear
from tests.demo.planned import PlannedFigures
from tests.demo.telling import assert_told

ENDS = {
    "on a Friday in autumn": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
    "on a Monday after the holidays": datetime(2027, 1, 4, 7, 0, tzinfo=UTC),
    "on a Sunday in spring": datetime(2027, 4, 11, 22, 0, tzinfo=UTC),
    "in the middle of a summer's week": datetime(2027, 7, 14, 12, 0, tzinfo=UTC),
}


@pytest.mark.parametrize(("seed", "end"), list(enumerate(ENDS.values(), start=1)), ids=list(ENDS))
def test_every_story_is_told(seed: int, end: datetime) -> None:
    figures = PlannedFigures(DemoYear(seed=seed, flavour=Flavour.STORIES, anchor=end))
    assert 8_000 <= len(figures.sessions) <= 15_000
    for story in STORIES:
        assert_told(story, figures)


def test_the_quiet_flavour_tells_none() -> None:
    end = ENDS["on a Friday in autumn"]
    figures = PlannedFigures(DemoYear(seed=1, flavour=Flavour.QUIET, anchor=end))
    for weeks in (Weeks(4, 0), Weeks(12, 0), Weeks(52, 0)):
        assert figures.figure("ai.adoption_rate", weeks, {}) == 100
        error_rate = figures.figure("ai.error_rate", weeks, {})
        assert error_rate is not None
        assert error_rate < 6
    # Nothing rises or falls by itself: half of the year is like the other, holidays aside.
    halves = [figures.figure("ai.sessions", weeks, {}) for weeks in (Weeks(26, 0), Weeks(52, 26))]
    assert halves[0] == pytest.approx(halves[1], rel=0.15)
