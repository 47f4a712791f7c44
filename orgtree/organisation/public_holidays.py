"""The organisation's weekend and public holidays, from the `holidays` library, which is loaded when it is needed."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple


class DaysOff(NamedTuple):
    """Weekdays on which nobody works (Monday is 0), and public holidays."""

    weekend: frozenset[int]
    holidays: frozenset[date]


@lru_cache(maxsize=8)
def days_off(region: str, years: range) -> DaysOff:
    """The days off of a country or region (DE, DE-BY) in a range of years; an empty region has weekends only."""
    if not region:
        return DaysOff(frozenset({5, 6}), frozenset())
    from holidays import country_holidays

    country, _, subdivision = region.partition("-")
    known = country_holidays(country, subdiv=subdivision or None, years=years)
    return DaysOff(frozenset(known.weekend), frozenset(known))
