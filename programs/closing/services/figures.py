"""Figures of frozen documents: business reviews and executive reports store them with the number of people behind each.

Which ones are hidden is decided when a document is read, by the rules of that day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Self

from core.json_documents import NotStored
from insights.catalogue.declarations import Metric
from insights.catalogue.lead_time_stages import STAGES, StageFigures
from insights.privacy.withhold import is_of_delivery
from insights.query.enums import BelongsTo
from insights.query.query import Answer, MetricValue, Statistic
from insights.ui.agreements import Agreement
from insights.ui.tiles import Band, Reached
from orgtree.access.access import Access
from programs.closing.services.frozen import FrozenDays, OfMetric, why_hidden

FEWEST = 1  # the count used for a value that would reveal few people next to other values
STAGE_STATISTICS = {"value": Statistic.TRIMMED_MEAN, "median": Statistic.MEDIAN, "mean": Statistic.MEAN}


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A value; if it is None, `reason` says why, and `hidden` whether it is withheld from the viewer."""

    value: float | None
    sample_size: int
    people: int
    reveals_few: bool
    reason: str
    hidden: Annotated[bool, NotStored] = False

    def visible(self, of: OfMetric, unit_id: int | None, access: Access) -> Self:
        """The value as the viewer may see it, for this metric and unit."""
        reason = why_hidden(of, FEWEST if self.reveals_few else self.people, unit_id, access)
        if not reason:
            return self
        return replace(self, value=None, sample_size=0, people=0, reveals_few=False, reason=reason, hidden=True)


@dataclass(frozen=True, kw_only=True)
class Stage(Amount):
    """A stage of lead time: its mean without the slowest 5 %, next to median and mean.

    In a document of schema 1 the value is the mean, and there are no others.
    """

    key: str
    label: str
    median: float | None = None
    mean: float | None = None

    @property
    def figures(self) -> StageFigures:
        if self.hidden:
            return StageFigures(None, None, None, 0, hidden=True)
        if self.median is None:
            return StageFigures(None, None, self.value, self.sample_size)
        return StageFigures(self.median, self.value, self.mean, self.sample_size)

    def visible(self, of: OfMetric, unit_id: int | None, access: Access) -> Self:
        stage = super().visible(of, unit_id, access)
        return replace(stage, median=None, mean=None) if stage.hidden else stage


@dataclass(frozen=True, kw_only=True)
class MetricText:
    """A metric as it was on that day."""

    metric: str
    version: int
    name: str
    formula: str
    unit_of_measure: str
    better: str
    statistic: str
    minimum_sample: int
    of_people: bool
    open_as_in_tools: bool


@dataclass(frozen=True, kw_only=True)
class Figure(MetricText):
    """A metric's value in the period and in the one before; `is_steady` if they differ by no more than usual."""

    phrase: str
    now: Amount
    before: Amount
    threshold: float | None
    target: float | None
    higher_is_better: bool | None
    band: Band | None
    band_before: Band | None
    is_steady: bool = False

    @property
    def unit(self) -> str:
        """The unit of measure, under the name that tiles.Judged uses."""
        return self.unit_of_measure

    @property
    def agreement(self) -> Agreement | None:
        """Threshold and target of that day."""
        if self.threshold is None and self.target is None:
            return None
        return Agreement(self.threshold, self.target, None, None, "", "", self.unit, bool(self.higher_is_better))

    @property
    def reached(self) -> Reached:
        agreement = self.agreement
        return agreement.reached(self.now.value) if agreement and self.now.value is not None else ""

    def visible(self, unit_id: int | None, access: Access) -> Figure:
        now, before = self.now.visible(self, unit_id, access), self.before.visible(self, unit_id, access)
        return replace(
            self,
            now=now,
            before=before,
            band=None if now.hidden else self.band,
            band_before=None if before.hidden else self.band_before,
        )


@dataclass(frozen=True)
class Period(FrozenDays):
    """`counted_to` is the first day that is no longer counted."""

    kind: str
    counted_to: date

    @property
    def is_over(self) -> bool:
        """Whether the whole period is counted."""
        return self.counted_to >= self.end


def described(metric: Metric) -> dict[str, Any]:
    """The fields of `MetricText`."""
    return {
        "metric": metric.key,
        "version": metric.version,
        "name": metric.label,
        "formula": metric.formula,
        "unit_of_measure": metric.unit.value,
        "better": metric.better.value,
        "statistic": metric.statistic.value if metric.statistic else "",
        "minimum_sample": metric.minimum_sample,
        "of_people": metric.belongs_to is BelongsTo.PERSON,
        "open_as_in_tools": is_of_delivery(metric),
    }


def value_fields(value: MetricValue) -> dict[str, Any]:
    """The fields of `Amount`."""
    return {
        "value": None if value.value is None else float(value.value),
        "sample_size": value.sample_size,
        "people": value.people,
        "reveals_few": value.withheld,
        "reason": value.reason or "",
    }


def stages_from(totals: Iterator[Answer]) -> tuple[Stage, ...]:
    """Builds the stages from the next answers; a stage's `value` is its mean without the slowest 5 %."""
    stages = []
    for name, (_, label, _) in STAGES.items():
        values = {statistic: next(totals).total[0] for statistic in STAGE_STATISTICS}
        others = {statistic: value_fields(values[statistic])["value"] for statistic in ("median", "mean")}
        stages.append(Stage(key=name, label=label, **value_fields(values["value"]), **others))
    return tuple(stages)
