"""Which benchmarks hold of a unit today: its own, else those of the nearest unit above, else the organisation's.

Counts are not inherited: ten deployments a day of the whole organisation are not asked of each of its teams.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from insights import windows
from insights.metrics.declarations import Count, Metric
from insights.metrics.registry import metrics
from orgtree.models import Unit
from orgtree.models.sight import Sight
from programs.models import BenchmarkVersion

VERSIONS_LISTED = 100


@dataclass(frozen=True)
class HoldingBenchmark:
    """The version that holds of a unit, and whether it was agreed for that very unit or for one above."""

    version: BenchmarkVersion
    is_own: bool

    @property
    def metric(self) -> Metric | None:
        """None: the metric is gone."""
        return next((each for each in metrics() if each.key == self.version.metric), None)

    @property
    def is_of_older_formula(self) -> bool:
        metric = self.metric
        return metric is not None and metric.version != self.version.metric_version


def benchmarks_for(
    keys: Collection[str] | None, unit_id: int | None, sight: Sight, *, on: date | None = None
) -> Mapping[str, HoldingBenchmark]:
    """By metric, of these keys (None: of all); what nothing was agreed on is left out.  Two queries."""
    return benchmarks_of_units(keys, [unit_id], sight, on=on).get(unit_id, {})


def benchmarks_of_units(
    keys: Collection[str] | None, unit_ids: Sequence[int | None], sight: Sight, *, on: date | None = None
) -> Mapping[int | None, Mapping[str, HoldingBenchmark]]:
    """As `benchmarks_for`, of several units (None: the whole organisation).  Two queries, however many there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            _HOLDING,
            {
                "units": list(unit_ids),
                "on": on or windows.local_today(),
                "all": keys is None,
                "keys": list(keys or ()),
            },
        )
        rows = cursor.fetchall()
    seen = BenchmarkVersion.objects.within(sight).select_related("unit", "written_by")
    versions = seen.in_bulk({version for _, _, version in rows})
    counted = {metric.key for metric in metrics() if adds_up_over_units(metric)}
    found: dict[int | None, dict[str, HoldingBenchmark]] = {unit_id: {} for unit_id in unit_ids}
    for unit_id, key, pk in rows:
        if pk not in versions:
            continue
        holding = HoldingBenchmark(versions[pk], is_own=versions[pk].unit_id == unit_id)
        if holding.is_own or key not in counted:
            found[unit_id][key] = holding
    return found


def adds_up_over_units(metric: Metric) -> bool:
    """Whether the figure of a unit is that of the units below it, added up: what holds of all is too much for one."""
    return isinstance(metric, Count)


def newest_version(key: str, unit_id: int | None) -> BenchmarkVersion | None:
    """The unit's own newest, also where it takes back what was agreed."""
    return BenchmarkVersion.objects.filter(metric=key, unit=unit_id).order_by("-number").first()


def versions_of(key: str, unit_id: int | None) -> Sequence[BenchmarkVersion]:
    """The unit's own, the latest first."""
    own = BenchmarkVersion.objects.filter(metric=key, unit=unit_id).select_related("written_by")
    return list(own.order_by("-number")[:VERSIONS_LISTED])


def unit_of_scope(slug: str | None) -> Unit | None:
    """The unit of a scope that the viewer was found to be allowed."""
    return Unit.objects.filter(slug=slug).first() if slug is not None else None


# One row per unit that is asked for and metric.  The deeper a unit stands, the more are above it; a unit that is in no
# tree today has its own benchmarks and those of the organisation.  The number 0 stands for the organisation.
_HOLDING = """
    WITH asked AS (
        SELECT DISTINCT unnest(%(units)s::bigint[]) AS unit_id
    ), above AS (
        SELECT asked.unit_id AS asked_id, coalesce(asked.unit_id, 0) AS unit_id, 1000000 AS depth FROM asked
        UNION ALL
        SELECT asked.unit_id, 0, -1 FROM asked
        UNION ALL
        SELECT asked.unit_id, placement.ancestor_id, (
            SELECT count(*) FROM orgtree_unitplacement higher
            WHERE higher.unit_id = placement.ancestor_id AND higher.during @> %(on)s::date
        )
        FROM asked
        JOIN orgtree_unitplacement placement
            ON placement.unit_id = asked.unit_id AND placement.during @> %(on)s::date
    ), newest AS (
        SELECT DISTINCT ON (metric, unit_id)
            id, metric, coalesce(unit_id, 0) AS unit_id, threshold IS NOT NULL OR target IS NOT NULL AS says_anything
        FROM programs_benchmarkversion
        WHERE coalesce(unit_id, 0) IN (SELECT unit_id FROM above) AND (%(all)s OR metric = ANY(%(keys)s))
        ORDER BY metric, unit_id, number DESC
    )
    SELECT DISTINCT ON (above.asked_id, newest.metric) above.asked_id, newest.metric, newest.id
    FROM above JOIN newest USING (unit_id)
    WHERE newest.says_anything
    ORDER BY above.asked_id, newest.metric, above.depth DESC
"""
