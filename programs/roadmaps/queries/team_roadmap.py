"""The team roadmap: the whole organisation and each team by quarter, with objectives, intents and gaps; and as CSV."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from core.csv_export import Cell
from insights.query import windows
from orgtree.access.access import Access
from orgtree.models import OrgTree, Unit, UnitPlace, UnitPlacement
from programs.models import Objective, Quarter, RoadmapIntent
from programs.objectives.queries.objectives import shown_status
from programs.quarters.fiscal_quarters import QUARTERS_AHEAD, quarters_from
from programs.teams.queries import teams_by_day, teams_tree

QUARTERS_SHOWN = 4

Place = tuple[int | None, date]  # a unit (None: the whole organisation) and the first day of a quarter
HEAD = ("Unit", "Name", "Quarter", "Kind", "Title", "Status", "The team's objective", "Draft", "Template", "Number")


@dataclass(frozen=True)
class RoadmapCell:
    """One unit in one quarter.  `objectives` have `shown`, their status for this viewer; the mandatory one comes first.

    `is_gap` if the team has no mandatory objective, which only those who lead it are told.
    """

    quarter: Quarter
    objectives: Sequence[Objective]
    intents: Sequence[RoadmapIntent]
    is_gap: bool
    may_add: bool


@dataclass(frozen=True)
class RoadmapRow:
    """`unit` is None for the whole organisation.  `above` is the name of its current parent unit.

    Units that are no teams are listed if they have cards: a unit above teams, or one that left the tree (`is_gone`).
    """

    unit: Unit | None
    above: str
    is_team: bool
    is_gone: bool
    cells: Sequence[RoadmapCell]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is planned for any open quarter."""
        return not any(cell.objectives or cell.intents for cell in self.cells if not cell.quarter.is_closed)

    @property
    def note(self) -> str:
        if self.unit is None:
            return ""
        if self.is_gone:
            return "No longer in an Org Tree"
        return self.above if self.is_team else f"{self.above}, no team".removeprefix(", ").capitalize()


@dataclass(frozen=True)
class TeamRoadmap:
    quarters: Sequence[Quarter]  # future ones may not be stored yet
    rows: Sequence[RoadmapRow]
    tree: OrgTree | None  # the tree that contains the teams

    @property
    def gaps(self) -> list[tuple[RoadmapRow, RoadmapCell]]:
        return [(row, cell) for row in self.rows for cell in row.cells if cell.is_gap]


def first_days(known: Sequence[Quarter], today: date) -> tuple[date, date]:
    """The range of days on which a roadmap may begin: from the first known quarter to the one whose roadmap ends with
    the last quarter that objectives can be written for.
    """
    ahead = quarters_from(known, today, QUARTERS_AHEAD + 1)
    return min([ahead[0].start, *(quarter.start for quarter in known)]), ahead[-QUARTERS_SHOWN].start


def team_roadmap(quarters: Sequence[Quarter], access: Access, *, unit: str | None = None) -> TeamRoadmap:
    """The roadmap as the viewer may see it, in six queries.

    With a `unit` (slug), only the rows of the unit and its descendants.
    """
    today = windows.local_today()
    days = {quarter.start: min(today, quarter.window.last_day) for quarter in quarters}
    teams = teams_by_day(days.values())
    below = _below(unit, today) if unit is not None else None
    objectives, intents = _objectives(quarters, access, below), _intents(quarters, access, below)
    units = _units({unit_id for of_day in teams.values() for unit_id in of_day}, access, below)
    for unit_planned in (*(one.unit for one in objectives), *(one.unit for one in intents)):
        if unit_planned is not None:
            units.setdefault(unit_planned.pk, unit_planned)
    above = {
        place.unit_id: place.parent.name if place.parent else ""
        for place in UnitPlace.objects.filter(unit__in=units, during__contains=today).select_related("parent")
    }
    cells = _Cells(quarters, days, teams, _by_place(objectives), _by_place(intents), access, today)
    rows = [
        RoadmapRow(
            unit=row,
            above=above.get(row.pk, ""),
            is_team=row.pk in teams[days[quarters[-1].start]],
            is_gone=row.pk not in above,
            cells=cells.of(row.pk, is_gone=row.pk not in above),
        )
        for row in sorted(units.values(), key=lambda one: (one.name.casefold(), one.pk))
    ]
    if unit is None:
        rows.insert(0, RoadmapRow(None, "", is_team=False, is_gone=False, cells=cells.of(None, is_gone=False)))
    return TeamRoadmap(quarters, rows, teams_tree())


