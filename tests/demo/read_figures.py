"""The demo's figures as the metric engine reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from demo.plan.stories import Weeks
from demo.plan.year import DemoYear
from insights.engine.read import read_series
from insights.query.query import Answer, Dimension, Granularity, Query, Scope, Window
from orgtree.models import Person
from tests.demo.stored_figures import NO_METRICS, StoredFigures


@dataclass(frozen=True)
class ReadFigures:
    """The figures as the metric engine reads them."""

    year: DemoYear

    def figure(self, key: str, weeks: Weeks, facets: Mapping[str, str], email: str | None = None) -> float | None:
        return self._answer(key, weeks, facets, email, Granularity.WEEK).total[0].value

    def by_weekday(self, key: str, weeks: Weeks, email: str) -> Mapping[int, float]:
        sums: Counter[int] = Counter()
        for day in self._answer(key, weeks, {}, email, Granularity.DAY).series:
            sums[day.window.start.weekday()] += int(day.value or 0)
        return sums

    def _answer(
        self, key: str, weeks: Weeks, facets: Mapping[str, str], email: str | None, granularity: Granularity
    ) -> Answer:
        query = Query(
            key=key,
            window=Window(self.year.first_day_of(weeks.first), self.year.first_day_of(weeks.last)),
            granularity=granularity,
            scope=Scope(person_id=Person.objects.get(email=email).pk) if email else Scope(),
            facets={Dimension(name): (value,) for name, value in facets.items()},
        )
        return read_series([query])[0]


@dataclass(frozen=True)
class DeliveryFigures:
    """Those of the delivery: from plain SQL where there is no metric."""

    year: DemoYear

    def figure(self, key: str, weeks: Weeks, facets: Mapping[str, str], email: str | None = None) -> float | None:
        read = StoredFigures(self.year) if key in NO_METRICS else ReadFigures(self.year)
        return read.figure(key, weeks, facets, email)

    def by_weekday(self, key: str, weeks: Weeks, email: str) -> Mapping[int, float]:
        return ReadFigures(self.year).by_weekday(key, weeks, email)


def figure_of_unit(year: DemoYear, key: str, unit: str, weeks: Weeks) -> float:
    """The metric of the unit over the weeks; what has no data fails."""
    window = Window(year.first_day_of(weeks.first), year.first_day_of(weeks.last))
    value = read_series([Query(key, window, scope=Scope(unit=unit))])[0].total[0].value
    assert value is not None, (key, unit)
    return value


def commits_of(year: DemoYear, unit: str, weeks: Weeks, *, person: Person | None = None) -> int:
    """Commits that count for the unit over the weeks; of one person among them."""
    window = Window(year.first_day_of(weeks.first), year.first_day_of(weeks.last))
    scope = Scope(unit=unit, person_id=person.pk if person else None)
    return int(read_series([Query("commit.count", window, scope=scope)])[0].total[0].value or 0)
