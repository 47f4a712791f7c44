"""The figures of measures as one list of numbers, in which they are kept, and back.

What is kept of a cell is what a statement found of each measure, before any metric makes anything of it: a metric comes
to the same from kept figures and from facts because it is the same code that puts them together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache

from psycopg import sql

from insights.engine.measures import ATTRIBUTION_METHODS, PERCENTILES, value_in
from insights.metrics.measures import (
    AttributedLines,
    Distribution,
    Gini,
    Measure,
    MeasureValue,
    PeopleOnLine,
    PersonShare,
    Total,
)
from insights.metrics.measures import StandingAtEnd as Standing
from insights.metrics.source import named
from integrations.facts.relation import Relation

# Those that are lists; the letters are those of `cells_statement`.
LENGTHS: Mapping[str, int] = {"k": len(ATTRIBUTION_METHODS), "q": len(PERCENTILES)}
COUNTS = "np"
FINGERPRINT_LENGTH = 16
# What of a measure says where it stands in and how it is explained, not what it comes to.
NOT_OF_THE_VALUE = {"instead", "told_by", "not_by", "not_split_by", "not_filtered_by", "missing_reason"}


@dataclass(frozen=True, slots=True)
class Figures:
    """What a cell's statement found: `numbers` of each measure from the place that `starts` gives by fingerprint."""

    facts: int
    matched_facts: int
    people: int
    numbers: Sequence[float | None]

    def of(self, measure: Measure, starts: Mapping[str, int]) -> MeasureValue:
        """What the measure comes to in the cell."""
        row: dict[str, object] = {"facts": self.facts, "matched_facts": self.matched_facts, "people": self.people}
        position = starts[fingerprint(measure)]
        for letter in _letters(measure):
            length = LENGTHS.get(letter, 1)
            number = self.numbers[position]
            if letter in LENGTHS:
                row[f"{letter}_0"] = [each or 0.0 for each in self.numbers[position : position + length]]
            elif letter in COUNTS:
                row[f"{letter}_0"] = int(number or 0)
            else:
                row[f"{letter}_0"] = (number or 0.0) if letter == "l" else number
            position += length
        return value_in(row, measure, 0)


@dataclass(frozen=True, slots=True)
class FigureValues(Mapping[Measure, MeasureValue]):
    """What measures come to in a cell, of which a metric asks for few."""

    figures: Figures
    starts: Mapping[str, int]
    known: dict[Measure, MeasureValue] = field(default_factory=dict, compare=False, repr=False)

    def __getitem__(self, measure: Measure) -> MeasureValue:
        found = self.known.get(measure)
        if found is None:
            found = self.known[measure] = self.figures.of(measure, self.starts)
        return found

    def __iter__(self) -> Iterator[Measure]:
        raise TypeError("Which measures a cell holds is known by their fingerprints alone.")

    def __len__(self) -> int:
        return len(self.starts)


def starts_of(measures: Iterable[Measure]) -> Mapping[str, int]:
    """Where the numbers of each measure begin in the list of `numbers_of`, by fingerprint."""
    starts: dict[str, int] = {}
    position = 0
    for measure in measures:
        starts[fingerprint(measure)] = position
        position += len(letters_of_figures(measure))
    return starts


def numbers_of(measures: Sequence[Measure]) -> sql.Composed:
    """The list, of a row of the statement that reads these measures."""
    numbers = [
        number
        for position, measure in enumerate(measures)
        for letter in _letters(measure)
        for number in _numbers(letter, position, counts=isinstance(measure, (Total, Distribution)))
    ]
    return sql.SQL("ARRAY[{}]::float8[]").format(sql.SQL(", ").join(numbers))


def _numbers(letter: str, position: int, *, counts: bool) -> Iterable[sql.Composable]:
    """Nothing where no fact entered, whatever the sum of nothing is called: a null takes no room."""
    name = named(letter, position)
    if letter in LENGTHS:
        places = range(1, LENGTHS[letter] + 1)
        return [sql.SQL("nullif(({})[{}]::float8, 0)").format(name, sql.Literal(place)) for place in places]
    if letter == "v" and counts:
        return [sql.SQL("CASE WHEN {} <> 0 THEN {}::float8 END").format(named("n", position), name)]
    return [sql.SQL("nullif({}::float8, 0)" if letter in "npxlb" else "{}::float8").format(name)]


def _letters(measure: Measure) -> str:
    """What a statement tells of the measure, beside the cell's facts and people."""
    if isinstance(measure, Distribution):
        return "vnpxq"
    if isinstance(measure, Total):
        missing = "x" if measure.missing_column else ""
        return f"vnp{missing}lk" if isinstance(measure, AttributedLines) else f"vnp{missing}"
    if isinstance(measure, PersonShare):
        return "vb"
    return "v" if isinstance(measure, (Standing, Gini, PeopleOnLine)) else ""


def letters_of_figures(measure: Measure) -> Sequence[str]:
    """What stands in the list of `numbers_of`, one by one: a letter, and in those that are lists the position."""
    return [
        name
        for letter in _letters(measure)
        for name in ([f"{letter}{place}" for place in range(LENGTHS[letter])] if letter in LENGTHS else [letter])
    ]


@lru_cache(maxsize=1024)
def fingerprint(measure: Measure) -> str:
    """Another one for whatever comes to something else: another column, another text of its relation."""
    own = [(each.name, getattr(measure, each.name)) for each in fields(measure) if each.name not in NOT_OF_THE_VALUE]
    told = [type(measure).__name__, *(_told(value) if isinstance(value, Relation) else value for _, value in own)]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:FINGERPRINT_LENGTH]


def _told(relation: Relation) -> tuple[object, ...]:
    told = (relation.sql, relation.day, relation.placed_by, relation.fact, relation.fact_is_row, relation.stock)
    shared = (relation.gathered_by,) if relation.shared_facts else ()
    return (*told, *shared, relation.falls_to_owners) if relation.falls_to_owners else (*told, *shared)
