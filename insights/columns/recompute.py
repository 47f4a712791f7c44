"""Forces a rebuild of partitions that are not stale, for `manage.py recompute`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from insights.catalogue.declarations import Metric
from insights.columns.shape import copied_relations, relations_of
from insights.columns.stale import mark_days
from insights.query.query import Window

EVER = Window(date.min, date.max)


def mark_for_recompute(only: Collection[Metric], days: Window | None) -> int:
    """Mark these metrics' partitions (empty: all) with any of these days (None: all) as stale; returns their number."""
    return mark_days(list(relations_of(only) if only else copied_relations()), days or EVER)
