"""Finds values that would reveal few people by subtraction: docs/access.md#differences.

A single hidden segment could be computed from the figure and the other segments.  So the smallest visible segment is
hidden as well, and so is a filter that selects some of the hidden ones.  The visible units among a unit and its direct
children must leave out nobody, or at least as many people as the minimum group size; otherwise the smallest visible one
is hidden, with all units below it.

Sizes are compared, not sets of people: a person who was in two of the units counts in both.  Windows are not compared:
viewers who choose them can always find two that differ by one day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from core.cache import Cache
from insights.catalogue.registry import get
from insights.query.query import Answer, MetricValue, Query
from orgtree.access.access import Access
from orgtree.models import UnitPlace

Place = tuple[int, int | None, int, str]  # a unit, the one above it, its tree and its slug
places_by_version: Cache[Sequence[Place]] = Cache(8_000_000, lambda places: 100 + 250 * len(places))
"""Places of units in their trees, by version of people and day."""

Key = tuple[object, ...]  # a window and a segment
Sizes = Mapping[Key, tuple[int, int]]  # people, and how many of them are unconfirmed


def key_of(figure: MetricValue) -> Key:
    return (figure.window, *sorted(figure.segment.items()))


def sizes_of(answer: Answer) -> Sizes:
    return {key_of(figure): (figure.people, figure.unconfirmed) for figure in (*answer.total, *answer.series)}


def too_few(people: int, unconfirmed: int, access: Access) -> bool:
    """Whether a group is too small to show.  Unconfirmed people do not count; an empty group needs no protection."""
    return people > 0 and people - max(0, unconfirmed) < access.minimum_group_size


def of_few(answer: Answer, access: Access) -> set[Key]:
    return {key for key, size in sizes_of(answer).items() if too_few(*size, access)}


def smallest_segments(answer: Answer, hidden: Collection[Key]) -> set[Key]:
    """The smallest segment shown of each window in which another is hidden."""
    of_window: dict[object, dict[Key, int]] = defaultdict(dict)
    for figure in (*answer.total, *answer.series):
        if figure.people:
            of_window[figure.window][key_of(figure)] = figure.people
    shown = {
        window: {key: people for key, people in segments.items() if key not in hidden}
        for window, segments in of_window.items()
    }
    return {
        min(shown[window], key=lambda key: (segments[key], key[1:]))
        for window, segments in of_window.items()
        if shown[window] and len(shown[window]) < len(segments)
    }


def wider_queries(query: Query) -> Sequence[Query]:
    """The query without each of its filters, split by the filter's dimension if the metric has that split."""
    facets = [
        replace(
            query,
            facets={name: values for name, values in query.facets.items() if name is not dimension},
            segments=(dimension,),
            statistic=None,
        )
        for dimension in query.facets
        if dimension in get(query.key).segments
    ]
    attributes = [
        replace(
            query,
            scope=replace(
                query.scope, where={name: held for name, held in query.scope.where.items() if name != attribute}
            ),
        )
        for attribute in query.scope.where
    ]
    return [*facets, *attributes]


def revealed_by_filters(answer: Answer, wider: Sequence[Answer], access: Access) -> set[Key]:
    """The keys of a filtered answer that would reveal few people beside the answers to `wider_queries`."""
    revealed: set[Key] = set()
    for without in wider:
        dropped = answer.query.facets.keys() - without.query.facets.keys()
        by = _beside_other_values if dropped else _beside_everybody
        revealed |= by(answer, without, access)
    return revealed


def _beside_everybody(answer: Answer, without: Answer, access: Access) -> set[Key]:
    """The keys where those whom the filter leaves out are few."""
    sizes = sizes_of(without)

    def left_out(key: Key, people: int, unconfirmed: int) -> tuple[int, int]:
        all_people, all_unconfirmed = sizes.get(key, (0, 0))
        return all_people - people, all_unconfirmed - unconfirmed

    return {key for key, size in sizes_of(answer).items() if size[0] and too_few(*left_out(key, *size), access)}


