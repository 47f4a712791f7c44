"""Which measures are kept together: of each relation, split in each way in which a metric is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from insights.metrics.declarations import Metric
from insights.metrics.figures import fingerprint, starts_of
from insights.metrics.measures import Measure, PeopleOfWindow
from insights.metrics.plan import Clock, needs_of
from insights.metrics.query import Dimension
from insights.metrics.reading import ANYBODY, Reading
from insights.metrics.registry import metrics
from insights.models import CellGroup
from insights.snapshots.kept import kept_segments
from integrations.facts.relation import Relation
from integrations.models import FactFamily
from orgtree.services.fiscal_calendar import first_month


@dataclass(frozen=True)
class Group:
    """Measures of a relation, split in one way or not at all: what one statement computes, and a `CellGroup` keeps."""

    relation: Relation
    segments: tuple[Dimension, ...]
    measures: tuple[Measure, ...]

    @property
    def name(self) -> tuple[str, str]:
        """Of the relation and of the segment."""
        return self.relation.name, segment_name(self.segments)

    @property
    def starts(self) -> Mapping[str, int]:
        return starts_of(self.measures)

    @property
    def is_stock_of_people(self) -> bool:
        return isinstance(self.measures[0], PeopleOfWindow)


def segment_name(segments: Sequence[Dimension]) -> str:
    return "".join(dimension.value for dimension in segments)


def groups(only: Iterable[Metric] | None = None) -> Sequence[Group]:
    """All that is kept, or all of which one of these metrics is put together; each with all measures that it has."""
    measures: dict[tuple[str, str], dict[str, Measure]] = defaultdict(dict)
    relations: dict[tuple[str, str], tuple[Relation, tuple[Dimension, ...]]] = {}
    wanted = None if only is None else set(only)
    kept: dict[tuple[str, str], None] = {}
    clock = Clock.read()
    for metric in metrics():
        for split in kept_segments(metric):
            for need in needs_of(metric, (), ANYBODY, clock, segments=split).values():
                segments = need.reading.segments if isinstance(need.reading, Reading) else ()
                name = need.reading.relation.name, segment_name(segments)
                relations[name] = need.reading.relation, segments
                measures[name].setdefault(fingerprint(need.measure), need.measure)
                if wanted is None or metric in wanted:
                    kept[name] = None
    return [Group(*relations[name], tuple(measures[name].values())) for name in kept]


def families_of(relation: Relation) -> frozenset[FactFamily]:
    """The families of facts that, when they change, change its rows."""
    return frozenset((relation.family, *relation.also))


def of_family(found: Mapping[Group, int], family: FactFamily) -> Mapping[Group, int]:
    """Those of the groups that facts of the family enter."""
    return {group: pk for group, pk in found.items() if family in families_of(group.relation)}


def stored(wanted: Collection[Group]) -> Mapping[Group, CellGroup]:
    """The rows of these groups, added where they are missing; another fiscal calendar has rows of its own."""
    calendar = first_month()
    known = CellGroup.objects.filter(fiscal_month=calendar)
    rows = {(row.relation, row.segment_name, _hashable(row.starts)): row for row in known}
    found: dict[Group, CellGroup] = {}
    for group in wanted:
        row = rows.get((*group.name, _hashable(group.starts)))
        if row is None:
            relation, segment = group.name
            row = CellGroup.objects.create(
                relation=relation, segment_name=segment, starts=dict(group.starts), fiscal_month=calendar
            )
        found[group] = row
    return found


def _hashable(starts: Mapping[str, int]) -> frozenset[tuple[str, int]]:
    return frozenset(starts.items())
