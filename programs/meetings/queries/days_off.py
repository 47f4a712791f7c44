"""Public holidays and weekends by country, from the `holidays` library, which is loaded when it is first needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

LANGUAGE = "en_US"  # of the names of holidays, where the library has them
NEW_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def days_off(country: str, subdivision: str) -> HolidayBase | None:
    """None without a country, and for one that the library no longer knows."""
    if country not in countries():
        return None
    return _days_off(country, subdivision if subdivision in subdivisions(country) else "")


@lru_cache(maxsize=64)
def _days_off(country: str, subdivision: str) -> HolidayBase:
    from holidays import country_holidays

    return country_holidays(country, subdiv=subdivision or None, language=LANGUAGE)


@lru_cache(maxsize=1)
def countries() -> Mapping[str, str]:
    """Names by code (ISO 3166-1), in alphabetical order."""
    from holidays.registry import COUNTRIES

    names = {code: NEW_WORD.sub(" ", name) for name, code, *_ in COUNTRIES.values()}
    return dict(sorted(names.items(), key=lambda country: country[1]))


def subdivisions(country: str) -> tuple[str, ...]:
    """Codes of parts of the country that have holidays of their own."""
    import holidays

    return tuple(getattr(holidays, country).subdivisions) if country in countries() else ()
