"""A server that holds the demo, and what its command printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from demo.plan.stories import Weeks
from demo.plan.year import DemoYear
from tests.demo.planned import PlannedFigures
from tests.servers import Server


@dataclass(frozen=True)
class Demo:
    server: Server
    printed: dict[str, Any]
    year: DemoYear

    @cached_property
    def planned(self) -> PlannedFigures:
        return PlannedFigures(self.year)

    @property
    def names(self) -> dict[str, str]:
        """E-mail address → full name of everybody who works."""
        return {person.email: person.full_name for person in self.year.people}

    def range(self, weeks: Weeks) -> Mapping[str, str]:
        """The parameters of a page that shows these weeks."""
        first, after = self.year.first_day_of(weeks.first), self.year.first_day_of(weeks.last)
        return {"from": first.isoformat(), "to": after.isoformat()}
