"""Computing the cells of everybody and of very many units in memory: rows are read once for all splits.

What a statement of cells tells (insights/metrics/statement.py, units_statement.py) is told here of the same rows, by
the same rules; tests hold one against the other.  cells.py says which is taken when, docs/decisions/0028 why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from insights.engine.measures import PERCENTILES
from insights.formulas.cell_concentration import coefficients_by_home
from insights.formulas.cell_distinct_counts import DistinctEntities, EntityRows, Gather, one_for_each_bit
from insights.formulas.cell_layout import Calendar, Homes, Lists
from insights.formulas.cell_percentiles import Membership, Ranked, percentiles_of_cells
from insights.formulas.cell_person_shares import PersonShares, shares_by_home
from insights.formulas.positions import in_order
from insights.metrics.figures import letters_of_figures
from insights.metrics.measures import (
    AttributedLines,
    Distribution,
    Facts,
    Gini,
    Measure,
    People,
    PeopleOnLine,
    PersonShare,
    Total,
)
from insights.metrics.row_measures import RowMeasures, wide
from insights.metrics.source import stretches_of
from insights.metrics.stint_arrays import PlacedTree
from integrations.facts.developers import AT_WORK, IN_SESSION, ON_LINE

if TYPE_CHECKING:
    from insights.formulas.arrays import Bits, Flags, Floats, Integers
    from insights.metrics.reading import Reading

MOST_MEASURES = 60  # of a relation: a bit for each, and one more
# The others are left to the database.
COMPUTABLE = (Facts, People, Total, AttributedLines, Distribution, PeopleOnLine, PersonShare, Gini)


def is_computable(measure: Measure) -> bool:
    """Of people's shares only where each row is a fact, so that counting rows counts what is divided."""
    is_counted = not isinstance(measure, PersonShare) or measure.relation.fact_is_row
    return type(measure) in COMPUTABLE and is_counted


@dataclass(frozen=True)
class ComputedCells:
    """Cells of one group; what is there for each of them has as many entries."""

    units: Integers  # ids; 0 is the whole organisation
    spans: Integers
    segments: Integers  # positions in `words`
    words: Sequence[str]
    facts: Integers
    matched_facts: Integers
    people: Integers
    numbers: Floats  # a line for each number, NaN where there is none
    without_numbers: Flags  # cells that only say that there are too many


@dataclass(frozen=True)
class Split:
    """A way to split the rows: the position of each row's value in `words`, or -1 where it belongs nowhere."""

    segments: Integers
    words: Sequence[str]

    @classmethod
    def into_none(cls, rows: int) -> Split:
        import numpy as np

        return cls(np.zeros(rows, dtype=np.int64), [""])


class PlacedRows:
    """The rows that lie in the windows of a reading and have a stint, with what is counted once of them."""

    def __init__(self, measures: RowMeasures, split: Split, reading: Reading, stints: Integers) -> None:
        import numpy as np

        rows = measures.rows
        # There all positions are counted from 1, as the database does.
        stretches, entries, spans = (np.array(each, dtype=np.int64) for each in stretches_of(reading))
        stretches -= 1
        self.calendar = Calendar(Lists(entries - 1, spans), int(spans.max(initial=-1)) + 1)
        days = rows.days - (reading.hull.start - rows.first_day).days
        is_here = (days >= 0) & (days < len(stretches)) & (stints >= 0) & (split.segments >= 0)
        is_here[is_here] = stretches[days[is_here]] >= 0
        self.here = np.flatnonzero(is_here)
        self.stints = stints[self.here]
        self.stretches = stretches[days[self.here]]
        self.segments = split.segments[self.here]
        self.measures, self.words = measures, split.words
        self.bit_count = len(measures.bits) + 1  # the last is set where the person is known
        bits = measures.entered[self.here]
        people = rows.people[self.here]
        self.known = people != 0
        # Facts of several rows are mostly rows of several segments, such as agents: then each row is a fact of its own.
        is_row = rows.relation.fact_is_row or _are_different(wide(measures.facts[self.here]), self.segments)
        self.counted_facts = None if is_row else self._counted_facts(bits)
        self._are_people = np.flatnonzero(people > 0)
        self._entities = wide(measures.people[self.here[self._are_people]])
        self.counted_people = self._counted(bits[self._are_people], Gather.BITS)

    def _counted_facts(self, bits: Bits) -> DistinctEntities:
        import numpy as np

        bits = bits | (self.known.astype(np.uint64) << np.uint64(self.bit_count - 1))
        entities = wide(self.measures.facts_of_people[self.here])
        found = EntityRows(entities, self.stints, self.segments, bits)
        return DistinctEntities.of_rows(found, self.stretches, self.calendar)

    @cached_property
    def facts_of_people(self) -> DistinctEntities:
        """The numbers of rows of each person."""
        import numpy as np

        return self._counted(np.ones(len(self._are_people), dtype=np.uint64), Gather.SUM)

    def _counted(self, bits: Bits, gather: Gather) -> DistinctEntities:
        mine = self._are_people
        found = EntityRows(self._entities, self.stints[mine], self.segments[mine], bits)
        return DistinctEntities.of_rows(found, self.stretches[mine], self.calendar, gather)

    def cells_of(self, placed: PlacedTree, measures: Sequence[Measure]) -> ComputedCells:
        """All cells of a tree in which anything was found."""
        return _CellsOfTree(self, placed).told(measures)


