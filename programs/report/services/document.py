"""The document of an executive report, and the copy of it that a viewer may see.

A sentence keeps its data as separate facts, each with the figure, finding or record that it comes from.  A point is
left out for viewers who may not see one of these, by the rules of that day.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from string import Formatter
from typing import Annotated, Any, ClassVar, Self

from core.json_documents import NotStored
from orgtree.access.access import Access
from programs.closing.services.figures import Figure, MetricText, Period, Stage
from programs.closing.services.frozen import FrozenContent, FrozenDays, FrozenUnit

NOW, BEFORE = "now", "before"


class SourceKind(StrEnum):
    """Kinds of sources of a fact: `weeks` are those of a metric over a year, `records` are open ones."""

    METRIC = "metric"
    STAGE = "stage"
    FINDING = "finding"
    DELIVERY = "delivery"
    EXPERIMENT = "experiment"
    WEEKS = "weeks"
    RECORDS = "records"


ORGANISATION = "organisation"  # the last part of a source that requires access to the whole organisation


def source(kind: SourceKind, *parts: object) -> str:
    """The name of a fact's source, such as metric:dora.lead_time:now or finding:12."""
    return ":".join(map(str, (kind, *parts)))


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A number, a name or a day as a sentence prints it.  `value` is the number before rounding.

    `sources` are its origins, and `how` is the computation, unless it is the value of its only source.
    """

    text: str
    value: float | None = None
    sources: tuple[str, ...] = ()
    how: str = ""

    def __post_init__(self) -> None:
        if self.value is not None:  # an int would be written differently than it is read back
            object.__setattr__(self, "value", float(self.value))


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A declared text with facts in place of its braces.  It also depends on `rests_on`, which it does not print."""

    text: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    rests_on: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, facts: Mapping[str, Fact], rests_on: Iterable[str] = ()) -> Self:
        """A sentence with those facts that the text names."""
        named = {name: fact for name, fact in facts.items() if f"{{{name}}}" in text}
        return cls(text=text, facts=named, rests_on=tuple(rests_on))

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.parts())

    def __bool__(self) -> bool:
        return bool(self.text)

    def parts(self) -> Iterator[str | Fact]:
        """The texts and facts, in order."""
        for text, name, _, _ in Formatter().parse(self.text):
            if text:
                yield text
            if name:
                yield self.facts[name]

    @property
    def sources(self) -> set[str]:
        return {one for fact in self.facts.values() for one in fact.sources} | {*self.rests_on}


NOTHING = Sentence()


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point of the report.  `judgement` is better, worse, steady or empty; `figure` is shown large next to it."""

    key: str
    title: Sentence
    text: Sentence
    consequence: Sentence = NOTHING
    figure: Sentence = NOTHING
    judgement: str = ""
    unit: FrozenUnit | None = None

    @property
    def sentences(self) -> Sequence[tuple[str, Sentence]]:
        """The non-empty sentences, each with its field's name."""
        values = ((one.name, getattr(self, one.name)) for one in fields(self))
        return [(name, value) for name, value in values if isinstance(value, Sentence) and value]

    @property
    def sources(self) -> set[str]:
        return {source for _, sentence in self.sentences for source in sentence.sources}


@dataclass(frozen=True, kw_only=True)
class Recommendation(Point):
    """A change to try, its expected effect, and its considerations.  `effort` is small, medium or large."""

    effect: Sentence
    effort: str
    effort_why: Sentence
    evidence: Sentence
    capacity: Sentence
    constraints: Sentence
    metric: str


@dataclass(frozen=True, kw_only=True)
class ReportDocument(FrozenContent):
    """`frozen_by` is an account id; `frozen_at` is None for a live report."""

    schema_versions: ClassVar[tuple[int, ...]] = (1,)

    revision: int
    unit: FrozenUnit | None
    people: int | None
    quarter: Period
    before: FrozenDays
    frozen_at: datetime | None
    frozen_by: int | None
    headline: Sentence
    figures: Mapping[str, Figure]
    stages: tuple[Stage, ...]
    stage_of: MetricText
    highlights: tuple[Point, ...]
    delivery: tuple[Point, ...]
    bottlenecks: tuple[Point, ...]
    warnings: tuple[Point, ...]
    recommendations: tuple[Recommendation, ...]
    recommended: Sentence  # their combined effect, or why there are none
    examined: tuple[Sentence, ...]  # changes that were examined, and why they are not recommended
    caveats: tuple[Point, ...]
    hidden: Annotated[int, NotStored] = 0  # points hidden from the viewer

    SECTIONS: ClassVar[tuple[str, ...]] = (
        *("highlights", "delivery", "bottlenecks", "warnings", "recommendations", "caveats"),
    )

    @property
    def points(self) -> Sequence[Point]:
        return [point for section in self.SECTIONS for point in getattr(self, section)]

    def with_points(self, made: Callable[[Point], Point | None]) -> ReportDocument:
        """Replaces each point by the result of `made`; None removes it."""
        sections: dict[str, Any] = {
            section: tuple(point for one in getattr(self, section) if (point := made(one)) is not None)
            for section in self.SECTIONS
        }
        return replace(self, **sections)

    def of_parts(self, parts: Collection[str]) -> ReportDocument:
        """The report without the points of other sections."""
        others: dict[str, Any] = {section: () for section in self.SECTIONS if section not in parts}
        if "recommendations" not in parts:
            others |= {"recommended": NOTHING, "examined": ()}
        return replace(self, **others)

    def visible(self, access: Access) -> ReportDocument:
        """The copy for a viewer who may see the report's unit."""
        unit_id = self.unit.id if self.unit else None
        figures = {key: figure.visible(unit_id, access) for key, figure in self.figures.items()}
        stages = tuple(stage.visible(self.stage_of, unit_id, access) for stage in self.stages)
        hidden = {
            source(SourceKind.METRIC, key, when)
            for key, figure in figures.items()
            for when, amount in ((NOW, figure.now), (BEFORE, figure.before))
            if amount.hidden
        } | {source(SourceKind.STAGE, stage.key) for stage in stages if stage.hidden}

        def seen(point: Point) -> bool:
            of_unit = point.unit is None or access.visibility.can_see(point.unit.id)
            of_all = any(one.endswith(f":{ORGANISATION}") for one in point.sources)
            return of_unit and hidden.isdisjoint(point.sources) and (access.visibility.whole or not of_all)

        kept = self.with_points(lambda point: point if seen(point) else None)
        return replace(
            kept,
            figures=figures,
            stages=stages,
            hidden=len(self.points) - len(kept.points),
            headline=self.headline if hidden.isdisjoint(self.headline.sources) else NOTHING,
            recommended=self.recommended if hidden.isdisjoint(self.recommended.sources) else NOTHING,
            examined=tuple(one for one in self.examined if hidden.isdisjoint(one.sources)),
        )
