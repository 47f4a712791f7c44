"""How long computing cells anew takes, of a year of facts: of the delivery families, and of everything that is kept."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from insights.metrics.declarations import Metric
from insights.metrics.plan import Clock
from insights.metrics.query import Window
from insights.metrics.registry import metrics
from insights.models import MetricCell
from insights.snapshots.alone import alone
from insights.snapshots.filling import fill_everything, fill_groups
from insights.snapshots.groups import Group, groups, stored
from integrations.models import FactFamily
from programs.bench.figures import Limit, Measured
from programs.bench.organisation_rows import HAND_BUILT_TREE
from programs.bench.timing import seconds_of

FAMILIES = {FactFamily.PULL_REQUEST, FactFamily.DEPLOYMENT, FactFamily.INCIDENT}
FAMILIES_SECONDS = 60.0
EVERYTHING_SECONDS = 600.0
MEGABYTE = 1024  # kilobytes, in which the system tells of memory


def families() -> list[Metric]:
    """The metrics of pull requests, deployments and incidents; all their facts are of these families."""
    return [metric for metric in metrics() if metric.families and metric.families <= FAMILIES]


def fills(weeks: int, conditions: str) -> list[Measured]:
    """The families alone, without splits and with them, beside a statement by hand; and then everything."""
    tomorrow = timezone.localdate() + timedelta(days=1)
    days = Window(tomorrow - timedelta(weeks=weeks), tomorrow)
    only = families()
    wanted = {group: row.pk for group, row in stored(groups(only)).items()}
    unsplit = {group: pk for group, pk in wanted.items() if not group.segments}
    before = seconds_of(lambda: _by_hand(days))
    took = [_seconds_of_fill(of_groups, days) for of_groups in (unsplit, wanted)]
    by_hand = (before + seconds_of(lambda: _by_hand(days))) / 2
    everything = seconds_of(fill_everything)
    return [
        *(
            Measured(
                name=f"fill of the PR and DORA families, {how}",
                value=seconds,
                unit="s",
                goal=f"≤ {FAMILIES_SECONDS:g} s for a year of 1.5 million pull requests",
                met=seconds <= FAMILIES_SECONDS,
                limit=Limit("s: mean and four percentiles of five stages by unit and week by hand, unsplit", by_hand),
                conditions=f"{len(only)} metrics, {cells:,} cells, at most {memory:,} MB of memory; {conditions}",
            )
            for how, (seconds, cells, memory) in zip(("without splits", "with splits"), took, strict=True)
        ),
        Measured(
            name="fill of everything that is kept",
            value=everything,
            unit="s",
            goal=f"≤ {EVERYTHING_SECONDS:g} s with a year of sessions as well",
            met=everything <= EVERYTHING_SECONDS,
            conditions=f"{MetricCell.objects.count():,} cells, without sessions of agents; {conditions}",
        ),
    ]


def _seconds_of_fill(of_groups: Mapping[Group, int], days: Window) -> tuple[float, int, int]:
    """With how many cells it wrote, and the megabytes that the process had at most so far."""
    cells = 0

    def fill() -> None:
        nonlocal cells
        with alone(waiting=True):
            cells = fill_groups(of_groups, Clock.read(), days)

    seconds = seconds_of(fill)
    return seconds, cells, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE


def _by_hand(days: Window) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BY_HAND, {"tree": HAND_BUILT_TREE, "start": days.start, "end": days.end})
        cursor.execute("DROP TABLE bench_by_hand")


BY_HAND = """
    CREATE TEMPORARY TABLE bench_by_hand AS
    SELECT placement.ancestor_id, date_trunc('week', figures.merged_on) AS week, stage.name,
           avg(stage.seconds), percentile_cont(ARRAY[0.5, 0.75, 0.9, 0.95]) WITHIN GROUP (ORDER BY stage.seconds)
    FROM integrations_pullrequestfigures figures
    JOIN orgtree_identity identity ON identity.id = figures.credited_id
    JOIN orgtree_placement placement
      ON placement.person_id = identity.person_id AND placement.during @> figures.merged_on
    JOIN orgtree_orgtree tree ON tree.id = placement.tree_id AND tree.slug = %(tree)s
    CROSS JOIN LATERAL (
        VALUES ('coding', coding_seconds), ('pickup', pickup_seconds), ('review', review_seconds),
               ('merge', merge_seconds), ('cycle', cycle_seconds)
    ) AS stage (name, seconds)
    WHERE figures.merged_on >= %(start)s AND figures.merged_on < %(end)s AND stage.seconds IS NOT NULL
    GROUP BY 1, 2, 3
"""
