"""A year of pull requests and DORA: the fill, filters that no snapshot holds, and the delivery page."""

from __future__ import annotations

from datetime import timedelta

import httpx
from django.db import connection
from django.utils import timezone

from insights.metrics.declarations import Metric
from insights.metrics.query import Window
from insights.metrics.registry import metrics
from insights.models import MetricCell
from insights.snapshots.filling import fill_everything
from integrations.models import FactFamily, PullRequest
from programs.bench.delivery_facts import DeliverySize, generate_delivery_once
from programs.bench.figures import Limit, Measured
from programs.bench.organisation import numbers_by_level
from programs.bench.organisation_rows import HAND_BUILT_TREE
from programs.bench.responses import browser, measured_responses, parts_of, seconds_of, with_parts
from programs.bench.timing import seconds_of as seconds_of_work

PAGE = "/insights/delivery/"
FAMILIES = {FactFamily.PULL_REQUEST, FactFamily.DEPLOYMENT, FactFamily.INCIDENT}
FILL_SECONDS = 60.0
WHOLE_FILL_SECONDS = 600.0
ONE_FAMILY_SECONDS = 1.0
WHOLE_PAGE_SECONDS = 4.0
AD_HOC_WEEKS = 26
AD_HOC = ["work_type=feature", "size_class=M"]  # two at a time: kept figures are split by one


def dora(session_cookie: str, *, size: DeliverySize, rounds: int) -> list[Measured]:
    generate_delivery_once(size)
    conditions = f"{size.people:,} people, {PullRequest.objects.count():,} pull requests in {size.weeks} weeks"
    fills = _fills(size, conditions)
    with browser(session_cookie) as client:
        levels = numbers_by_level(size.units)
        units = (levels[0][0], levels[2][0], levels[-1][-1])
        addresses = with_parts(client, [PAGE, *(f"{PAGE}?unit=bench-{number}" for number in units)])
        responses = measured_responses(
            "delivery page responses", client, addresses, rounds=rounds, conditions=f"four scopes; {conditions}"
        )
        return [*fills, *responses, *_ad_hoc(client, conditions)]


def families() -> list[Metric]:
    """The metrics of pull requests, deployments and incidents; all their facts are of these families."""
    return [metric for metric in metrics() if metric.families and metric.families <= FAMILIES]


def _fills(size: DeliverySize, conditions: str) -> list[Measured]:
    """Everything that is kept, and of it the families over the days of delivery, as a nightly fill computes them."""
    tomorrow = timezone.localdate() + timedelta(days=1)
    days = Window(tomorrow - timedelta(weeks=size.weeks), tomorrow)
    only = families()
    cells = 0

    def fill() -> None:
        nonlocal cells
        cells = fill_everything(only=only, days=days)

    by_hand = seconds_of_work(lambda: _by_hand(days))
    everything = seconds_of_work(fill_everything)  # first: a fill of some figures fills all that are missing as well
    seconds = seconds_of_work(fill)
    families_alone = Measured(
        name="fill of the PR and DORA families",
        value=seconds,
        unit="s",
        goal=f"≤ {FILL_SECONDS:g} s for a year of 1.5 million pull requests",
        met=seconds <= FILL_SECONDS,
        limit=Limit("s: mean and four percentiles of five stages by unit and week in one statement by hand", by_hand),
        conditions=f"{len(only)} metrics with their segments, {cells:,} cells; {conditions}",
    )
    whole = Measured(
        name="fill of everything that is kept",
        value=everything,
        unit="s",
        goal=f"≤ {WHOLE_FILL_SECONDS:g} s with a year of sessions as well",
        met=everything <= WHOLE_FILL_SECONDS,
        conditions=f"{MetricCell.objects.count():,} cells, without sessions of agents; {conditions}",
    )
    return [families_alone, whole]


def _by_hand(days: Window) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BY_HAND, {"tree": HAND_BUILT_TREE, "start": days.start, "end": days.end})
        cursor.execute("DROP TABLE bench_by_hand")


def _ad_hoc(client: httpx.Client, conditions: str) -> list[Measured]:
    today = timezone.localdate()
    asked = {"from": str(today - timedelta(weeks=AD_HOC_WEEKS)), "to": str(today), "granularity": "week"}
    family = seconds_of(client, "/api/v1/metrics/dora.lead_time/series/", {**asked, "facet": AD_HOC})
    page = f"{PAGE}?range={AD_HOC_WEEKS}w&work_type=feature&size_class=M"
    parts = parts_of(client, page)
    whole = seconds_of(client, page) + sum(seconds_of(client, part) for part in parts)
    return [
        Measured(
            name="ad-hoc filter, lead time",
            value=family,
            unit="s",
            goal=f"≤ {ONE_FAMILY_SECONDS:g} s",
            met=family <= ONE_FAMILY_SECONDS,
            conditions=f"features of size M over {AD_HOC_WEEKS} weeks, everybody; {conditions}",
        ),
        Measured(
            name="ad-hoc filter, the delivery page",
            value=whole,
            unit="s",
            goal=f"≤ {WHOLE_PAGE_SECONDS:g} s",
            met=whole <= WHOLE_PAGE_SECONDS,
            conditions=f"page and {len(parts)} charts and parts, one after the other, the same filter",
        ),
    ]


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
