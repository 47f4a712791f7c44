"""The objectives of a quarter: as a list, by alignment, and teams without one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.urls import reverse

from core.csv_export import Cell
from core.list_page import Chip
from core.page_links import Picker, page_links, read_page, url_with
from insights.ui import wording
from insights.ui.filters import parameters_of
from orgtree.models import Unit
from programs.alignment.offers import branches, with_those_above
from programs.models import Objective, ObjectiveStatus, Quarter
from programs.objectives.pages.labels import TAGS, ObjectiveLine, StatusTag, objective_lines
from programs.objectives.queries.filters import ObjectiveFilters
from programs.objectives.queries.objectives import in_order_of_units, progress_of
from programs.objectives.services.csv_export import objective_rows
from programs.quarters.pages import Quarters, choices, elapsed_text, quarter_url, quarters
from programs.requests.list_pages import UnitList
from programs.teams.queries import teams_missing_objective, teams_tree, units_above

ROWS_OF_A_TREE = 40
TEAMS_ON_A_PAGE = 50
SETTINGS = "admin:programs_programsettings_changelist"  # where an admin chooses which teams set objectives
TEAMS_NAMED = 6  # in the sentence above the list
EVERYTHING = "Your units, the units above them, and the whole organisation"
WIDER = dict.fromkeys(("standing", "q", "mine", "drafts"), "")  # clears the filters that narrow the list
NOT_KNOWN = replace(TAGS[ObjectiveStatus.UNKNOWN], text="Unknown")  # without data, or withheld from the viewer
VIEWS = {"list": "List", "tree": "Alignment", "gaps": "Teams without one"}


@dataclass(frozen=True)
class TreeLine:
    line: ObjectiveLine
    depth: int
    is_context: bool  # an ancestor from the page before, shown for context


class Objectives(UnitList):
    """The list of objectives; without a unit in the address or the session, all that concern the viewer."""

    plural = "objectives"
    filters = ObjectiveFilters
    template_name = "programs/objectives/list.html"
    has_file = True
    own = ("quarter", "view")
    views = VIEWS
    size = 20
    of_any_unit = ("mine",)

    @property
    def card(self) -> str:  # type: ignore[override]  # one for each view
        return f"programs/objectives/_{self.view}.html"

    @cached_property
    def quarters(self) -> Quarters:
        return quarters(self.today)

    @cached_property
    def quarter(self) -> Quarter:
        """The chosen quarter.  Raises QueryError."""
        return self.quarters.starting(self.params.get("quarter", ""))

    @property
    def context_params(self) -> Sequence[tuple[str, str]]:
        word = self.scope.scope.unit_word
        return [("unit", word)] if word and parameters_of(self.request).get("unit") else []

    @property
    def unit(self) -> str:
        return super().unit if self.context_params else ""

    @cached_property
    def narrowed(self) -> ObjectiveFilters:
        return self.within_quarter()

    def within_quarter(self, **changed: str) -> ObjectiveFilters:
        narrowed: Any = self.narrowed_by(**changed)
        return ObjectiveFilters.of_quarter(self.quarter, narrowed.data, self.access, today=self.today)

    def count_in(self, unit: str) -> int:
        return self.within_quarter(unit=unit).qs.count()

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Objectives by status."""
        return self.narrowed.count_by_status()

    @cached_property
    def gaps(self) -> QuerySet[Unit] | None:
        """Teams without an objective, for their leaders; None for others, and in closed quarters."""
        if self.quarter.is_closed or not self.access.visibility.leads_any:
            return None
        return teams_missing_objective(self.access.visibility, self.quarter, self.today)

    def records(self) -> QuerySet[Objective]:
        return in_order_of_units(self.narrowed.qs)

    def page(self) -> Page[Objective]:
        status, paginator = self.narrowed.chosen["standing"], Paginator(self.records(), self.size)
        paginator.count = self.counts.get(status, 0) if status else sum(self.counts.values())
        return paginator.get_page(read_page(self.request))

    def rows(self, records: Iterable[Objective]) -> list[ObjectiveLine]:
        return objective_lines(progress_of([*records], self.access, today=self.today), self.today)

    def file_rows(self, records: QuerySet[Objective]) -> Iterable[Sequence[Cell]]:
        return objective_rows(in_order_of_units(records), self.access)

    def context(self) -> dict[str, Any]:
        quarter, visibility, context = self.quarter, self.access.visibility, super().context()
        return {
            **context,
            "whose": context["whose"] if self.context_params or visibility.whole else EVERYTHING,
            "quarter": quarter,
            "quarter_days": wording.days(quarter.window),
            "passed": elapsed_text(quarter, self.today),
            "quarters": choices(self.quarters, quarter, self._quarter_link),
            "frozen_url": quarter_url(quarter) if quarter.is_closed else "",
            "close_url": self._close_url(),
            "counts": self._counts(),
            "standing": self.narrowed.chosen["standing"],
            "new_url": self._new_url(),
            **self._gap_notice(),
        }

    def pickers(self) -> list[tuple[str, list[Picker]]]:
        views = {view: label for view, label in VIEWS.items() if view != "gaps" or self.gaps is not None}
        return [("View", self.choice("view", views, self.view))]

    def chips(self) -> list[Chip]:
        """The chips; drafts are visible to those who answer for a unit."""
        visibility = self.access.visibility
        mine = [self.switch("mine", "My objectives", "user-check")] if visibility.person_id is not None else []
        return [*mine, *([self.switch("drafts", "Drafts", "writing")] if visibility.leads_any else [])]

    def shown(self) -> dict[str, Any]:
        match self.view:
            case "tree":
                return {"card": self.card, **self._tree()}
            case "gaps":
                return {"card": self.card, "rows": True, **self._gap_list()}
        return super().shown()

    def _tree(self) -> dict[str, Any]:
        tree = branches(self.records().values_list("pk", "parent"))
        page = Paginator(tree, ROWS_OF_A_TREE).get_page(read_page(self.request))
        first, last = max(0, page.start_index() - 1), page.end_index()
        branch = with_those_above(tree, first, last)
        context = {branch.pk for branch in branch[: len(branch) - (last - first)]}
        found = self.records().in_bulk([branch.pk for branch in branch])
        lines = self.rows(found[branch.pk] for branch in branch if branch.pk in found)
        by_pk = {line.objective.pk: line for line in lines}
        return {
            "rows": [
                TreeLine(by_pk[row.pk], min(row.depth, 6), row.pk in context) for row in branch if row.pk in by_pk
            ],
            **page_links(page, lambda number: self.url(page=number)),
        }

    def _gap_list(self) -> dict[str, Any]:
        teams = self.gaps if self.gaps is not None else Unit.objects.none()
        page = Paginator(teams.select_related("leader"), TEAMS_ON_A_PAGE).get_page(read_page(self.request))
        above = units_above(page, self.today)
        return {
            "teams": [(unit, above.get(unit.pk, "")) for unit in page],
            "is_led": self.gaps is not None,
            "teams_tree": teams_tree() if self.gaps is not None else None,
            "settings_url": reverse(SETTINGS) if getattr(self.request.user, "is_superuser", False) else "",
            **page_links(page, lambda number: self.url(page=number)),
        }

    def _gap_notice(self) -> dict[str, Any]:
        """The notice above the list: how many teams lack an objective, and the first few by name."""
        if self.gaps is None or self.view != "list":
            return {}
        teams = list(self.gaps[: TEAMS_NAMED + 1])
        above = units_above(teams, self.today)
        names = [f"{team.name} in {above[team.pk]}" if team.pk in above else team.name for team in teams]
        total = len(names) if len(names) <= TEAMS_NAMED else self.gaps.count()
        return {
            "gaps": total,
            "gap_names": names[:TEAMS_NAMED],
            "gaps_more": total - TEAMS_NAMED,
            "gaps_url": self.url(view="gaps", **WIDER),
        }

    def _counts(self) -> list[tuple[StatusTag, int, str, bool]]:
        """Statuses with their number of objectives, the link to their list, and whether it is selected."""
        chosen = self.narrowed.chosen["standing"]
        return [
            (
                TAGS[status] if status != ObjectiveStatus.UNKNOWN else NOT_KNOWN,
                self.counts.get(status, 0),
                self.url(standing="" if status == chosen else status),
                status == chosen,
            )
            for status in ObjectiveStatus.values
        ]

    def _quarter_link(self, quarter: Quarter) -> str:
        return self.url(quarter="" if quarter == self.quarters.current else quarter.start.isoformat())

    def _close_url(self) -> str:
        """The page that closes the quarter, for those who may close it, from its first day on because it can be
        previewed.
        """
        can_be_closed = not self.quarter.is_closed and self.quarter.start <= self.today
        may_close = can_be_closed and self.access.visibility.leads_whole
        return reverse("quarter_close", args=[self.quarter.start]) if may_close else ""

    def _new_url(self) -> str:
        visibility, unit = self.access.visibility, self.narrowed.chosen["unit"]
        if self.quarter.is_closed or not visibility.leads_any:
            return ""
        if unit and not (visibility.leads_whole or visibility.slugs.get(unit) in visibility.managed_ids):
            return ""
        return url_with(reverse("objective_new"), {"unit": unit, "quarter": self.quarter.start})
