"""The kinds of metric.  A metric is a declaration: one instance in one of the family modules, and nothing else."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from insights.catalogue.rules import Rule
from insights.query.enums import BelongsTo, Better, Category, Initiative, SpaceDimension, UnitOfMeasure
from insights.query.measures import (
    NONE,
    Distribution,
    Facts,
    Measure,
    MeasureValue,
    People,
    PeopleOfWindow,
    Total,
)
from insights.query.query import Dimension, Statistic
from integrations.models import FactFamily


class MetricResult(NamedTuple):
    """A metric's value in one group, computed from its measures; field names as in an answer's values."""

    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    sample_size: int = 0
    people: int = 0
    statistics: Mapping[Statistic, float] = NONE
    missing: bool = False
    low: float | None = None
    mix: Mapping[str, float] = NONE
    left_out: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing contributed, so that the result can be dropped."""
        parts = (self.sample_size, self.numerator, self.denominator, self.missing, self.left_out)
        return self.value is None and not any(parts)


PartValue = Callable[[Measure], MeasureValue]


class RowsBy(enum.Enum):
    """The fact that one row behind a value stands for."""

    FACT = "a fact's day"
    PERSON = "a person"
    PERSON_AND_SEGMENT = "a person's share of a segment"
    STOCK_FACT = "a fact that may be of several people"
    ENTRY = "a value that somebody entered"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A named, versioned definition.  A changed formula is a new version.

    `segments` are the dimensions it can be split by, `facets` those it can be filtered by, by default the same; values
    with a sample below `minimum_sample` are marked, never withheld.  `positive_indicators` are the keys of leading
    indicators, which improve with it if the improvement is real; `negative_indicators` those of guardrails, which
    suffer if it is not.

    A metric provides the wording of its figures, everywhere: `label` is its name above a figure, `short` its name above
    a column, `fact` the noun for what its sample counts, and `sample` and `notes` are templates
    (insights/ui/samples.py).  `look_for` are its rules for *What to look for*; the first one that holds is shown.
    """

    key: str
    version: int = 1
    name: str
    label: str = ""
    short: str = ""
    fact: str = "fact"
    sample: str = ""
    notes: tuple[str, ...] = ()
    meaning: str
    formula: str
    unit: UnitOfMeasure
    better: Better
    statistic: Statistic | None = None
    minimum_sample: int = 1
    categories: tuple[Category, ...]
    initiatives: tuple[Initiative, ...] = (Initiative.ENGINEERING_EXCELLENCE,)
    space: tuple[SpaceDimension, ...] = ()
    segments: tuple[Dimension, ...] = ()
    facets: tuple[Dimension, ...] = ()
    positive_indicators: tuple[str, ...] = ()
    negative_indicators: tuple[str, ...] = ()
    look_for: tuple[Rule, ...] = ()
    source: str
    reference: str

    # Properties of a kind of metric; overridden by the kinds below. Whether a window without facts is 0 if a source is
    # connected; quotients and means without facts have no data.
    zero_of_nothing: ClassVar[bool] = False
    per_period: ClassVar[bool] = False  # divided by the number of granularity units in the window
    over_buckets: ClassVar[bool] = False  # a window's value is computed from its buckets
    is_hand_kept: ClassVar[bool] = False  # people enter its values
    needs_pull_requests: bool = False  # except in units that agreed to work without them
    per_days: int = 0  # multiplied by this and divided by the window's elapsed days; 0: neither

    def __post_init__(self) -> None:
        object.__setattr__(self, "facets", self.facets or self.segments)
        object.__setattr__(self, "label", self.label or self.name)
        object.__setattr__(self, "short", self.short or self.label)

    @property
    def marked_name(self) -> str:
        """The name for lists, marked for metrics whose values people enter."""
        return f"{self.name} (entered by hand)" if self.is_hand_kept else self.name

    @property
    def label_within(self) -> str:
        """The label as written within a sentence: “spend per merged PR”, “PR merge rate”."""
        return self.label if self.label[1:2].isupper() else f"{self.label[:1].lower()}{self.label[1:]}"

    @property
    def chain(self) -> tuple[str, ...]:
        """Keys of its leading indicators and guardrails."""
        return (*self.positive_indicators, *self.negative_indicators)

    @property
    def measures(self) -> tuple[Measure, ...]:
        raise NotImplementedError

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The statistics on offer."""
        return ()

    @property
    def always_by(self) -> tuple[Dimension, ...]:
        """Segments without which the metric is meaningless."""
        return ()

    def result(self, part: PartValue) -> MetricResult:
        """Compute the metric from the measures of one group."""
        raise NotImplementedError

    @property
    def base(self) -> Measure | None:
        """The measure of the denominator, if there is one."""
        return None

    @property
    def sampled(self) -> Measure:
        """The measure whose facts are the sample."""
        return self.measures[0]

    def groups(self, of: Callable[[Measure], int]) -> tuple[int, ...]:
        """The sizes of the groups of people about whom the value would reveal something, taken from those of its
        measures.
        """
        return (of(self.sampled),)

    @property
    def belongs_to(self) -> BelongsTo:
        """The kind of owner that a row counts for, derived from the column that places it."""
        relation = self.measures[0].relation
        return BelongsTo.UNIT if relation.unit else BelongsTo.OWNER if relation.owner else BelongsTo.PERSON

    @property
    def families(self) -> frozenset[FactFamily]:
        """The families of facts that the metric depends on."""
        return frozenset(measure.relation.family for measure in self.measures)

    @property
    def of_teams_only(self) -> bool:
        """Whether it has no value for a single person, and is hidden for few people regardless of the policy."""
        return any(measure.relation.teams_only for measure in self.measures)

    @property
    def is_stock(self) -> bool:
        """Whether it is a stock, counted at the end of a window, rather than a flow."""
        return any(measure.relation.stock for measure in self.measures)

    def shares_denominator(self, segments: Sequence[Dimension]) -> bool:
        """Whether all segments of a bucket have the same denominator."""
        return self.base is not None and self.base.shared_by(segments)

    def shared_part(self, result: MetricResult, segments: Sequence[Dimension]) -> MetricResult | None:
        """The part of the result that segments without facts share with it; None if there is none."""
        if not (self.shares_denominator(segments) and result.denominator):
            return None
        shared = MetricResult(0.0, 0.0, result.denominator)
        if self.sampled.shared_by(segments) and not isinstance(self.sampled, PeopleOfWindow):
            return shared._replace(sample_size=result.sample_size, people=result.people)
        return shared

    def entered(self, result: MetricResult, segments: Sequence[Dimension]) -> bool:
        """Whether any fact of the group itself contributed; parts shared by all segments do not count."""
        own_denominator = result.denominator and not self.shares_denominator(segments)
        own_sample = result.sample_size and not self.sampled.shared_by(segments)
        return bool(own_sample or result.missing or own_denominator or result.numerator or result.left_out)

    @property
    def rows_by(self) -> RowsBy:
        """The fact that one row behind the value stands for; `recipe` says how the rows' contributions add up."""
        people = any(isinstance(measure, (People, PeopleOfWindow)) for measure in self.measures)
        return RowsBy.PERSON if people else RowsBy.FACT

    @property
    def adds_up(self) -> bool:
        """Whether the values of a split sum to the total."""
        return False

    @property
    def recipe(self) -> str:
        """The rule that computes the value from the rows."""
        raise NotImplementedError

    @property
    def missing_reason(self) -> str:
        """The reason why a value can be missing although there are facts; empty if it cannot."""
        reasons = (measure.missing_reason for measure in self.measures if isinstance(measure, Total))
        return next(filter(None, reasons), "")


