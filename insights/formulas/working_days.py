"""Working days counted from a day: what forecasts count in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import busdaycalendar

    from insights.formulas.arrays import Integers

DAYS_A_WEEK = 7


@dataclass(frozen=True, eq=False)
class WorkingDays:
    """A calendar without weekends and holidays."""

    calendar: busdaycalendar

    @classmethod
    def without(cls, weekend: Collection[int], holidays: Iterable[date]) -> WorkingDays:
        """`weekend` are weekdays; Monday is 0."""
        import numpy as np

        mask = [day not in weekend for day in range(DAYS_A_WEEK)]
        return cls(np.busdaycalendar(weekmask=mask, holidays=np.array(sorted(holidays), dtype="datetime64[D]")))

    def after(self, day: date, number: int) -> date:
        """The working day that is `number` after `day`; 0 is the day itself, or the last one before it."""
        import numpy as np

        found = np.busday_offset(np.datetime64(day), number, roll="backward", busdaycal=self.calendar)
        return found.astype(date)  # type: ignore[no-any-return]

    def until(self, day: date, last: date) -> int:
        """The number of working days after `day`, up to and including `last`; negative if that is earlier."""
        import numpy as np

        if last < day:
            return -self.until(last, day)
        return int(np.busday_count(np.datetime64(day) + 1, np.datetime64(last) + 1, busdaycal=self.calendar))

    def counts(self, days: Iterable[date], *, first: date, end: date) -> Integers:
        """The number of `days` that fall on each working day from `first` until before `end`.

        A day off counts for the working day before it; days before `first` or from `end` on are left out.
        """
        import numpy as np

        start = np.busday_offset(np.datetime64(first), 0, roll="backward", busdaycal=self.calendar)
        length = int(np.busday_count(start, np.datetime64(end), busdaycal=self.calendar))
        given = np.array([day for day in days if first <= day < end], dtype="datetime64[D]")
        worked = np.busday_offset(given, 0, roll="backward", busdaycal=self.calendar)
        return np.bincount(np.busday_count(start, worked, busdaycal=self.calendar), minlength=length)[:length]