class _CellsOfTree:
    def __init__(self, rows: PlacedRows, placed: PlacedTree) -> None:
        import numpy as np

        self._rows, self._placed = rows, placed
        paths = placed.path_of_stint[rows.stints]
        self._chosen = np.flatnonzero(paths >= 0)
        paths, segments = paths[self._chosen], rows.segments[self._chosen]
        self._homes = Homes.of_rows(placed.tree, paths, segments, len(rows.words))
        self._stretch_count = max(rows.calendar.stretch_count, 1)
        self._spans = rows.calendar.span_count
        code = self._homes.place_of(paths, segments) * self._stretch_count + rows.stretches[self._chosen]
        order = in_order(code)
        self._code = code[order]
        self._which = rows.here[self._chosen[order]]  # rows of the relation, by place and stretch
        self._matrix = rows.calendar.matrix()
        self._entered = rows.measures.entered[self._which]
        self._first = np.flatnonzero(np.diff(self._code, prepend=-1))  # where the rows of each place and stretch begin
        self._row_counts = self._added(None)
        self._known: dict[bytes, Floats] = {}
        self._cells = np.flatnonzero(self._row_counts.reshape(-1) > 0)

    def told(self, measures: Sequence[Measure]) -> ComputedCells:
        import numpy as np

        rows, homes = self._rows, self._homes
        facts, matched, entered = self._facts(measures)
        tests = [*one_for_each_bit(len(rows.measures.bits)), is_on_line]
        people = rows.counted_people.by_home(homes, self._placed.path_of_stint, self._spans, tests)
        numbers = np.full((sum(map(len, map(letters_of_figures, measures))), len(self._cells)), np.nan)
        quantiles = self._percentiles([m for m in measures if isinstance(m, Distribution)])
        line = 0
        for measure in measures:
            for letter in letters_of_figures(measure):
                if letter.startswith("q"):
                    found = quantiles[measure][:, int(letter[1:])]
                elif letter == "n":
                    found = entered[measure]
                elif letter == "p":
                    found = self._of_cells(people[rows.measures.bits[measure] + 1])
                elif isinstance(measure, PeopleOnLine):
                    found = self._of_cells(people[-1])
                elif isinstance(measure, Gini):
                    found = self._of_cells(self._coefficients())
                elif isinstance(measure, PersonShare):
                    found = self._of_cells(self._shares.shares if letter == "v" else self._shares.people)
                else:
                    found = self._amount(measure, letter)
                if letter != "v":
                    absent = found == 0
                else:
                    absent = entered[measure] == 0 if measure in entered else np.isnan(found)
                numbers[line] = np.where(absent, np.nan, found)
                line += 1
        home, span = self._cells // self._spans, self._cells % self._spans
        return ComputedCells(
            units=homes.tree.units[homes.units[home]],
            spans=span,
            segments=homes.segments[home],
            words=rows.words,
            facts=facts.astype(np.int64),
            matched_facts=matched.astype(np.int64),
            people=self._of_cells(people[0]).astype(np.int64),
            numbers=numbers,
            without_numbers=np.zeros(len(self._cells), dtype=bool),
        )

    def _facts(self, measures: Sequence[Measure]) -> tuple[Floats, Floats, Mapping[Measure, Floats]]:
        """The facts of each cell, those whose person is known, and those that entered each measure."""
        rows = self._rows
        told = [measure for measure in measures if measure in rows.measures.bits]
        if rows.counted_facts is not None:
            tests = one_for_each_bit(rows.bit_count)
            counts = rows.counted_facts.by_home(self._homes, self._placed.path_of_stint, self._spans, tests)
            facts = self._of_cells(counts[0])
            entered = {measure: self._of_cells(counts[rows.measures.bits[measure] + 1]) for measure in told}
            return facts, self._of_cells(counts[rows.bit_count]), entered
        facts = self._of_cells(self._row_counts)
        entered = {measure: self._rows_with(measure) for measure in told}
        people = rows.measures.rows.people[self._which]
        of_people_alone = any(isinstance(measure, Gini) for measure in measures)
        known = people > 0 if of_people_alone else people != 0
        return facts, facts if known.all() else self._of_cells(self._added(known)), entered

    def _rows_with(self, measure: Measure) -> Floats:
        """How many rows of each cell enter the measure; what the same rows enter is counted once."""
        import numpy as np

        bit = np.uint64(1) << np.uint64(self._rows.measures.bits[measure])
        enters = self._entered & bit != 0
        key = np.packbits(enters).tobytes()
        if key not in self._known:
            self._known[key] = self._of_cells(self._row_counts if enters.all() else self._added(enters))
        return self._known[key]

    def _amount(self, measure: Measure, letter: str) -> Floats:
        measures = self._rows.measures
        if isinstance(measure, Distribution):
            if letter == "x":
                return self._of_cells(self._row_counts) - self._rows_with(measure)
            amounts = measures.ordered[measure]
            return (
                self._of_cells(self._added(amounts.added[measures.ranked[measure].ranks[self._which]])) / amounts.scale
            )
        amounts = measures.amounts[measure, {"v": "c", "x": "m", "l": "t"}.get(letter, letter)]
        return self._of_cells(self._added(amounts.added[self._which])) / amounts.scale

    def _percentiles(self, measures: Sequence[Distribution]) -> Mapping[Measure, Floats]:
        if not measures:
            return {}
        known = [self._rows_with(measure).astype(int) for measure in measures]
        ranked = [
            Ranked(self._rows.measures.ranked[measure].ranks[self._which], self._rows.measures.ranked[measure].values)
            for measure in measures
        ]
        found = percentiles_of_cells(ranked, known, self._membership(), list(PERCENTILES.values()))
        return dict(zip(measures, found, strict=True))

    def _coefficients(self) -> Floats:
        counted = self._rows.facts_of_people
        return coefficients_by_home(counted, self._homes, self._placed.path_of_stint, self._spans)

    @cached_property
    def _shares(self) -> PersonShares:
        counted = self._rows.facts_of_people
        return shares_by_home(counted, self._homes, self._placed.path_of_stint, self._spans)

    def _membership(self) -> Membership:
        """Chunks are the rows of a place and stretch."""
        import numpy as np

        homes, stretches = self._homes, self._stretch_count
        counts = np.bincount(self._code, minlength=homes.place_count * stretches)
        pair_first = np.append(homes.pair_first, len(homes.pair_places))
        places = Lists(pair_first, homes.pair_places).joined(self._cells // self._spans)
        stretches_of_span = self._rows.calendar.spans_of_stretch.turned(self._spans)
        found = stretches_of_span.joined((self._cells % self._spans)[places.positions])
        chunks = places.found[found.positions] * stretches + found.found
        some = np.flatnonzero(counts[chunks])
        cells = places.positions[found.positions[some]]
        first = np.searchsorted(cells, np.arange(len(self._cells) + 1))
        return Membership(np.concatenate(([0], np.cumsum(counts))), Lists(first, chunks[some]))

    def _added(self, of_rows: Floats | Flags | None) -> Floats:
        """A row per home and a column per span: the number of rows, or what they add up to."""
        import numpy as np

        of_places = np.zeros(self._homes.place_count * self._stretch_count)
        if len(self._first):
            added = (
                np.diff(self._first, append=len(self._code))
                if of_rows is None
                else np.add.reduceat(of_rows, self._first, dtype=np.float64)
            )
            of_places[self._code[self._first]] = added
        by_stretch = of_places.reshape(-1, self._stretch_count)
        return self._homes.added_up(by_stretch[:, : len(self._matrix)] @ self._matrix)

    def _of_cells(self, of_homes: Floats) -> Floats:
        found: Floats = of_homes.reshape(-1)[self._cells]
        return found


def _are_different(facts: Integers, segments: Integers) -> bool:
    """Whether no fact has two rows of a segment."""
    import numpy as np

    codes = np.sort(facts * (int(segments.max(initial=0)) + 1) + segments)
    return not bool((codes[1:] == codes[:-1]).any())


def is_on_line(bits: Bits) -> Flags:
    """As `ON_LINE` of insights/metrics/statement.py, of a person's signs together."""
    import numpy as np

    at_work = np.uint64(AT_WORK | IN_SESSION)
    found: Flags = (bits & np.uint64(ON_LINE) != 0) | (bits & at_work == np.uint64(AT_WORK))
    return found
