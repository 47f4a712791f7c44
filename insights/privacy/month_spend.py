"""A month's spend so far and its forecast, as a viewer may see them.

The forecast uses figures that the viewer may see: the month so far, and whole weeks.  Single days enter only as the
weekdays' shares of all these weeks, so no day can be computed from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from insights.engine.read import read_series
from insights.formulas.month_forecast import DAYS_A_WEEK, FEWEST_WEEKS, WEEKS_READ, MonthForecast, forecast_month
from insights.privacy.visible import visible_together
from insights.query import windows
from insights.query.query import Answer, Freshness, Granularity, MetricValue, Query, Window
from orgtree.access.access import Access

SPEND, UNPRICED = "ai.spend", "ai.unpriced_tokens"
TOO_YOUNG = f"No forecast: it needs {FEWEST_WEEKS} complete weeks with spend that may be shown."
DAY = timedelta(days=1)


@dataclass(frozen=True)
class MonthSpend:
    """A month's spend; if `forecast` is None, `why_none` has the reason.  Past months have none."""

    spent: MetricValue
    unpriced: MetricValue  # tokens whose cost `spent` lacks
    forecast: MonthForecast | None = None
    why_none: str = ""


def visible_month_spend(
    queries: Sequence[Query], access: Access, *, now: datetime | None = None, freshness: Freshness = Freshness.AT_ONCE
) -> list[MonthSpend]:
    """Spend of months, for queries of ai.spend over one whole month each.  Raises like `visible_series`."""
    at = (now or timezone.now()).astimezone(settings.ORGANISATION_TIME_ZONE)
    today = at.date()
    totals = [replace(query, window=windows.passed(query.window, today=today)) for query in queries]
    started = [position for position, query in enumerate(totals) if query.window.days]
    running = [position for position in started if queries[position].window.end > today]
    history = _complete_weeks(today)
    weekly = [
        replace(queries[position], window=history, granularity=Granularity.WEEK, segments=()) for position in running
    ]
    to_date = [totals[position] for position in started]
    answers = visible_together(
        access,
        series=weekly,
        totals=[*to_date, *(replace(query, key=UNPRICED) for query in to_date)],
        freshness=freshness,
    )
    daily = read_series([replace(query, granularity=Granularity.DAY) for query in weekly], freshness=freshness)
    found: dict[int, MonthSpend] = {}
    for place, position in enumerate(started):
        found[position] = MonthSpend(answers.totals[place].total[0], answers.totals[len(started) + place].total[0])
    for place, position in enumerate(running):
        month = found[position]
        if month.spent.withheld:
            continue
        forecast = forecast_month(
            month.spent.value or 0,
            _visible_weeks(answers.series[place]),
            _by_weekday(daily[place]),
            today=today,
            day_left=_part_left(at),
            month_end=queries[position].window.end,
        )
        found[position] = replace(month, forecast=forecast, why_none="" if forecast else TOO_YOUNG)
    return [found.get(position) or _not_started(query) for position, query in enumerate(queries)]


def _complete_weeks(today: date) -> Window:
    monday = today - timedelta(days=today.weekday())
    return Window(monday - timedelta(weeks=WEEKS_READ), monday)


def _visible_weeks(answer: Answer) -> list[float]:
    """The sums of the weeks after the one in which spending began, leaving out those withheld from the viewer."""
    weeks = list(answer.series)
    if weeks and _is_empty(weeks[0]):
        first = next((place for place, week in enumerate(weeks) if not _is_empty(week)), len(weeks))
        weeks = weeks[first + 1 :]
    return [week.value or 0.0 for week in weeks if not week.withheld]


def _is_empty(week: MetricValue) -> bool:
    return not week.withheld and not week.value


def _by_weekday(answer: Answer) -> list[float]:
    sums = [0.0] * DAYS_A_WEEK
    for day in answer.series:
        sums[day.window.start.weekday()] += day.value or 0
    return sums


def _part_left(at: datetime) -> float:
    """The remaining part of the day, by the clock, because today's spend would reveal who worked today."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return 1 - (at - midnight) / DAY


def _not_started(query: Query) -> MonthSpend:
    nothing = MetricValue(query.window, {}, reason="The month has not started.")
    return MonthSpend(nothing, nothing, why_none="The month has not started.")
