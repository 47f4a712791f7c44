"""Statistical disclosure control over sets of people: pure functions that find the values that reveal few people.

A *cell* is a value that a viewer can see or request, identified by a *row* (a unit, or a window) and a *pattern* (a
segment, or a sum over segments).  It is the sum of *atoms*, which do not overlap: the contributions from one place, in
one range of days, in one segment.  Cells can be subtracted from one another.  `suppressed` decides which of them are
hidden. docs/access.md#differences.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress, product
from typing import TYPE_CHECKING, Any

from insights.engine.contributors import NOBODY, People
from insights.query.query import Window

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

Row = Any  # a unit, or a window
Pattern = tuple[str | None, ...]  # a segment, with None for the sum over all values of a dimension
Cell = tuple[Row, Pattern]
Atom = tuple[Any, tuple[str, ...]]  # a component of a row, and a segment

Key = tuple[Window, Pattern]
"""A value of an answer: its window and segment."""

TOLERANCE = 1e-6  # of numerical comparisons
MIXES = 4  # random vectors with which the possible changes of groups are compared


@dataclass(frozen=True)
class Minimum:
    """The smallest number of people whose figure is shown; the `unconfirmed` do not count."""

    people: int
    unconfirmed: People = NOBODY

    def is_few(self, people: People) -> bool:
        """Whether there are people, but too few.  An empty set reveals nobody."""
        return people != NOBODY and not self.is_enough(people)

    def is_enough(self, people: People) -> bool:
        return self.known(people).bit_count() >= self.people

    def known(self, people: People) -> People:
        return people & ~self.unconfirmed


class Rule(enum.Enum):
    """The rules that hide values; if several apply, the first counts."""

    PRIMARY = "of few people"
    COMPLEMENTARY = "beside hidden parts of the same whole"
    AUDIT = "part of a sum or difference that is of few people"
    FILTERS = "beside what its filters leave out"
    BUCKETS = "beside hidden buckets of its window"
    RECORD = "of a repository to which few people commit"


Hidden = Mapping[Key | None, Rule]
"""The values to hide, with the reason."""

WHOLE = None
"""The key of an answer that shows nothing, not even its segments."""


@dataclass(frozen=True)
class Partition:
    """Parts that add up to a whole, each given by the cell that shows it.

    `left_over` are the people of the whole that no part shows.  People known from telemetry alone do not count:
    otherwise whoever holds a token could make figures disappear.
    """

    whole: Cell
    parts: Sequence[Cell]
    left_over: People = NOBODY


@dataclass(frozen=True)
class Cells:
    """All cells that are considered together, with their atoms."""

    atoms: Mapping[Cell, Set[Atom]]
    people: Mapping[Atom, People]
    partitions: Sequence[Partition] = ()

    @cached_property
    def people_of(self) -> Mapping[Cell, People]:
        return {cell: union(self.people[atom] for atom in atoms) for cell, atoms in self.atoms.items()}

    @cached_property
    def partitions_of(self) -> Mapping[Cell, Sequence[int]]:
        """The positions of the partitions in which each cell is the whole or a part."""
        found: dict[Cell, list[int]] = defaultdict(list)
        for number, partition in enumerate(self.partitions):
            for cell in (partition.whole, *partition.parts):
                found[cell].append(number)
        return found

    @cached_property
    def _wholes(self) -> Set[Cell]:
        return {partition.whole for partition in self.partitions}

    def smallest(self, cells: Iterable[Cell]) -> Cell:
        """The cell with the fewest people; ties are broken in a fixed order."""
        return min(cells, key=lambda cell: (self.people_of[cell].bit_count(), repr(cell)))

    def most_detailed(self, cells: Iterable[Cell]) -> Cell:
        """The smallest of the cells that sum over the fewest dimensions, if possible one without parts.

        Other answers show the sums, without a split or in other buckets, so hiding them here would not help.
        """
        found = [*cells]
        fewest = min(cell[1].count(None) for cell in found)
        found = [cell for cell in found if cell[1].count(None) == fewest]
        return self.smallest([cell for cell in found if cell not in self._wholes] or found)


def union(sets: Iterable[People]) -> People:
    united = NOBODY
    for people in sets:
        united |= people
    return united


def few(cells: Cells, minimum: Minimum) -> set[Cell]:
    """Primary suppression: the cells of few people."""
    return {cell for cell, people in cells.people_of.items() if minimum.is_few(people)}


def suppressed(
    cells: Cells, minimum: Minimum, hidden: Set[Cell] = frozenset(), *, rows: Set[Row] | None = None
) -> Mapping[Cell, Rule]:
    """The cells to hide, including those `hidden` before, so that no sum of shown cells is a figure of few people.

    With `rows`, the audit hides only cells of these rows and assumes that all others are shown, except those hidden by
    primary or complementary suppression: an answer about one unit must not rely on what another answer hides.
    """
    primary = few(cells, minimum)
    if not (primary or hidden) and not any(minimum.is_few(minimum.known(people)) for people in cells.people.values()):
        return {}
    beside = _beside_hidden(cells, minimum, primary, primary | hidden)
    audited = _audited(cells, minimum, primary, beside, rows)
    return {
        **dict.fromkeys(audited, Rule.AUDIT),
        **dict.fromkeys(beside, Rule.COMPLEMENTARY),
        **dict.fromkeys(primary, Rule.PRIMARY),
    }


def _beside_hidden(cells: Cells, minimum: Minimum, primary: Set[Cell], hidden: set[Cell]) -> set[Cell]:
    """Complementary suppression: hides parts until the hidden parts of each whole have nobody, or enough people.

    A whole that has enough people was hidden to protect another cell: enough of its own parts have to be hidden, or it
    could be computed from them.  The same holds for such a part, which could be computed from its whole if no other
    part were hidden.  All partitions in which cells were hidden are processed before further ones, so that their order
    does not matter.
    """

    def smallest_shown(partition: Partition) -> Cell | None:
        parts = [part for part in partition.parts if cells.people_of[part]]
        lost_parts, shown = [part for part in parts if part in hidden], [part for part in parts if part not in hidden]
        lost = minimum.known(partition.left_over) | union(cells.people_of[part] for part in lost_parts)
        hidden_for_another = partition.whole in hidden and partition.whole not in primary
        only_hidden_part = len(lost_parts) == 1 and partition.left_over == NOBODY and partition.whole not in hidden
        reveals = (
            minimum.is_few(lost)
            or (hidden_for_another and not minimum.is_enough(lost))
            or (only_hidden_part and primary.isdisjoint(lost_parts))
        )
        return cells.smallest(shown) if shown and reveals else None

    touched = {number for number, partition in enumerate(cells.partitions) if partition.left_over}
    touched.update(*(cells.partitions_of.get(cell, ()) for cell in hidden))
    while found := {cell for number in touched if (cell := smallest_shown(cells.partitions[number])) is not None}:
        hidden = hidden | found
        touched = set[int]().union(*(cells.partitions_of[cell] for cell in found))
    return hidden


def _audited(cells: Cells, minimum: Minimum, primary: Set[Cell], hidden: set[Cell], rows: Set[Row] | None) -> set[Cell]:
    """Hides further cells until no linear combination of shown cells is the figure of few people.

    Rows and columns together can determine what neither determines alone.  The unknowns are the atoms that no cell
    shows on their own; each shown cell that contains some is an equation.  A sum of atoms is determined if it is a
    combination of equations.
    """
    own = {cell for cell in cells.atoms if rows is None or cell[0] in rows}
    while not own <= hidden and (found := _revealing(cells, minimum, primary, hidden, rows)):
        hidden = hidden | found
    return hidden


def _revealing(
    cells: Cells, minimum: Minimum, primary: Set[Cell], hidden: Set[Cell], rows: Set[Row] | None
) -> set[Cell]:
    """Shown cells to hide, one for each figure of few people that they determine together.

    The result must not depend on any order: two answers that hide different cells would reveal both.
    """
    known: dict[Atom, set[Cell]] = defaultdict(set)
    for cell, atoms in cells.atoms.items():
        if cell not in hidden and len(atoms) == 1:
            known[next(iter(atoms))].add(cell)
    unknown = {atom for atom, people in cells.people.items() if atom not in known and people != NOBODY}
    systems = _systems(cells, minimum, hidden, unknown)
    of_cells = {frozenset(cells.atoms[cell] & unknown) for cell in primary} - {frozenset()}
    found: set[Cell] = set()

    def to_hide(used: Set[Cell]) -> Set[Cell]:
        """One of the cells from which a secret can be computed, including those that show a single atom of them."""
        used = used | {cell for other in used for atom in cells.atoms[other] & known.keys() for cell in known[atom]}
        used = {cell for cell in used if rows is None or cell[0] in rows}
        return {cells.most_detailed(used)} if used else frozenset()

    for system in systems:
        # A sum consists of whole groups, and has at least the people of each.
        if system.tells_nothing:
            continue
        sums = {*system.determined_groups(), *system.determined_pairs()}
        sums |= {*system.determined_among(lambda atoms: minimum.is_few(minimum.known(_people_of(cells, atoms))))}
        secrets = {some for some in sums if minimum.is_few(minimum.known(_people_of(cells, some)))}
        secrets |= {secret for secret in of_cells if secret <= system.atoms}
        determined = sorted(filter(system.determines, secrets), key=lambda atoms: sorted(map(repr, atoms)))
        for used in map(system.used_for, determined):
            if found.isdisjoint(used):  # otherwise it may no longer be computable
                found |= to_hide({*used})
    if not found:  # a sum over several systems is determined if its part in each of them is
        for secret in of_cells:
            parts = [(system, part) for system in systems if (part := system.atoms & secret)]
            if (
                len(parts) > 1
                and _atoms_of(part for _, part in parts) == secret
                and all(system.determines(part) for system, part in parts)
            ):
                found |= to_hide({cell for system, part in parts for cell in system.used_for(part)})
    return found


def _atoms_of(sets: Iterable[Set[Atom]]) -> set[Atom]:
    return {atom for some in sets for atom in some}


@dataclass(frozen=True)
class _System:
    """Equations that share unknown atoms with one another, and with no others.

    An equation stands for the cells that contain the same of these atoms.  `groups` are atoms of few people that are in
    the same equations, so that nothing is known of one of them alone.  `others` are the equations of each group of more
    people: these groups cancel out in a combination that is the figure of few.
    """

    equations: Mapping[int, Sequence[Cell]]  # by number
    groups: Mapping[frozenset[int], frozenset[Atom]]  # by the numbers of their equations
    others: Collection[frozenset[int]]

    @cached_property
    def atoms(self) -> Set[Atom]:
        return _atoms_of(self.groups.values())

    @cached_property
    def _columns(self) -> Mapping[Atom, int]:
        return {atom: column for column, atoms in enumerate(self.groups.values()) for atom in atoms}

    def _weighted(self, groups: Collection[frozenset[int]]) -> Floats:
        """The matrix of these groups by equation; each equation weighs as much as its cells would as separate
        equations.
        """
        import numpy as np

        matrix = np.zeros((len(self.equations), len(groups)))
        positions = {number: position for position, number in enumerate(self.equations)}
        for column, numbers in enumerate(groups):
            matrix[[positions[number] for number in numbers], column] = 1
        weights: Floats = np.sqrt([len(cells) for cells in self.equations.values()])
        return matrix * weights[:, None]

    @cached_property
    def _combinations(self) -> Floats:
        """An orthonormal basis, by columns, of the combinations of equations in which all other groups cancel out.

        Products of equations are small whole numbers, so that eigenvalues are exact enough, and ten times faster than a
        singular value decomposition.
        """
        import numpy as np

        others = self._weighted(self.others)
        values, vectors = np.linalg.eigh(others @ others.T)
        combinations: Floats = vectors[:, values <= TOLERANCE]
        return combinations

    @cached_property
    def _matrix(self) -> Floats:
        """The coefficients of the groups in each of these combinations."""
        matrix: Floats = self._combinations.T @ self._weighted(self.groups)
        return matrix

    @property
    def tells_nothing(self) -> bool:
        return not self._matrix.size

    @cached_property
    def _row_space(self) -> tuple[Floats, Floats]:
        """An orthonormal basis of the row space of the matrix, by columns, with the eigenvalue of each."""
        import numpy as np

        matrix = self._matrix
        is_wide = matrix.shape[0] < matrix.shape[1]
        values, vectors = np.linalg.eigh(matrix @ matrix.T if is_wide else matrix.T @ matrix)
        nonzero = values > TOLERANCE
        values, vectors = values[nonzero], vectors[:, nonzero]
        return (matrix.T @ vectors / np.sqrt(values) if is_wide else vectors), values

    def _columns_of(self, atoms: Set[Atom]) -> Sequence[int]:
        """The columns of these atoms; empty if the atoms are not whole groups."""
        columns = sorted({self._columns[atom] for atom in atoms})
        return columns if sum(self._sizes[column] for column in columns) == len(atoms) else []

    @cached_property
    def _sizes(self) -> Sequence[int]:
        return [len(atoms) for atoms in self.groups.values()]

    def determines(self, atoms: Set[Atom]) -> bool:
        """Whether the sum of these atoms is a combination of the equations."""
        columns = self._columns_of(atoms)
        basis, _ = self._row_space
        part = basis[columns].sum(axis=0)
        return bool(columns) and bool(len(columns) - part @ part < TOLERANCE)

    def used_for(self, atoms: Set[Atom]) -> Sequence[Cell]:
        """The cells whose combination is the sum of these atoms, which the equations determine."""
        columns = self._columns_of(atoms)
        if not columns:
            return []
        basis, eigenvalues = self._row_space
        weights = self._combinations @ (self._matrix @ (basis / eigenvalues @ basis[columns].sum(axis=0)))
        used = (
            cells for cells, weight in zip(self.equations.values(), weights, strict=True) if abs(weight) > TOLERANCE
        )
        return [*chain.from_iterable(used)]

    def determined_among(self, is_few: Callable[[Set[Atom]], bool]) -> Iterator[frozenset[Atom]]:
        """Sums of several groups of few people that the equations determine: combinations in which no other group is
        left.
        """
        import numpy as np

        groups = [*self.groups.values()]
        of_few = [number for number, atoms in enumerate(groups) if is_few(atoms)]
        order = sorted(of_few, key=lambda number: sorted(map(repr, groups[number])))
        others = np.delete(self._matrix, order, axis=1)
        values, vectors = np.linalg.eigh(others @ others.T)
        left = _reduced(vectors[:, values <= TOLERANCE].T @ self._matrix[:, order])
        for row in left:
            inside = np.flatnonzero(abs(row) > TOLERANCE)
            if (abs(row[inside] - 1) < TOLERANCE).all():
                yield frozenset().union(*(groups[order[n]] for n in inside))

    @cached_property
    def _shares_known(self) -> Floats:
        """The squared share of each group that combinations determine: 0 for nothing, 1 for its sum."""
        basis, _ = self._row_space
        shares: Floats = (basis**2).sum(axis=1)
        return shares

    def determined_groups(self) -> Iterator[frozenset[Atom]]:
        return compress(self.groups.values(), 1 - self._shares_known < TOLERANCE)

    def determined_pairs(self) -> Iterator[frozenset[Atom]]:
        """Pairs of groups whose sum is determined although neither group is: any change of one is the negative of the
        other's.
        """
        import numpy as np

        basis, _ = self._row_space
        in_part = (self._shares_known >= TOLERANCE) & (1 - self._shares_known >= TOLERANCE)
        mixed = np.random.default_rng(1).random((len(basis), MIXES))  # in place of all columns: `determines` decides
        could_change = (mixed - basis @ (basis.T @ mixed))[in_part]
        rounded = np.round(could_change / TOLERANCE / 10).astype(np.int64)
        columns: dict[bytes, list[frozenset[Atom]]] = defaultdict(list)
        for atoms, values in zip(compress(self.groups.values(), in_part), rounded, strict=True):
            yield from (other | atoms for other in columns[(-values).tobytes()])
            columns[values.tobytes()].append(atoms)


def _reduced(rows: Floats) -> Floats:
    """The same combinations in reduced row echelon form: in the column of a row's leading 1, all other rows
    have a 0.
    """
    import numpy as np

    rows, done = rows.copy(), 0
    for column in range(rows.shape[1]):
        if done == len(rows):
            break
        pivot = done + int(np.abs(rows[done:, column]).argmax())
        if abs(rows[pivot, column]) > TOLERANCE:
            rows[[done, pivot]] = rows[[pivot, done]]
            rows[done] /= rows[done, column]
            rows -= np.outer(np.where(np.arange(len(rows)) == done, 0, rows[:, column]), rows[done])
            done += 1
    return rows[:done]


def _people_of(cells: Cells, atoms: Iterable[Atom]) -> People:
    return union(cells.people[atom] for atom in atoms)


def _systems(cells: Cells, minimum: Minimum, hidden: Set[Cell], unknown: Set[Atom]) -> Sequence[_System]:
    """The equations of the shown cells, separated into systems that share no unknown atom.

    Equations with a group of more people that is in no other equation are left out, because no combination cancels it
    out.
    """
    shown: dict[frozenset[Atom], list[Cell]] = defaultdict(list)
    for cell, atoms in cells.atoms.items():
        if cell not in hidden and not atoms.isdisjoint(unknown):
            shown[frozenset(atoms & unknown)].append(cell)
    rows_of: dict[Atom, set[int]] = {}
    for row, unknown_inside in enumerate(shown):
        for atom in unknown_inside:
            rows_of.setdefault(atom, set()).add(row)
    system_of = _connected(rows_of.values())
    groups, others = _groups(cells, minimum, rows_of)
    while left_out := {row for rows in others if len(rows) == 1 for row in rows}:
        rows_of = {atom: rows - left_out for atom, rows in rows_of.items()}
        groups, others = _groups(cells, minimum, rows_of)
    equations = [*shown.values()]
    by_system: dict[int, dict[frozenset[int], frozenset[Atom]]] = defaultdict(dict)
    for group, atoms in groups.items():
        by_system[system_of[min(group)]][group] = atoms
    others_of: dict[int, list[frozenset[int]]] = defaultdict(list)
    for group in others:
        others_of[system_of[min(group)]].append(group)
    made = []
    for system, of_few in by_system.items():
        rows = frozenset[int]().union(*of_few, *others_of[system])
        made.append(_System({row: equations[row] for row in rows}, of_few, others_of[system]))
    return made


def _groups(
    cells: Cells, minimum: Minimum, rows_of: Mapping[Atom, Set[int]]
) -> tuple[Mapping[frozenset[int], frozenset[Atom]], Collection[frozenset[int]]]:
    """Groups the atoms that are in the same equations: returns the groups of few people by their equations, and the
    equations of each other group.
    """
    groups: dict[frozenset[int], set[Atom]] = defaultdict(set)
    for atom, rows in rows_of.items():
        if rows:
            groups[frozenset(rows)].add(atom)
    of_few = {rows: frozenset(atoms) for rows, atoms in groups.items() if minimum.is_few(_people_of(cells, atoms))}
    return of_few, groups.keys() - of_few.keys()


def _connected(groups: Iterable[Set[int]]) -> Mapping[int, int]:
    """Maps each row to one representative of the rows that groups connect it with, directly or indirectly."""
    found: dict[int, int] = {}

    def first(row: int) -> int:
        while found.setdefault(row, row) != row:
            found[row] = row = found[found[row]]
        return row

    for rows in groups:
        of_group = first(min(rows))
        for row in rows:
            found[first(row)] = of_group
    return {row: first(row) for row in [*found]}


def patterns_of(segment: tuple[str, ...]) -> Sequence[Pattern]:
    """A segment, and the sums over its dimensions that contain it."""
    return [*product(*((value, None) for value in segment))]


def grid(
    rows: Mapping[Row, Set[Any]],
    wholes: Iterable[tuple[Row, Sequence[Row]]],
    people: Mapping[Atom, People],
) -> Cells:
    """The cells of each row by segment, and their sums over segments; a cell is (row, pattern).

    `people` are those of each atom, by component and segment; `rows` lists the components of each row, and `wholes` the
    rows that are parts of another.
    """
    atoms: dict[Cell, set[Atom]] = defaultdict(set)
    rows_of: dict[Any, list[Row]] = defaultdict(list)
    for row, made_of in rows.items():
        for place in made_of:
            rows_of[place].append(row)
    patterns = {segment: patterns_of(segment) for _, segment in people}
    for atom in people:
        place, segment = atom
        for row in rows_of[place]:
            for pattern in patterns[segment]:
                atoms[row, pattern].add(atom)
    all_patterns = {pattern: None for of_segment in patterns.values() for pattern in of_segment}
    partitions = []
    for whole, parts in wholes:
        inside = [part for part in parts if rows[part] <= rows[whole]]
        if not inside:
            continue
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
