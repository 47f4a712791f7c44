"""Effective benchmarks of a unit today: its own, else those of the nearest unit above, else the organisation's.

Counts are not inherited: ten deployments a day across the organisation are no target for each of its teams.  The focus
of a unit is read here, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL

from core import sql
from insights.catalogue.declarations import Count, Metric
from insights.catalogue.registry import find
from insights.query import windows
from orgtree.models import Unit, UnitPlace, UnitPlacement
from orgtree.models.visibility import Visibility
from programs.models import BenchmarkVersion, FocusVersion

VERSIONS_LISTED = 100
# One row per requested unit and metric.  The deeper a unit is in its tree, the more ancestors it has, so the nearest
# benchmark is the one at the greatest depth.  A unit that is in no tree today has its own benchmarks and those of the
# organisation, whose id is 0 here.  Parameters: units (ids or a slug), the day (twice), whether to read all metrics,
# and which ones.
_HOLDING_OF_UNITS = """
    WITH asked AS (
        {asked}
    ), above AS (
        SELECT asked.unit_id AS asked_id, coalesce(asked.unit_id, 0) AS unit_id, 1000000 AS depth FROM asked
        UNION ALL
        SELECT asked.unit_id, 0, -1 FROM asked
        UNION ALL
        SELECT asked.unit_id, placement.ancestor_id, (
            SELECT count(*) FROM orgtree_unitplacement higher
            WHERE higher.unit_id = placement.ancestor_id AND higher.during @> %s::date
        )
        FROM asked
        JOIN orgtree_unitplacement placement
            ON placement.unit_id = asked.unit_id AND placement.during @> %s::date
    ), newest AS (
        SELECT DISTINCT ON (metric, unit_id)
            id, metric, coalesce(unit_id, 0) AS unit_id, threshold IS NOT NULL OR target IS NOT NULL AS says_anything
        FROM programs_benchmarkversion
        WHERE coalesce(unit_id, 0) IN (SELECT unit_id FROM above) AND (%s OR metric = ANY(%s))
        ORDER BY metric, unit_id, number DESC
    )
    SELECT DISTINCT ON (above.asked_id, newest.metric) above.asked_id, newest.metric, newest.id
    FROM above JOIN newest USING (unit_id)
    WHERE newest.says_anything
    ORDER BY above.asked_id, newest.metric, above.depth DESC
"""
_HOLDING = _HOLDING_OF_UNITS.format(asked="SELECT DISTINCT unnest(%s::bigint[]) AS unit_id")
_HOLDING_OF_SLUG = _HOLDING_OF_UNITS.format(asked="SELECT (SELECT id FROM orgtree_unit WHERE slug = %s) AS unit_id")


@dataclass(frozen=True)
class EffectiveBenchmark:
    """The version that applies to a unit; `is_own` is False if it is inherited."""

    version: BenchmarkVersion
    is_own: bool

    @property
    def metric(self) -> Metric | None:
        """The benchmark's metric; None if it was removed."""
        return find(self.version.metric)

    @property
    def is_of_older_formula(self) -> bool:
        metric = self.metric
        return metric is not None and metric.version != self.version.metric_version


def benchmarks_for(
    keys: Collection[str] | None, unit_id: int | None, visibility: Visibility, *, on: date | None = None
) -> Mapping[str, EffectiveBenchmark]:
    """Maps each of the metrics (None: all) to the benchmark that applies; metrics without one are left out.
    One query.
    """
    benchmarks = _holding_versions(_HOLDING, _selected(keys, [unit_id], on), visibility)
    return _by_metric(_holding(benchmark, is_own=benchmark.unit_id == unit_id) for benchmark in benchmarks)


def benchmarks_of_slug(
    keys: Collection[str], slug: str | None, visibility: Visibility
) -> Mapping[str, EffectiveBenchmark]:
    """`benchmarks_for` for a unit given by slug; without a slug, for the organisation."""
    benchmarks = _holding_versions(_HOLDING_OF_SLUG, _selected(keys, slug, None), visibility)
    return _by_metric(
        _holding(benchmark, is_own=(benchmark.unit.slug if benchmark.unit else None) == slug)
        for benchmark in benchmarks
    )


def _holding_versions(statement: str, values: Sequence[object], visibility: Visibility) -> QuerySet[BenchmarkVersion]:
    ids = RawSQL(f"SELECT id FROM ({statement}) AS holding", values)  # noqa: S608, S611 — a text of this file
    return _visible(visibility).filter(pk__in=ids).order_by("metric")


def _by_metric(benchmarks: Iterable[EffectiveBenchmark | None]) -> Mapping[str, EffectiveBenchmark]:
    return {held.version.metric: held for held in benchmarks if held is not None}


