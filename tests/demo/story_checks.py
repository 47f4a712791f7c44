"""Reading a story's expectations against figures, wherever those come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from demo.plan.delivery_stories import DeliveryStory
from demo.plan.stories import Expectation, Reading, Story, Weeks
from demo.plan.year import DemoYear


class Figures(Protocol):
    """Figures of the demo's metrics by weeks before its end; None where there is no data."""

    @property
    def year(self) -> DemoYear: ...

    def figure(self, key: str, weeks: Weeks, facets: Mapping[str, str], email: str | None = None) -> float | None: ...

    def by_weekday(self, key: str, weeks: Weeks, email: str) -> Mapping[int, float]:
        """The sums of the daily figures of one person, by weekday (Monday is 0)."""
        ...


def assert_story_shows(story: Story | DeliveryStory, figures: Figures) -> None:
    """AssertionError naming the story, the expectation and the figure that does not tell it."""
    for expectation in story.expectations:
        for figure in _read(expectation, figures):
            compared_with = _comparison(expectation, figures)
            assert _is_met(expectation, figure, compared_with), (
                f"{story.key}: {expectation.key} over {expectation.weeks} is {figure}, compared with {compared_with}; "
                f"expected {expectation.reading.value} {expectation.number}"
            )


def _read(expectation: Expectation, figures: Figures) -> list[float | None]:
    key, weeks = expectation.key, expectation.weeks
    if expectation.each_of:
        emails = _present(expectation.each_of, figures.year)
        return [figures.figure(key, weeks, expectation.facets, email) for email in emails]
    if expectation.weekend_share_of:
        days = [figures.by_weekday(key, weeks, email) for email in _present(expectation.weekend_share_of, figures.year)]
        weekend = sum(figure for by_weekday in days for weekday, figure in by_weekday.items() if weekday >= 5)
        return [100 * weekend / sum(figure for by_weekday in days for figure in by_weekday.values())]
    return [figures.figure(key, weeks, expectation.facets)]


def _comparison(expectation: Expectation, figures: Figures) -> float | None:
    """The figure of the other window; for as many weeks as the expectation's own where they are compared by week."""
    if expectation.compared_with is None:
        return None
    figure = figures.figure(expectation.key, expectation.compared_with, expectation.facets)
    if figure is None or expectation.reading is not Reading.TIMES_A_WEEK_AT_LEAST:
        return figure
    weeks, others = (_played(period, figures.year) for period in (expectation.weeks, expectation.compared_with))
    return figure * weeks / others


def _played(weeks: Weeks, year: DemoYear) -> int:
    return (year.first_day_of(weeks.last) - year.first_day_of(weeks.first)).days // 7


def _present(emails: frozenset[str], year: DemoYear) -> list[str]:
    """Those of the people whom this size of the demo has: at least one."""
    present = sorted(emails & {person.email for person in year.people})
    assert present, f"none of {sorted(emails)} is in the organisation"
    return present


def _is_met(expectation: Expectation, figure: float | None, compared_with: float | None) -> bool:
    if figure is None:  # of whoever never used an agent nothing is known, rather than none
        return expectation.reading is Reading.AT_MOST and expectation.number == 0
    match expectation.reading:
        case Reading.AT_LEAST:
            return figure >= expectation.number
        case Reading.AT_MOST:
            return figure <= expectation.number
        case Reading.TIMES_AT_LEAST | Reading.TIMES_A_WEEK_AT_LEAST:
            return compared_with is not None and figure >= expectation.number * compared_with
        case Reading.POINTS_BELOW:
            return compared_with is not None and compared_with - figure >= expectation.number