@dataclass(frozen=True, kw_only=True)
class SingleMeasureMetric(Metric):
    """A metric of one measure."""

    of: Measure

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.of,)


@dataclass(frozen=True, kw_only=True)
class Count(SingleMeasureMetric):
    """A count or sum: of facts, people, or a column of the facts; with `out_of` it is an n of N."""

    unit: UnitOfMeasure = UnitOfMeasure.COUNT
    better: Better = Better.NEITHER
    out_of: Measure | None = None
    parts_overlap: bool = False  # a fact may be in several parts of a split: a day on which two services were deployed
    zero_of_nothing: ClassVar[bool] = True

    @property
    def adds_up(self) -> bool:
        return isinstance(self.of, (Facts, Total)) and not self.parts_overlap

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.of,) if self.out_of is None else (self.of, self.out_of)

    @property
    def base(self) -> Measure | None:
        return self.out_of

    @property
    def recipe(self) -> str:
        return "Σ contribution" if self.out_of is None else "Σ contribution, of Σ denominator"

    def result(self, part: PartValue) -> MetricResult:
        of = part(self.of)
        counted = MetricResult(
            of.value, sample_size=of.facts, people=of.people, missing=of.missing, low=of.low, mix=_shares(of)
        )
        if self.out_of is None:
            return counted
        return counted._replace(numerator=of.value or 0, denominator=part(self.out_of).value or 0)