@dataclass(frozen=True)
class _Cells:
    quarters: Sequence[Quarter]
    days: Mapping[date, date]
    teams: Mapping[date, frozenset[int]]
    objectives: Mapping[Place, Sequence[Objective]]
    intents: Mapping[Place, Sequence[RoadmapIntent]]
    access: Access
    today: date

    def of(self, unit: int | None, *, is_gone: bool) -> list[RoadmapCell]:
        leads = self.access.visibility.leads(unit)
        cells = []
        for quarter in self.quarters:
            objectives = self.objectives.get((unit, quarter.start), ())
            intents = self.intents.get((unit, quarter.start), ())
            is_team = unit in self.teams[self.days[quarter.start]]
            cells.append(
                RoadmapCell(
                    quarter,
                    objectives,
                    intents,
                    is_gap=leads and is_team and self._lacks_mandatory(quarter, objectives, intents),
                    may_add=leads and not quarter.is_closed and not is_gone,
                )
            )
        return cells

    def _lacks_mandatory(
        self, quarter: Quarter, objectives: Sequence[Objective], intents: Sequence[RoadmapIntent]
    ) -> bool:
        """Whether a mandatory objective is missing; in a future quarter, a draft or an intent counts as one."""
        mandatory = [objective for objective in objectives if objective.is_mandatory]
        if quarter.start > self.today:
            return not mandatory and not intents
        return not any(objective.published_at for objective in mandatory)


def _objectives(
    quarters: Sequence[Quarter], access: Access, below: QuerySet[UnitPlacement, int] | None
) -> list[Objective]:
    visible = Objective.objects.within(access.visibility).filter(quarter__in=_stored(quarters), dropped_at=None)
    narrowed = visible if below is None else visible.filter(unit__in=below)
    shown = narrowed.annotate(shown=shown_status(access)).select_related("unit", "quarter")
    return list(shown.order_by("-is_mandatory", "pk"))


def _intents(
    quarters: Sequence[Quarter], access: Access, below: QuerySet[UnitPlacement, int] | None
) -> list[RoadmapIntent]:
    visible = RoadmapIntent.objects.within(access.visibility).filter(quarter__in=_stored(quarters))
    narrowed = visible if below is None else visible.filter(unit__in=below)
    return list(narrowed.select_related("unit", "quarter").order_by("pk"))


def _units(teams: set[int], access: Access, below: QuerySet[UnitPlacement, int] | None) -> dict[int, Unit]:
    visible = Unit.objects.within(access.visibility).filter(pk__in=teams)
    return (visible if below is None else visible.filter(pk__in=below)).in_bulk()


def _stored(quarters: Sequence[Quarter]) -> list[int]:
    return [quarter.pk for quarter in quarters if not quarter._state.adding]


def _below(slug: str, today: date) -> QuerySet[UnitPlacement, int]:
    """The unit and all units below it today; for one that left the tree, only itself."""
    placed = UnitPlacement.objects.filter(
        Q(ancestor__slug=slug.replace("\x00", ""), during__contains=today) | Q(unit__slug=slug.replace("\x00", ""))
    )
    return placed.values_list("unit", flat=True)


def _by_place(records: Sequence[Objective] | Sequence[RoadmapIntent]) -> Mapping[Place, list]:  # type: ignore[type-arg]
    by_place = defaultdict(list)
    for record in records:
        by_place[record.unit_id, record.quarter.start].append(record)
    return by_place


def roadmap_rows(roadmap: TeamRoadmap) -> Iterator[Sequence[Cell]]:
    """The rows of the CSV file; units by slug, empty for the whole organisation; gaps only for those who lead
    the team.
    """
    yield HEAD
    for row in roadmap.rows:
        unit = (row.unit.slug, row.unit.name) if row.unit else ("", "")
        for cell in row.cells:
            place = (*unit, str(cell.quarter))
            for objective in cell.objectives:
                status = objective.shown  # type: ignore[attr-defined]  # annotated by team_roadmap
                flags = ("yes" if objective.is_mandatory else "no", "no" if objective.published_at else "yes")
                yield (*place, "objective", objective.title, status, *flags, objective.template, objective.pk)
            for intent in cell.intents:
                yield (*place, "intent", intent.title, "", "", "", intent.template, intent.pk)
            if cell.is_gap:
                yield (*place, "gap", "", "", "", "", "", None)
