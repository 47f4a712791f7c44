"""The program's section of the home page: my work and relevant objectives."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from insights.ui.filters import Filters
from insights.ui.offers import OfferedSection
from programs.objectives.pages.labels import objective_lines
from programs.objectives.queries.filters import ObjectiveFilters
from programs.objectives.queries.objectives import progress_of
from programs.overview.pages.my_work import my_work
from programs.overview.services.my_work import own_objectives
from programs.quarters.fiscal_quarters import current_quarter

OBJECTIVES_LISTED = 3
WORK_LISTED = 5


def program_on_home(_filters: Filters) -> OfferedSection | None:
    """A place that the home page fills once it stands."""
    return OfferedSection(
        "programs/overview/_on_home_later.html",
        {"url": reverse("program_part", args=["home"])},
        style_sheets=("css/components/objectives.css", "css/components/program.css"),
    )


def program_at_home(filters: Filters) -> dict[str, Any] | None:
    """Nothing where nothing waits and nothing is to be reached.

    An executive sees what the whole organisation wants to reach and lacks, a manager the same of their units, in
    whichever tree, a member the published goals of their units and of those above.
    """
    access, today, quarter = filters.access, filters.today, current_quarter()
    leads = access.visibility.leads_any
    narrowed = {"teams": "yes"} if leads and not access.visibility.leads_whole else {}
    objectives = ObjectiveFilters(narrowed, access, today=today, in_quarter=quarter)
    listed = list(objectives.qs[: OBJECTIVES_LISTED + 1])
    own = own_objectives(access.visibility, quarter)
    progress = progress_of([*listed, *(objective for objective in own if objective not in listed)], access, today=today)
    work = my_work(access.visibility, quarter, progress, today, listed=WORK_LISTED)
    if not listed and not work.lines:
        return None
    return {
        "work": work,
        "quarter": quarter,
        "objectives": objective_lines(progress[: min(len(listed), OBJECTIVES_LISTED)], today),
        "has_more": len(listed) > OBJECTIVES_LISTED,
        "objectives_url": reverse("objectives"),
        "new_objective_url": reverse("objective_new") if leads else "",
    }