@dataclass(frozen=True, kw_only=True)
class CountPerTime(Count):
    """A count or sum ÷ time: per day, or per `per_days` days; only elapsed days of the window count.

    A window without facts is 0 if a source is connected.
    """

    per_days: int = 1

    @property
    def recipe(self) -> str:
        counted = "number of different days among the rows" if self.parts_overlap else "Σ contribution"
        return f"{counted} ÷ the window's days{f' × {self.per_days}' if self.per_days > 1 else ''} that have come"


@dataclass(frozen=True, kw_only=True)
class Ratio(Metric):
    """numerator ÷ denominator, × 100 where the unit is percent; no data if the denominator is 0.

    The sample is that of the measure `sample_of`, by default the denominator.  `sides` are plural nouns for the
    numerator and the denominator, for charts that show both behind each value.
    """

    unit: UnitOfMeasure = UnitOfMeasure.PERCENT
    numerator: Measure
    denominator: Measure
    sample_of: Measure | None = None
    sides: tuple[str, str] | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.numerator, self.denominator)

    @property
    def base(self) -> Measure | None:
        return self.denominator

    @property
    def sampled(self) -> Measure:
        return self.sample_of or self.denominator

    @property
    def recipe(self) -> str:
        return f"Σ contribution ÷ Σ denominator{times_100(self)}"

    def result(self, part: PartValue) -> MetricResult:
        above, below = part(self.numerator), part(self.denominator)
        entered = part(self.sample_of) if self.sample_of else below
        numerator = None if above.value is None and above.missing else above.value or 0
        return MetricResult(
            quotient(numerator, below.value, self.unit),
            numerator,
            below.value or 0,
            entered.facts,
            entered.people,
            missing=numerator is None,
            low=quotient(above.low, below.value, self.unit),
            mix=_shares(above),
        )


@dataclass(frozen=True, kw_only=True)
class Breakdown(Ratio):
    """The composition of a sum: the share of each value of one of its dimensions; the values add up to 100 %.

    Numerator and denominator are the same sum; only the numerator is split.
    """

    by: Dimension

    @property
    def always_by(self) -> tuple[Dimension, ...]:
        return (self.by,)

    recipe: ClassVar[str] = "Σ contribution of the segment's rows ÷ Σ denominator × 100"


@dataclass(frozen=True, kw_only=True)
class PerPersonAndPeriod(Ratio):
    """numerator ÷ people ÷ number of granularity units; the reported denominator is people × units.

    A clipped or unfinished bucket counts only for the fraction of its days that lie in the window and have elapsed, so
    that the points of a trend are comparable rates.
    """

    unit: UnitOfMeasure = UnitOfMeasure.COUNT
    per_period: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Duration(SingleMeasureMetric):
    """Mean and percentiles of a duration, or of another amount, per fact."""

    unit: UnitOfMeasure = UnitOfMeasure.SECONDS
    better: Better = Better.LOWER
    statistic: Statistic | None = Statistic.MEDIAN
    minimum_sample: int = 5
    of: Distribution
    recipe: ClassVar[str] = (
        "mean: Σ contribution ÷ number of rows; trimmed mean: the same without the greatest 5 %; "
        "percentiles of the contributions, interpolated linearly"
    )

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """The statistics on offer.  The trimmed mean reveals the greatest value when shown next to the mean, so it is
        offered only where tools show every fact in time.
        """
        trims = self.of.relation.open_as_in_tools and self.unit is UnitOfMeasure.SECONDS
        return tuple(statistic for statistic in Statistic if trims or statistic is not Statistic.TRIMMED_MEAN)

    def result(self, part: PartValue) -> MetricResult:
        of = part(self.of)
        return MetricResult(of.value, of.value, of.facts, of.facts, of.people, of.statistics, left_out=of.left_out)


def _shares(of: MeasureValue) -> Mapping[str, float]:
    """Method → share 0–1 of the value."""
    return {method: amount / of.value for method, amount in of.by_method.items()} if of.value and of.by_method else {}


def quotient(numerator: float | None, denominator: float | None, unit: UnitOfMeasure) -> float | None:
    """numerator ÷ denominator in `unit`; None if one is missing or the denominator is 0."""
    if numerator is None or not denominator:
        return None
    return numerator / denominator * (100 if unit is UnitOfMeasure.PERCENT else 1)


def times_100(metric: Metric) -> str:
    return " × 100" if metric.unit is UnitOfMeasure.PERCENT else ""
