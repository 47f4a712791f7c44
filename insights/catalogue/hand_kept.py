"""Hand-kept metrics: defined by people on a page, stored in the database, and in the catalogue like all others.

Each process caches the definitions for one version of the catalogue (orgtree/organisation/cached_settings.py), which
every response reads anyway.  If none was ever defined, nothing is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from insights.catalogue.declarations import MetricResult, PartValue, RowsBy, SingleMeasureMetric
from insights.query.enums import Better, Category, Initiative, UnitOfMeasure
from insights.query.measures import EnteredValue
from integrations.facts.hand_kept import HAND_KEPT_VALUES
from integrations.models import HandKeptMetric
from orgtree.organisation.cached_settings import NEVER_CHANGED, catalogue_version, stored_catalogue_version

SOURCE = "Entered by hand"


@dataclass(frozen=True, kw_only=True)
class HandKept(SingleMeasureMetric):
    """A value that people enter for a unit and a day; it holds until the next one, for a limited time."""

    of: EnteredValue
    is_hand_kept: ClassVar[bool] = True
    rows_by: ClassVar[RowsBy] = RowsBy.ENTRY
    recipe: ClassVar[str] = "contribution of the latest row, if it still applies on the window's last day"

    def result(self, part: PartValue) -> MetricResult:
        of = part(self.of)
        return MetricResult(of.value, sample_size=of.facts)


@dataclass(frozen=True)
class _Catalogue:
    """The hand-kept metrics of one version of the catalogue, by key."""

    version: int = NEVER_CHANGED
    metrics: Mapping[str, HandKept] = field(default_factory=dict)


class _Cached:
    catalogue = _Catalogue()


def hand_kept_metrics() -> Mapping[str, HandKept]:
    """All hand-kept metrics by key, ordered by name."""
    if catalogue_version() == NEVER_CHANGED:
        return {}
    cached = _Cached.catalogue
    if cached.version != catalogue_version():
        # The version is read first, so that the metrics read after it are at least as new.
        version = stored_catalogue_version()
        metrics = {metric.key: metric for metric in map(_metric_of, HandKeptMetric.objects.order_by("name", "slug"))}
        cached = _Cached.catalogue = _Catalogue(version, metrics)
    return cached.metrics


def _metric_of(definition: HandKeptMetric) -> HandKept:
    return HandKept(
        key=definition.key,
        version=definition.formula_version,
        name=definition.name,
        fact="value",
        meaning=definition.meaning,
        formula=(
            "the value last entered by the end of the window, or today; it applies from its day until the next value, "
            f"for at most {definition.valid_days} days, and only for the unit that it was entered for: values of units "
            "are not added up"
        ),
        of=EnteredValue(HAND_KEPT_VALUES, metric_id=definition.pk),
        unit=UnitOfMeasure(definition.unit_of_measure),
        better=Better(definition.better),
        categories=(Category.BY_HAND,),
        initiatives=(Initiative.BUSINESS_ALIGNMENT, Initiative.ENGINEERING_EXCELLENCE),
        source=SOURCE,
        reference="",
    )
