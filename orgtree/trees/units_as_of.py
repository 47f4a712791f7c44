"""Trees as of a day: units with parent, manager and number of people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Exists, F, OuterRef, QuerySet

from core import sql
from orgtree.models import OrgTree, Person, Placement, TreeLevel, Unit, UnitPeople
from orgtree.models.people import PersonQuerySet
from orgtree.models.visibility import preferred_trees


@dataclass(frozen=True)
class UnitAsOf:
    """A unit as of a day.  `people` includes descendants, `members` does not."""

    id: int
    slug: str
    name: str
    tree_id: int
    tree_slug: str
    parent_id: int | None
    parent_slug: str | None
    leader_id: int | None
    leader_name: str
    manager_email: str | None
    members: int
    people: int = 0
    depth: int = 0

    @property
    def document(self) -> dict[str, str | int | None]:
        """The unit in the API and the command: docs/reference/api.md."""
        return {
            "slug": self.slug,
            "name": self.name,
            "tree": self.tree_slug,
            "parent": self.parent_slug,
            "manager": self.manager_email,
            "people": self.people,
        }

    @property
    def indented_name(self) -> str:
        """The name for select lists, which show depth by indentation."""
        return "\u2003" * self.depth + self.name


@dataclass(frozen=True)
class TreeSummary:
    """A tree as of a day: its numbers of units, of people and of unassigned people."""

    tree: OrgTree
    levels: tuple[str, ...]
    units: int
    people: int
    unassigned: int


def visible_trees(user: User | AnonymousUser) -> QuerySet[OrgTree]:
    """The trees that the viewer may see."""
    if user.is_superuser:
        return OrgTree.objects.all()
    return OrgTree.objects.filter(archived_at=None, units__in=Unit.objects.visible_to(user)).distinct()


def units_as_of(
    trees: Iterable[OrgTree], *, on: date, visible_to: User | AnonymousUser | None = None
) -> list[UnitAsOf]:
    """The units in the trees on that day, tree by tree, parents before children, by name.

    With `visible_to`, only units and parents visible to the account.
    """
    order = {tree.pk: number for number, tree in enumerate(trees)}
    # Counts direct members only: counting the rows of all ancestors would read ten times as many for a large tree.
    stored = sql.rows(
        """
        WITH counted AS MATERIALIZED (
            SELECT unit_id, count(*) AS members
            FROM orgtree_placement
            WHERE tree_id = ANY(%(trees)s::bigint[]) AND unit_id = ancestor_id AND during @> %(day)s
            GROUP BY unit_id
        )
        SELECT unit.id, unit.slug, unit.name, unit.tree_id, tree.slug, parent.id, parent.slug,
            leader.id, coalesce(leader.full_name, ''), leader.email, coalesce(counted.members, 0)
        FROM orgtree_unit unit
        JOIN orgtree_orgtree tree ON tree.id = unit.tree_id
        JOIN orgtree_unitplace place ON place.unit_id = unit.id AND place.during @> %(day)s
        LEFT JOIN orgtree_unit parent ON parent.id = place.parent_id
        LEFT JOIN orgtree_person leader ON leader.id = unit.leader_id
        LEFT JOIN counted ON counted.unit_id = unit.id
        WHERE unit.tree_id = ANY(%(trees)s::bigint[])
        """,
        {"trees": list(order), "day": on},
    )
    rows = [UnitAsOf(*row) for row in stored]
    rows.sort(key=lambda row: (order[row.tree_id], row.name.casefold(), row.slug))
    people = _people_with_those_below(rows)
    if visible_to is not None:
        seen = set(Unit.objects.visible_to(visible_to).filter(tree__in=order).values_list("pk", flat=True))
        rows = [
            row if row.parent_id in seen else replace(row, parent_id=None, parent_slug=None)
            for row in rows
            if row.id in seen
        ]
    return [replace(row, people=people[row.id], depth=depth) for row, depth in _downwards(rows)]


def one_of_the_same_people(units: Sequence[UnitAsOf]) -> tuple[list[UnitAsOf], list[UnitAsOf]]:
    """Split units into one of each group that has had the same people in several trees, and the rest.

    The chosen one is in the tree that the program uses, else in the first.  Roots stay, because readers choose a tree
    by its root.
    """
    known = UnitPeople.objects.filter(unit__in=[unit.id for unit in units if unit.parent_id is not None])
    digests = dict(known.values_list("unit", "digest"))
    repeated = {digest for digest, number in Counter(digests.values()).items() if number > 1}
    preferred = preferred_trees() if repeated else set()
    trees: dict[str, int] = {}
    for unit in sorted(units, key=lambda unit: unit.tree_id not in preferred):
        if digests.get(unit.id) in repeated:
            trees.setdefault(digests[unit.id], unit.tree_id)
    apart: dict[bool, list[UnitAsOf]] = {True: [], False: []}
    for unit in units:
        apart[trees.get(digests.get(unit.id, ""), unit.tree_id) == unit.tree_id].append(unit)
    return apart[True], apart[False]


def _people_with_those_below(rows: Sequence[UnitAsOf]) -> Mapping[int, int]:
    """Number of people by unit, descendants included."""
    people = {row.id: row.members for row in rows}
    for row, _ in reversed(list(_downwards(rows))):
        if row.parent_id is not None:
            people[row.parent_id] += people[row.id]
    return people


def tree_summaries(trees: Collection[OrgTree], *, on: date) -> list[TreeSummary]:
    """Summaries of the trees, in the given order."""
    if not trees:
        return []
    # The row of the member's own unit counts each person once.
    members = Placement.objects.filter(tree__in=trees, during__contains=on, unit=F("ancestor"))
    people = dict(members.order_by().values_list("tree").annotate(Count("person")))
    units = dict(
        Unit.objects.filter(tree__in=trees, places__during__contains=on)
        .order_by()
        .values_list("tree")
        .annotate(Count("pk"))
    )
    there = Person.objects.there_on(on).count()
    levels = _levels(trees)
    return [
        TreeSummary(
            tree, levels.get(tree.pk, ()), units.get(tree.pk, 0), people.get(tree.pk, 0), there - people.get(tree.pk, 0)
        )
        for tree in trees
    ]


def summary_of(tree: OrgTree, units: Collection[UnitAsOf], *, on: date) -> TreeSummary:
    """The summary of one tree whose units are loaded already."""
    people = sum(unit.members for unit in units)
    there = Person.objects.there_on(on).count()
    return TreeSummary(tree, _levels([tree]).get(tree.pk, ()), len(units), people, there - people)


def _levels(trees: Collection[OrgTree]) -> dict[int, tuple[str, ...]]:
    """Attribute names of the levels by tree, from the top."""
    names: dict[int, tuple[str, ...]] = {}
    levels = TreeLevel.objects.filter(tree__in=trees).order_by("position")
    for tree_id, name in levels.values_list("tree", "attribute__name"):
        names[tree_id] = (*names.get(tree_id, ()), name)
    return names


def unassigned_people(tree: OrgTree, *, on: date) -> PersonQuerySet:
    """People employed on that day and in no unit of the tree."""
    placed = Placement.objects.filter(tree=tree, person=OuterRef("pk"), during__contains=on)
    return Person.objects.there_on(on).filter(~Exists(placed))


def _downwards(rows: Sequence[UnitAsOf]) -> Iterator[tuple[UnitAsOf, int]]:
    """Rows with depth, parents before children."""
    below: dict[int | None, list[UnitAsOf]] = defaultdict(list)
    for row in rows:
        below[row.parent_id].append(row)
    waiting = [(row, 0) for row in reversed(below[None])]
    while waiting:
        row, depth = waiting.pop()
        yield row, depth
        waiting += [(child, depth + 1) for child in reversed(below[row.id])]
