"""The full installation: an organisation, years of its telemetry and delivery, and their columns."""

from __future__ import annotations

import math

from bench.delivery_facts import DeliverySize, generate_delivery_once, is_generated
from bench.facts import Size, generate_once
from insights.catalogue.registry import metrics
from insights.columns.refresh import refresh
from insights.columns.stale import mark_for_recompute
from integrations.delivery.allocation.measure import measure_stale_weeks


def generate_all_once(size: Size, delivery: DeliverySize) -> None:
    """Generate everything, unless an earlier entry or run did; planning alone needs no telemetry.

    Facts written by statement write no outbox: people's time is derived here, and all partitions are stale afterwards.
    """
    if not is_generated():
        if not delivery.planning_only:
            generate_once(size)
        generate_delivery_once(delivery)
        measure_stale_weeks()
        mark_for_recompute(metrics(), None)


def fill_once(size: Size, delivery: DeliverySize) -> None:
    """Fill the installation, and build the columns."""
    generate_all_once(size, delivery)
    refresh(math.inf)
