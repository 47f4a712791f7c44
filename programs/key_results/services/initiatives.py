"""Key results of an initiative: the number or share of its items that are done, and when the target is reached.

The forecast is the initiative's own (docs/forecasts.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from django.urls import reverse

from core.write_errors import FieldError
from insights.forecasts.forecasting import Dates, InitiativeForecast, as_of
from insights.forecasts.listing import forecast_with_key, too_little_words
from insights.formulas.forecast import EVEN, TooLittleHistory
from insights.query.query import Window
from integrations.delivery.records.initiatives import Initiative, InitiativeKind, initiative
from integrations.models import WorkItem
from orgtree.access.access import Access, aggregates_access
from orgtree.trees.people_filter import EVERYBODY
from programs.key_results.services.forecasting import NOT_STARTED, OVER, Ahead, Point
from programs.key_results.services.items import OUTER, Reached
from programs.key_results.services.reading import MeasuredMetric, whole_weeks
from programs.models import KeyResult
from programs.models.objectives import PERCENT

NO_SUCH_INITIATIVE = "This initiative no longer exists."
ALL_DONE = "Everything is done."
UNKNOWN = "There is no such epic, or you may not see it. Enter its key, or the address of an initiative’s page."
Read = Mapping[str, InitiativeForecast]


def stored_name(written: str, access: Access) -> str:
    """The stored name (epic:12) of an initiative given as an epic's key, the address of its page, or a stored name.

    Raises FieldError if the writer may see none of its items.
    """
    text = written.replace("\x00", "").strip()
    given = parse_qs(urlsplit(text).query)
    kind, keys = InitiativeKind.EPIC.value, [""]
    if "of" in given:
        kind, keys = given.get("kind", [kind])[0], given["of"][:1]
    elif text.partition(":")[0] in list(InitiativeKind):
        kind, keys = text.partition(":")[0], [text.partition(":")[2]]
    else:  # an epic that nobody works on itself is visible through its items: see `initiative`
        keys = [str(pk) for pk in WorkItem.objects.filter(key=text.upper()).order_by("pk").values_list("pk", flat=True)]
    if kind in list(InitiativeKind):
        for key in filter(None, keys):
            if initiative(InitiativeKind(kind), key, access) is not None:
                return f"{kind}:{key}"
    raise FieldError("initiative", UNKNOWN)


def page_of_initiative(stored: str) -> str:
    """The address of the initiative's page."""
    kind, _, key = stored.partition(":")
    return f"{reverse('initiative')}?{urlencode({'kind': kind, 'of': key})}"


def read_initiatives(stored: Iterable[str], *, today: date) -> Read:
    """Forecasts by stored name, without initiatives that no longer exist; read in full, regardless of the viewer."""
    found = {}
    for name in sorted({name for name in stored if name}):
        kind, _, key = name.partition(":")
        made = forecast_with_key(
            InitiativeKind(kind), key, aggregates_access(), people=EVERYBODY, own_only=False, today=today
        )
        if made is not None:
            found[name] = made[0]
    return found


def value_of(one: Initiative, unit_of_measure: str) -> float | None:
    """The number of items that are done, or their share; None without any items."""
    if unit_of_measure != PERCENT:
        return float(len(one.done))
    return 100 * len(one.done) / one.items if one.items else None


def value_before(stored: str, unit_of_measure: str, quarter: Window, *, today: date) -> float | None:
    """The value at the end of the day before the quarter, or of yesterday if the quarter has not started."""
    made = read_initiatives([stored], today=today).get(stored)
    if made is None:
        return None
    before = min(quarter.start, today) - timedelta(days=1)
    return value_of(as_of(made.initiative, before), unit_of_measure) or 0.0


def measured_initiative(key_result: KeyResult, made: InitiativeForecast | None, *, today: date) -> MeasuredMetric:
    """The key result's value today, and at the end of each whole week."""
    if made is None:
        return MeasuredMetric(None, NO_SUCH_INITIATIVE, 0, 0, ())
    one, unit = made.initiative, key_result.unit_of_measure
    weeks = whole_weeks(key_result.objective.quarter.window, today)
    points = tuple(Point(week.start, value_of(as_of(one, week.last_day), unit)) for week in weeks)
    value = value_of(one, unit)
    return MeasuredMetric(value, "" if value is not None else "It has no items.", one.items, 0, points)


@dataclass(frozen=True, eq=False)
class InitiativeOutlook:
    """The projection of an initiative from tomorrow; a share refers to the items of today, except for 100 %."""

    made: InitiativeForecast
    in_percent: bool

    def after(self, weeks: float) -> Ahead:
        """The value that many weeks from now."""
        made = self.made.how_many(self.made.today + timedelta(days=round(weeks * 7)))
        if isinstance(made, TooLittleHistory):
            raise TypeError("An outlook has history enough.")
        done, items = len(self.made.initiative.done), self.made.initiative.items
        numbers = [min(items, done + made.at_least(odds)) for odds in (EVEN, 1 - OUTER, OUTER)]
        return Ahead(*(100 * number / items if self.in_percent else float(number) for number in numbers))

    def reached(self, target: float, *, last: date) -> Reached | None:
        """The date on which the target is reached, with odds; None if it is reached already."""
        one = self.made.initiative
        wanted = math.ceil(target * one.items / 100) if self.in_percent else math.ceil(target)
        missing = wanted - len(one.done)
        if missing <= 0:
            return None
        is_end = self.in_percent and target >= 100
        forecast = self.made.forecast if is_end else self.made.when_so_many(missing)
        if isinstance(forecast, TooLittleHistory):
            raise TypeError("An outlook has history enough.")
        dates: Dates = self.made.dates_of(forecast)
        return Reached(dates, self.made.odds_by(last, forecast) or 0.0)


def initiative_outlook(
    key_result: KeyResult, made: InitiativeForecast | None, quarter: Window, *, today: date
) -> tuple[InitiativeOutlook | None, str]:
    """The outlook, or why there is none."""
    if today + timedelta(days=1) >= quarter.end:
        return None, OVER
    if today < quarter.start:
        return None, NOT_STARTED
    if made is None:
        return None, NO_SUCH_INITIATIVE
    if not made.initiative.remaining:
        return None, ALL_DONE
    if why := too_little_words(made.forecast):
        return None, f"{why}."
    return InitiativeOutlook(made, key_result.unit_of_measure == PERCENT), ""