def _beside_other_values(answer: Answer, split: Answer, access: Access) -> set[Key]:
    """The keys where the filter chooses some, and not all, of the values that are hidden in the split by it."""
    [dimension] = split.query.segments
    chosen = set(answer.query.facets[dimension])
    few = of_few(split, access)
    hidden: dict[object, set[str]] = defaultdict(set)
    of_few_or_smallest = few | smallest_segments(split, few)
    for figure in (*split.total, *split.series):
        if key_of(figure) in of_few_or_smallest:
            hidden[figure.window].add(figure.segment[dimension])
    return {key for key in sizes_of(answer) if chosen & hidden[key[0]] and not hidden[key[0]] <= chosen}


@dataclass(frozen=True)
class Family:
    """The units whose values a viewer could subtract from one another: unit → parent.

    The parent of a tree's top units is the whole organisation, as the tree's negative id, if one of them is requested
    and the viewer may see the organisation.
    """

    parents: Mapping[int, int | None]

    @property
    def units(self) -> list[int]:
        return sorted(self.parents)

    @property
    def upper(self) -> set[int]:
        """The top units and those directly below them."""
        tops = {unit for unit, parent in self.parents.items() if parent is None or parent < 0}
        return tops | {unit for unit, parent in self.parents.items() if parent in tops}

    @property
    def wholes(self) -> set[int]:
        return {parent for parent in self.parents.values() if parent is not None and parent < 0}

    def revealed(self, sizes: Mapping[int, Sizes], access: Access) -> Mapping[int, set[Key]]:
        """By unit, the keys of values that would reveal few people beside those of other units; with all `sizes`."""
        below: dict[int, list[int]] = defaultdict(list)
        for unit, parent in self.parents.items():
            if parent is not None:
                below[parent].append(unit)
        hidden: dict[int, set[Key]] = defaultdict(set)

        def hide_smallest(parent: int, units: Sequence[int], keys: Collection[Key]) -> None:
            for key in keys:
                people, unconfirmed = sizes.get(parent, {}).get(key, (0, 0))
                of_units = {unit: sizes[unit][key] for unit in units if key in sizes[unit]}
                shown = {unit: size for unit, size in of_units.items() if size[0] and not too_few(*size, access)}
                rest = people - sum(size[0] for size in shown.values())
                unknown = unconfirmed - sum(size[1] for size in shown.values())
                if shown and too_few(rest, unknown, access):
                    hidden[min(shown, key=lambda unit: (shown[unit][0], unit))].add(key)

        for parent, units in below.items():
            hide_smallest(parent, units, sizes.get(parent, {}).keys())
        return {unit: set().union(*(hidden[above] for above in self._hiding(unit))) for unit in self.parents}

    def _hiding(self, unit: int) -> Iterator[int]:
        """The unit and those above it, without top units: a whole tree would be lost for a few who are in none."""
        yield unit
        above = self.parents[unit]
        while above is not None and above in self.parents and (self.parents[above] or 0) > 0:
            yield above
            above = self.parents[above]


def family_of(units: Collection[int], access: Access) -> Family:
    """The units above these that the viewer may see, and all directly below them."""
    if not units or access.minimum_group_size <= 1:
        return Family({})
    all_places = _places_today(access.organisation.people_version)
    trees = {tree for unit, _, tree, _ in all_places if unit in {*units}}
    places = [place for place in all_places if place[2] in trees]
    tops = -1 if access.visibility.whole else None
    above = {
        unit: parent if parent is not None else tops and tops * tree
        for unit, parent, tree, _ in places
        if parent is None or access.visibility.can_see(parent)
    }
    ancestors: set[int] = set()
    for unit in units:
        parent = above.get(unit)
        while parent is not None and parent not in ancestors:
            ancestors.add(parent)
            parent = above.get(parent)
            if parent is not None and parent < 0:
                break
    return Family(
        {
            unit: parent if parent in ancestors else None
            for unit, parent in above.items()
            if parent in ancestors or unit in ancestors
        }
    )


def unit_ids(access: Access) -> Mapping[str, int]:
    """Ids of the units that are in a tree today, by slug."""
    return {slug: unit for unit, _, _, slug in _places_today(access.organisation.people_version)}


def _places_today(people_version: int) -> Sequence[Place]:
    key = f"{people_version} {timezone.localdate()}"
    places = places_by_version.get(key)
    if places is None:
        today = UnitPlace.objects.filter(during__contains=timezone.localdate())
        places = tuple(today.values_list("unit_id", "parent_id", "unit__tree_id", "unit__slug"))
        places_by_version.put(key, places)
    return places
