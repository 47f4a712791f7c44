"""Which values would reveal few people: statistical disclosure control over sets of people, as pure functions.

A *cell* is a value that a viewer can see, or ask for.  It is the sum of *atoms*, which do not overlap: what came from
one place, in one stretch of days, in one segment.  Cells can be subtracted from one another.
docs/access.md#differences.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from insights.engine.contributors import NOBODY, People
from insights.query.query import Window

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

Row = Any  # a unit, or a window
Pattern = tuple[str | None, ...]  # a segment, or the sum over all values of a split: None
Cell = tuple[Row, Pattern]
Atom = tuple[Any, tuple[str, ...]]  # what a row is made of, and a segment

Key = tuple[Window, Pattern]
"""A value of an answer: its window and segment."""

TOLERANCE = 1e-6  # of a sum that other sums determine


@dataclass(frozen=True)
class Minimum:
    """The fewest people whose figure is shown; the `unconfirmed` do not count."""

    people: int
    unconfirmed: People = NOBODY

    def is_few(self, people: People) -> bool:
        """Whether these are some, and too few.  Of nobody there is nothing to reveal."""
        return people != NOBODY and not self.is_enough(people)

    def is_enough(self, people: People) -> bool:
        return self.known(people).bit_count() >= self.people

    def known(self, people: People) -> People:
        return people & ~self.unconfirmed


@dataclass(frozen=True)
class Hidden:
    """The values to hide: `few` are of few people, the others would reveal such by subtraction."""

    keys: Set[Key]
    few: Set[Key]


@dataclass(frozen=True)
class Partition:
    """Parts that add up to a whole, by the cell that shows each of them.

    `left_over` are the people of the part of the whole that no cell shows.  Those whom telemetry alone names do not
    count: otherwise whoever holds a token could make figures disappear.
    """

    whole: Cell
    parts: Sequence[Cell]
    left_over: People = NOBODY


@dataclass(frozen=True)
class Cells:
    """All cells that are judged together, by their atoms."""

    atoms: Mapping[Cell, Set[Atom]]
    people: Mapping[Atom, People]
    partitions: Sequence[Partition] = ()

    @cached_property
    def people_of(self) -> Mapping[Cell, People]:
        return {cell: union(self.people[atom] for atom in atoms) for cell, atoms in self.atoms.items()}

    def smallest(self, cells: Iterable[Cell]) -> Cell:
        """The cell of the fewest people; of several, always the same."""
        return min(cells, key=lambda cell: (self.people_of[cell].bit_count(), repr(cell)))


def union(sets: Iterable[People]) -> People:
    united = NOBODY
    for people in sets:
        united |= people
    return united


def few(cells: Cells, minimum: Minimum) -> set[Cell]:
    """Primary suppression: the cells of few people."""
    return {cell for cell, people in cells.people_of.items() if minimum.is_few(people)}


def suppressed(cells: Cells, minimum: Minimum, hidden: Set[Cell] = frozenset()) -> set[Cell]:
    """The cells to hide, with those `hidden` before, so that no sum of shown ones is the figure of few people."""
    all_hidden = few(cells, minimum) | hidden
    if not all_hidden and not any(minimum.is_few(minimum.known(people)) for people in cells.people.values()):
        return set()
    return _audited(cells, minimum, _beside_hidden(cells, minimum, all_hidden))


def _beside_hidden(cells: Cells, minimum: Minimum, hidden: set[Cell]) -> set[Cell]:
    """Complementary suppression: the hidden parts of a whole together have nobody, or enough people, until nothing
    changes.

    A hidden whole that is not of few people stands in for another: enough of its own parts have to be hidden, or it
    would follow from them.
    """
    hidden = {*hidden}
    primary = few(cells, minimum)
    changed = True
    while changed:
        changed = False
        for partition in cells.partitions:
            lost = minimum.known(partition.left_over) | union(
                cells.people_of[part] for part in partition.parts if part in hidden
            )
            shown = [part for part in partition.parts if part not in hidden and cells.people_of[part]]
            stands_in = partition.whole in hidden and partition.whole not in primary
            if shown and (minimum.is_few(lost) or (stands_in and not minimum.is_enough(lost))):
                hidden.add(cells.smallest(shown))
                changed = True
    return hidden


def _audited(cells: Cells, minimum: Minimum, hidden: set[Cell]) -> set[Cell]:
    """Hides further cells until no linear combination of those shown is the figure of few people.

    Rows and columns together can determine what neither does alone.  Unknown are the atoms that no cell shows; each
    shown cell that contains some is an equation.  A sum of atoms is determined where a combination of equations is it.
    """
    while found := _revealed(cells, minimum, hidden):
        hidden = hidden | found
    return hidden


def _revealed(cells: Cells, minimum: Minimum, hidden: Set[Cell]) -> set[Cell]:
    """Shown cells to hide, because with others they determine the figure of few people: one of each system."""
    known = {atom for cell, atoms in cells.atoms.items() if cell not in hidden and len(atoms) == 1 for atom in atoms}
    unknown = {atom for atom, people in cells.people.items() if atom not in known and people != NOBODY}
    systems = _systems(cells, hidden, unknown)
    of_cells = [cells.atoms[cell] & unknown for cell in few(cells, minimum)]
    found: set[Cell] = set()
    for system in systems:
        alone = [{atom} for atom in system.atoms if minimum.is_few(minimum.known(cells.people[atom]))]
        together = (*system.groups.values(), *system.determined_pairs)
        sums = [some for some in together if minimum.is_few(minimum.known(union(cells.people[a] for a in some)))]
        secrets = (*alone, *sums, *(secret for secret in of_cells if secret and secret <= system.atoms))
        given_away = next(filter(system.determines, secrets), None)
        if given_away:
            found.add(cells.smallest(system.used_for(given_away)))
    for secret in () if found else of_cells:
        parts = [(system, part) for system in systems if (part := system.atoms & secret)]
        is_whole = len(parts) > 1 and _atoms_of(part for _, part in parts) == secret
        if is_whole and all(system.determines(part) for system, part in parts):
            system, part = parts[0]
            return {cells.smallest(system.used_for(part))}
    return found


def _atoms_of(sets: Iterable[Set[Atom]]) -> set[Atom]:
    return {atom for some in sets for atom in some}


@dataclass(frozen=True)
class _System:
    """Equations that share unknown atoms with one another, and with no further ones.

    `groups` are atoms that are in the same equations: nothing is known of one of them alone.
    """

    equations: Sequence[Cell]
    groups: Mapping[frozenset[int], frozenset[Atom]]  # by the positions of their equations

    @cached_property
    def atoms(self) -> Set[Atom]:
        return _atoms_of(self.groups.values())

    @cached_property
    def _columns(self) -> Mapping[Atom, int]:
        return {atom: column for column, atoms in enumerate(self.groups.values()) for atom in atoms}

    @cached_property
    def _matrix(self) -> Floats:
        import numpy as np

        matrix = np.zeros((len(self.equations), len(self.groups)))
        for column, rows in enumerate(self.groups):
            matrix[[*rows], column] = 1
        return matrix

    @cached_property
    def _spaces(self) -> tuple[Floats, Floats]:
        """An orthogonal basis of what the equations say, scaled so that its square solves them, and one of what can be
        added to the unknown without any equation noticing; by columns.

        By the eigenvalues of small whole numbers, which takes a tenth of the time of a singular value decomposition.
        """
        import numpy as np

        values, vectors = np.linalg.eigh(self._matrix.T @ self._matrix)
        said = values > TOLERANCE
        return vectors[:, said] / np.sqrt(values[said]), vectors[:, ~said]

    def _target(self, atoms: Set[Atom]) -> Floats | None:
        """Which columns the atoms are; None where they are not whole groups."""
        import numpy as np

        columns = sorted({self._columns[atom] for atom in atoms})
        if sum(self._sizes[column] for column in columns) != len(atoms):
            return None
        target = np.zeros(len(self._sizes))
        target[columns] = 1
        return target

    @cached_property
    def _sizes(self) -> Sequence[int]:
        return [len(atoms) for atoms in self.groups.values()]

    def determines(self, atoms: Set[Atom]) -> bool:
        """Whether a combination of the equations is the sum of these atoms."""
        target = self._target(atoms)
        if target is None or len(self.equations) == 1:
            return len(atoms) == len(self.atoms)
        return bool((abs(target @ self._spaces[1]) < TOLERANCE).all())

    def used_for(self, atoms: Set[Atom]) -> Sequence[Cell]:
        """The cells of which their sum is a combination."""
        target = self._target(atoms)
        if target is None:
            return []
        said, _ = self._spaces
        weights = self._matrix @ (said @ (target @ said))
        return [cell for cell, weight in zip(self.equations, weights, strict=True) if abs(weight) > TOLERANCE]

    @property
    def determined_pairs(self) -> Iterator[Set[Atom]]:
        """Pairs of groups with a determined sum: one column of the null space is the negative of the other."""
        import numpy as np

        if len(self.equations) == 1:
            return
        rounded = np.round(self._spaces[1] / TOLERANCE / 10).astype(np.int64)
        columns: dict[bytes, list[int]] = defaultdict(list)
        groups = [*self.groups.values()]
        for second, values in enumerate(rounded):
            for first in columns[(-values).tobytes()]:
                yield groups[first] | groups[second]
            columns[values.tobytes()].append(second)


def _systems(cells: Cells, hidden: Set[Cell], unknown: Set[Atom]) -> Sequence[_System]:
    """The equations that the shown cells are, apart where they share no unknown atom."""
    shown = [cell for cell, atoms in cells.atoms.items() if cell not in hidden and not atoms.isdisjoint(unknown)]
    rows_of: dict[Atom, list[int]] = defaultdict(list)
    for row, cell in enumerate(shown):
        for atom in cells.atoms[cell] & unknown:
            rows_of[atom].append(row)
    groups: dict[frozenset[int], set[Atom]] = defaultdict(set)
    for atom, of_atom in rows_of.items():
        groups[frozenset(of_atom)].add(atom)
    system_of: dict[int, set[int]] = {}  # the rows of each row's system
    for rows in groups:
        together = set().union(*(system_of.get(row, {row}) for row in rows))
        system_of |= dict.fromkeys(together, together)
    systems = {id(rows): sorted(rows) for rows in system_of.values()}
    made = []
    for of_system in systems.values():
        position = {row: number for number, row in enumerate(of_system)}
        inside = {
            frozenset(position[row] for row in group): frozenset(atoms)
            for group, atoms in groups.items()
            if not group.isdisjoint(position)
        }
        made.append(_System([shown[row] for row in of_system], inside))
    return made


def grid(
    rows: Mapping[Row, Set[Any]],
    wholes: Iterable[tuple[Row, Sequence[Row]]],
    people: Mapping[Atom, People],
) -> Cells:
    """The cells of each row by segment, and their sums over segments; a cell is (row, pattern).

    `people` are those of each atom, by what rows are made of and segment; `rows` say what each is made of, `wholes`
    which of them are parts of another.
    """
    atoms: dict[Cell, set[Atom]] = defaultdict(set)
    rows_of: dict[Any, list[Row]] = defaultdict(list)
    for row, made_of in rows.items():
        for place in made_of:
            rows_of[place].append(row)
    patterns = {segment: [*product(*((value, None) for value in segment))] for _, segment in people}
    for atom in people:
        place, segment = atom
        for row in rows_of[place]:
            for pattern in patterns[segment]:
                atoms[row, pattern].add(atom)
    all_patterns = {pattern: None for of_segment in patterns.values() for pattern in of_segment}
    partitions = []
    for whole, parts in wholes:
        inside = [part for part in parts if rows[part] <= rows[whole]]
        left = {*rows[whole]}.difference(*(rows[part] for part in inside))
        for pattern in all_patterns:
            beside = union(people[atom] for atom in atoms.get((whole, pattern), ()) if atom[0] in left)
            shown = [(part, pattern) for part in inside if (part, pattern) in atoms]
            partitions.append(Partition((whole, pattern), shown, beside))
    split: dict[tuple[Row, Pattern, int], list[Cell]] = defaultdict(list)
    for row, pattern in atoms:
        for position, value in enumerate(pattern):
            if value is not None:
                sums = (*pattern[:position], None, *pattern[position + 1 :])
                split[row, sums, position].append((row, pattern))
    partitions += [Partition((row, sums), parts) for (row, sums, _), parts in split.items()]
    return Cells(atoms, people, partitions)