def benchmarks_of_units(
    keys: Collection[str] | None, unit_ids: Sequence[int | None], visibility: Visibility
) -> Mapping[int | None, Mapping[str, EffectiveBenchmark]]:
    """`benchmarks_for` for several units (None: the organisation); always two queries."""
    rows = sql.rows(_HOLDING, _selected(keys, list(unit_ids), None))
    versions = _visible(visibility).in_bulk({version for _, _, version in rows})
    by_unit: dict[int | None, dict[str, EffectiveBenchmark]] = {unit_id: {} for unit_id in unit_ids}
    for unit_id, key, pk in rows:
        if pk in versions and (held := _holding(versions[pk], is_own=versions[pk].unit_id == unit_id)) is not None:
            by_unit[unit_id][key] = held
    return by_unit


def _selected(
    keys: Collection[str] | None, units: list[int | None] | str | None, on: date | None
) -> tuple[list[int | None] | str | None, date, date, bool, list[str]]:
    """The parameters of _HOLDING, or of _HOLDING_OF_SLUG."""
    day = on or windows.local_today()
    return units, day, day, keys is None, list(keys or ())


def _visible(visibility: Visibility) -> QuerySet[BenchmarkVersion]:
    return BenchmarkVersion.objects.within(visibility).select_related("unit", "written_by")


def _holding(version: BenchmarkVersion, *, is_own: bool) -> EffectiveBenchmark | None:
    """The benchmark in force; None for a count whose benchmark was set for a unit above."""
    held = EffectiveBenchmark(version, is_own=is_own)
    if held.is_own or held.metric is None:
        return held
    return None if adds_up_over_units(held.metric) else held


def adds_up_over_units(metric: Metric) -> bool:
    """Whether a unit's value is the sum over the units below it, so that a target for the whole is too high for
    a part.
    """
    return isinstance(metric, Count)


def newest_version(key: str, unit_id: int | None) -> BenchmarkVersion | None:
    """The unit's own newest version, including one that withdraws the benchmark."""
    return BenchmarkVersion.objects.filter(metric=key, unit=unit_id).order_by("-number").first()


def versions_of(key: str, unit_id: int | None) -> Sequence[BenchmarkVersion]:
    """The unit's own versions, latest first."""
    own = BenchmarkVersion.objects.filter(metric=key, unit=unit_id).select_related("written_by")
    return list(own.order_by("-number")[:VERSIONS_LISTED])


def unit_of_scope(slug: str | None) -> Unit | None:
    """The unit of a scope that the viewer has already been allowed to see."""
    return Unit.objects.filter(slug=slug).first() if slug is not None else None


def units_below(unit: Unit | None, visibility: Visibility, today: date) -> QuerySet[Unit]:
    """The units directly below that the viewer may know of; for the whole organisation, the top units of all trees."""
    places = UnitPlace.objects.filter(during__contains=today, unit__tree__archived_at=None)
    places = places.filter(parent=unit) if unit else places.filter(parent=None)
    return Unit.objects.within(visibility).filter(pk__in=places.values("unit")).order_by("tree", "name", "pk")


def newest_focus(unit_id: int | None) -> FocusVersion | None:
    """The unit's own newest focus version, including an empty one."""
    own = FocusVersion.objects.filter(unit=unit_id).select_related("unit", "written_by")
    return own.order_by("-number").first()


def focus_of_units(unit_ids: Collection[int | None]) -> Mapping[int | None, FocusVersion]:
    """The newest focus version of each unit; units that never chose one are left out.  One query."""
    condition = Q(unit__in=[pk for pk in unit_ids if pk is not None])
    if None in unit_ids:
        condition |= Q(unit=None)
    newest = FocusVersion.objects.filter(condition).select_related("unit", "written_by")
    return {version.unit_id: version for version in newest.order_by("unit", "-number").distinct("unit")}


def focus_above(unit_id: int) -> FocusVersion | None:
    """The focus of the nearest unit above that has one, else of the whole organisation."""
    day = windows.local_today()
    placed = UnitPlacement.objects.filter(unit=unit_id, during__contains=day).exclude(ancestor=unit_id)
    above = list(placed.values_list("ancestor", flat=True))
    chosen = {pk: version for pk, version in focus_of_units([*above, None]).items() if version.metric}
    for pk in (*_deepest_first(above, day), None):
        if pk in chosen:
            return chosen[pk]
    return None


def focus_versions(unit_id: int | None) -> Sequence[FocusVersion]:
    """The unit's own focus versions, latest first."""
    own = FocusVersion.objects.filter(unit=unit_id).select_related("written_by")
    return list(own.order_by("-number")[:VERSIONS_LISTED])


def _deepest_first(unit_ids: Sequence[int], day: date) -> list[int]:
    """Orders units by depth: a deeper unit has more ancestors."""
    placed = UnitPlacement.objects.filter(unit__in=unit_ids, during__contains=day).order_by()
    counted = placed.values(pk_of=F("unit")).annotate(above=models.Count("ancestor")).order_by("-above")
    return [row["pk_of"] for row in counted]
